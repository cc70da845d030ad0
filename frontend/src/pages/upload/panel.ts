/** What the drop zone shows while an upload is under way: progress in all and per file, and what it waits for. */
import { bytesInWords, FileList } from "./list";
import type { Item, Queue } from "./queue";

type Filter = "all" | "open" | "here" | "refused";

const FILTERS: Record<Filter, (item: Item) => boolean> = {
  all: () => true,
  open: (item) => item.state === "waiting" || item.state === "sending",
  here: (item) => item.state === "here",
  refused: (item) => item.state === "refused",
};
const REDRAW_MS = 250;
/** Speed is what went in this long. */
const SPEED_OVER_MS = 8000;

export interface Choice {
  label: string;
  act: () => void;
}

/** How long something takes, in two words. */
export function spanInWords(seconds: number): string {
  if (!Number.isFinite(seconds)) return "";
  if (seconds < 90) return `about ${Math.max(1, Math.round(seconds))} s left`;
  if (seconds < 5400) return `about ${Math.round(seconds / 60)} min left`;
  return `about ${(seconds / 3600).toFixed(1)} h left`;
}

export class Panel {
  private readonly bar: HTMLProgressElement;
  private list: FileList | null = null;
  private queue: Queue | null = null;
  private filter: Filter = "open";
  private timer: ReturnType<typeof setTimeout> | undefined;
  private speed: [ms: number, bytes: number][] = [];

  constructor(private readonly zone: HTMLElement) {
    this.bar = this.part("all");
    zone.querySelectorAll<HTMLButtonElement>("[data-filter]").forEach((chip) =>
      chip.addEventListener("click", () => this.choose(chip.dataset.filter as Filter)),
    );
  }

  private part<T extends HTMLElement>(name: string): T {
    return this.zone.querySelector<T>(`[data-${name}]`)!;
  }

  /** From the drop zone to the panel. */
  open(title: string): void {
    this.zone.classList.add("busy");
    this.zone.classList.remove("empty", "failed");
    this.part("idle").hidden = true;
    this.part("sending").hidden = false;
    this.title(title);
    this.part("title").focus();
  }

  /** Back to the drop zone. */
  close(): void {
    this.zone.classList.remove("busy");
    this.zone.classList.add("empty");
    this.part("idle").hidden = false;
    this.part("sending").hidden = true;
    this.queue = null;
  }

  title(words: string): void {
    this.part("title").textContent = words;
  }

  /** Say something, with what may be done about it; nothing takes it away. */
  say(sentence: string, tone: "" | "wait" | "bad" | "good" = "", choices: Choice[] = []): void {
    const notice = this.part("notice");
    notice.hidden = !sentence;
    notice.className = `notice ${tone}`;
    const words = this.part("words");
    if (words.textContent !== sentence) words.textContent = sentence;
    const place = this.part("choices");
    const labels = choices.map(({ label }) => label).join("|");
    if (place.dataset.labels === labels && labels) return;
    place.dataset.labels = labels;
    place.replaceChildren(
      ...choices.map(({ label, act }) => {
        const button = document.createElement("button");
        button.type = "button";
        button.className = "button small";
        button.textContent = label;
        button.addEventListener("click", act);
        return button;
      }),
    );
  }

  /** Show a queue's files and follow them. */
  follow(queue: Queue): void {
    this.queue = queue;
    this.list = new FileList(this.part("files"), queue.items, FILTERS[this.filter]);
    this.speed = [];
    this.part("details").hidden = false;
    this.draw();
  }

  /** Something moved: draw soon. */
  moved(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.draw();
    }, REDRAW_MS);
  }

  private choose(filter: Filter): void {
    this.filter = filter;
    this.zone.querySelectorAll<HTMLButtonElement>("[data-filter]").forEach((chip) =>
      chip.setAttribute("aria-pressed", String(chip.dataset.filter === filter)),
    );
    this.draw();
  }

  private draw(): void {
    const queue = this.queue;
    if (!queue) return;
    const sent = queue.sentBytes;
    this.bar.max = queue.totalBytes || 1;
    this.bar.value = queue.totalBytes ? sent : 1;
    const count = queue.items.length;
    const here = `${queue.hereCount.toLocaleString("en")} of ${count.toLocaleString("en")} files`;
    this.part("counts").textContent = `${here} · ${bytesInWords(sent)} of ${bytesInWords(queue.totalBytes)}${this.pace(sent)}`;
    const counts: Record<Filter, number> = {
      all: count,
      here: queue.hereCount,
      refused: queue.refused.length,
      open: count - queue.hereCount - queue.refused.length,
    };
    for (const [name, number] of Object.entries(counts)) {
      this.zone.querySelector(`[data-filter="${name}"] span`)!.textContent = number.toLocaleString("en");
    }
    this.list?.show(queue.items, FILTERS[this.filter]);
  }

  private pace(sent: number): string {
    const now = performance.now();
    this.speed.push([now, sent]);
    while (this.speed.length > 2 && now - this.speed[0][0] > SPEED_OVER_MS) this.speed.shift();
    const [since, before] = this.speed[0];
    const perSecond = (1000 * (sent - before)) / Math.max(1, now - since);
    if (this.queue?.state !== "sending" || now - since < 1000 || perSecond <= 0) return "";
    return ` · ${bytesInWords(perSecond)}/s · ${spanInWords((this.queue.totalBytes - sent) / perSecond)}`;
  }
}
