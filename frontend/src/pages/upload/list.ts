/** The list of an upload's files: thousands of lines, of which only those in sight are in the page. */
import type { FileState, Item } from "./queue";

const ROW_PX = 28;
const BEYOND = 6;

const WORDS: Record<FileState, [tone: string, word: string]> = {
  waiting: ["quiet", "waits"],
  sending: ["accent", "sending"],
  here: ["good", "here"],
  refused: ["bad", "not sent"],
};

export const bytesInWords = (bytes: number): string =>
  bytes < 1e6 ? `${(bytes / 1e3).toFixed(0)} kB` : bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;

export class FileList {
  private shown: Item[] = [];
  private drawn = new Map<number, HTMLElement>();
  private planned = false;
  private readonly rows: HTMLElement;

  /** `box` scrolls; it is a list for those who hear it. */
  constructor(
    private readonly box: HTMLElement,
    items: Item[],
    only: (item: Item) => boolean,
  ) {
    this.rows = document.createElement("div");
    this.rows.setAttribute("role", "list");
    this.rows.setAttribute("aria-label", "Files");
    this.rows.className = "files-rows";
    box.replaceChildren(this.rows);
    box.addEventListener("scroll", () => this.plan());
    this.show(items, only);
  }

  /** Show these items, as far as `only` lets them. Lines stay where they are when the same ones are shown. */
  show(items: Item[], only: (item: Item) => boolean): void {
    const shown = items.filter(only);
    const same = shown.length === this.shown.length && shown.every((item, index) => item === this.shown[index]);
    if (!same) {
      this.shown = shown;
      this.rows.style.height = `${shown.length * ROW_PX}px`;
      this.drawn.forEach((row) => row.remove());
      this.drawn.clear();
    }
    this.plan();
  }

  /** Draw anew with the next frame. */
  plan(): void {
    if (this.planned) return;
    this.planned = true;
    requestAnimationFrame(() => {
      this.planned = false;
      this.draw();
    });
  }

  private draw(): void {
    const first = Math.max(0, Math.floor(this.box.scrollTop / ROW_PX) - BEYOND);
    const last = Math.min(this.shown.length, Math.ceil((this.box.scrollTop + this.box.clientHeight) / ROW_PX) + BEYOND);
    for (const [index, row] of this.drawn) {
      if (index < first || index >= last) {
        row.remove();
        this.drawn.delete(index);
      }
    }
    for (let index = first; index < last; index++) {
      let row = this.drawn.get(index);
      if (!row) {
        row = this.made(index);
        this.drawn.set(index, row);
        this.rows.append(row);
      }
      this.fill(row, this.shown[index]);
    }
  }

  private made(index: number): HTMLElement {
    const row = document.createElement("div");
    row.className = "files-row";
    row.setAttribute("role", "listitem");
    row.setAttribute("aria-setsize", String(this.shown.length));
    row.setAttribute("aria-posinset", String(index + 1));
    row.style.top = `${index * ROW_PX}px`;
    for (const name of ["state", "path", "amount"]) {
      const cell = document.createElement("span");
      cell.className = name;
      row.append(cell);
    }
    return row;
  }

  private fill(row: HTMLElement, item: Item): void {
    const [state, path, amount] = row.children as unknown as HTMLElement[];
    const [tone, word] = WORDS[item.state];
    const sent = item.size ? Math.floor((100 * (item.received + item.inFlight)) / item.size) : 0;
    set(state, item.state === "sending" || (item.state === "waiting" && item.received) ? `${word} ${sent} %` : word);
    if (state.className !== `state ${tone}`) state.className = `state ${tone}`;
    set(path, item.sentence ? `${item.path}: ${item.sentence}` : item.path);
    if (path.title !== path.textContent) path.title = path.textContent ?? "";
    set(amount, bytesInWords(item.size));
  }
}

function set(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}
