/**
 * The drop zone of the intake page ([data-upload]). What is dropped goes on in an upload that has some of it already
 * (after a lost connection, a reload, a new visit), or begins a new one; when all is there a worker checks it.
 */
import { Panel } from "./panel";
import { chosen, dropped, markAll } from "./picking";
import { Queue, rest, type Item } from "./queue";
import { Refused, Server, type Batch, type Particulars } from "./server";
import { signInAgain } from "./signin";

const LANES = 4;
const LONGEST_PAUSE_MS = 15_000;

export class DropZone {
  private readonly server: Server;
  private readonly panel: Panel;
  private queue: Queue | null = null;
  private busy = false;

  constructor(private readonly zone: HTMLElement) {
    this.server = new Server(zone.dataset.csrf ?? "");
    this.panel = new Panel(zone);
    zone.querySelectorAll<HTMLInputElement>("input[type=file]").forEach((input) =>
      input.addEventListener("change", () => {
        if (input.files?.length) void this.take(Promise.resolve(chosen(input.files)));
      }),
    );
    // Anywhere on the page: a folder that misses the zone would otherwise replace the page by itself.
    addEventListener("dragover", (event) => this.over(event, true));
    addEventListener("dragleave", (event) => this.over(event, false));
    addEventListener("drop", (event) => {
      this.over(event, false);
      if (event.dataTransfer?.items.length && !this.busy) {
        void this.take(dropped(event.dataTransfer, (count) => this.panel.title(`Looking through it: ${count} files so far`)));
      }
    });
    zone.querySelector("[data-stop]")!.addEventListener("click", () => this.queue?.stop());
    addEventListener("online", () => this.queue?.goOn());
    addEventListener("beforeunload", (event) => {
      if (this.queue?.state === "sending" || this.queue?.state === "lost") event.preventDefault();
    });
  }

  private over(event: DragEvent, inside: boolean): void {
    event.preventDefault();
    this.zone.classList.toggle("over", inside && !this.busy);
  }

  private async take(picking: Promise<Item[]>): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.panel.open("Looking through it");
    this.panel.say("");
    await this.attempt(async () => {
      const items = await picking;
      if (!items.length) throw new Refused(0, "There was no file in it.");
      await this.upload(items);
    });
  }

  /** Do something, and say why where it could not be done. */
  private async attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const why = error instanceof Refused ? error.message : "What was dropped could not be read on this computer.";
      this.panel.title("Nothing is being sent");
      this.panel.say(why, "bad", [{ label: "Back", act: () => this.leave() }]);
      this.zone.classList.add("failed");
    }
  }

  private leave(): void {
    this.queue = null;
    this.busy = false;
    this.zone.querySelectorAll<HTMLInputElement>("input[type=file]").forEach((input) => (input.value = ""));
    this.panel.close();
  }

  private async upload(items: Item[]): Promise<void> {
    const count = `${items.length.toLocaleString("en")} file${items.length === 1 ? "" : "s"}`;
    this.panel.title(`Looking at ${count}`);
    const batch = await this.batchFor(items);
    this.server.use(batch);
    const queue = new Queue(items, this.server, {
      pieceBytes: batch.piece_bytes,
      lanes: LANES,
      changed: (item) => (item ? this.panel.moved() : this.told()),
    });
    this.queue = queue;
    this.panel.title(queue.hereCount ? `Going on with ${count}: ${queue.hereCount.toLocaleString("en")} are here already` : `Sending ${count}`);
    this.panel.follow(queue);
    await this.send(batch, queue);
  }

  /** The unfinished upload that has some of these files, with what it has noted on them; or a new one. */
  private async batchFor(items: Item[]): Promise<Batch> {
    const campaign = await this.campaign();
    const { uploads } = await this.insist(() => this.server.ask<{ uploads: Batch[] }>(this.zone.dataset.uploadsUrl!));
    const said = this.said;
    const begun = uploads.filter(
      (batch) =>
        batch.campaign === campaign &&
        batch.site === said.site &&
        batch.data_set === said.data_set &&
        batch.single_pictures === said.single_pictures,
    );
    if (begun.length) {
      await markAll(items, (done) => this.panel.title(`Looking at the files: ${done} of ${items.length}`));
      let best: { batch: Batch; received: number[]; known: number } | null = null;
      for (const batch of begun) {
        const received = await this.insist(() => this.server.receivedOf(batch, items));
        const known = received.filter((bytes) => bytes >= 0).length;
        if (known > (best?.known ?? 0)) best = { batch, received, known };
      }
      if (best) {
        best.received.forEach((bytes, index) => note(items[index], bytes));
        return best.batch;
      }
    }
    return this.insist(() => this.server.ask<Batch>(this.zone.dataset.createUrl!, { campaign, ...said }));
  }

  /** The slug of the campaign that is sent to: chosen, the page's own, or one's own, which the first scan makes. */
  private async campaign(): Promise<string> {
    const { dataset } = this.zone;
    if (!dataset.campaign && dataset.beginUrl) {
      const own = await this.insist(() => this.server.ask<{ slug: string }>(dataset.beginUrl!, {}));
      dataset.campaign = own.slug;
    }
    const select = this.zone.closest("section, main")?.querySelector<HTMLSelectElement>("select[name=campaign]");
    return select?.value || dataset.campaign || "";
  }

  /** What the page's fields say of the scans and masks, as the server will say it again. */
  private get said(): Particulars {
    const place = this.zone.closest("section, main");
    const field = (name: string) => place?.querySelector<HTMLInputElement>(`[data-said][name=${name}]`);
    const text = (name: string) => (field(name)?.value ?? "").split(/\s+/).filter(Boolean).join(" ");
    return {
      site: text("site"),
      data_set: text("data_set"),
      licence: text("licence"),
      citation: text("citation"),
      single_pictures: field("single_pictures")?.checked ?? false,
    };
  }

  private async send(batch: Batch, queue: Queue): Promise<void> {
    this.zone.querySelector<HTMLButtonElement>("[data-stop]")!.hidden = false;
    const state = await queue.run();
    this.zone.querySelector<HTMLButtonElement>("[data-stop]")!.hidden = true;
    if (state === "stopped") this.stopped(batch, queue);
    else if (state === "over") this.panel.say(`${queue.sentence} What arrived is on its page.`, "bad", [this.toPage(batch)]);
    else if (queue.refused.length) this.sentInPart(batch, queue);
    else await this.finish(batch);
  }

  private toPage = (batch: Batch) => ({ label: "To its page", act: () => location.assign(batch.url) });

  private stopped(batch: Batch, queue: Queue): void {
    const kept = `${queue.hereCount.toLocaleString("en")} of ${queue.items.length.toLocaleString("en")} files`;
    this.panel.title("Stopped");
    this.panel.say(`${kept} are at the server, encrypted. Go on now or another day: what is there is not sent twice.`, "wait", [
      { label: "Go on", act: () => void this.attempt(() => this.resume(batch, queue)) },
      { label: `Remove the ${queue.hereCount.toLocaleString("en")} files from the server`, act: () => void this.attempt(() => this.remove(batch)) },
      { label: "Leave it for later", act: () => location.reload() },
    ]);
  }

  private async resume(batch: Batch, queue: Queue): Promise<void> {
    this.panel.title("Sending");
    this.panel.say("");
    await this.send(batch, queue);
  }

  private async remove(batch: Batch): Promise<void> {
    await this.insist(() => this.server.ask(batch.discard_url, { code: batch.code }));
    location.reload();
  }

  private sentInPart(batch: Batch, queue: Queue): void {
    const count = queue.refused.length;
    this.panel.title(`${count} file${count === 1 ? " was" : "s were"} not sent`);
    this.panel.say(`${queue.refused[0].path}: ${queue.refused[0].sentence}${count > 1 ? " The others stand under Not sent." : ""}`, "bad", [
      { label: "Check what arrived", act: () => void this.attempt(() => this.finish(batch)) },
      { label: "Try them again", act: () => void this.attempt(() => this.again(batch, queue)) },
    ]);
  }

  private async again(batch: Batch, queue: Queue): Promise<void> {
    for (const item of queue.refused.splice(0)) Object.assign(item, { state: "waiting", sentence: "" });
    await this.resume(batch, queue);
  }

  private async finish(batch: Batch): Promise<void> {
    this.panel.title("All is there");
    this.panel.say("Handing it on to be checked.", "good");
    const said = await this.insist(() => this.server.ask<{ url: string }>(batch.finish_url, { drop_parts: true }));
    this.queue = null;
    location.assign(said.url);
  }

  /** The queue is in another state. */
  private told(): void {
    const queue = this.queue;
    if (!queue) return;
    this.panel.moved();
    if (queue.state === "sending") this.panel.say("");
    if (queue.state === "lost") {
      const seconds = Math.max(1, Math.round((queue.nextTryAt - Date.now()) / 1000));
      const kept = "What arrived is kept.";
      this.panel.say(`${queue.sentence} ${kept} Trying again in ${seconds} s.`, "wait", [{ label: "Try now", act: () => queue.goOn() }]);
    }
    if (queue.state === "signed_out") void this.signedOut(queue);
  }

  private async signedOut(queue: Queue): Promise<void> {
    this.panel.say("You are signed out. What arrived is kept; sign in to go on.", "wait", [
      { label: "Sign in", act: () => void this.signedOut(queue) },
      { label: "I signed in in another tab", act: () => queue.goOn() },
    ]);
    if (await signInAgain(this.zone, this.server)) queue.goOn();
  }

  /** Call until it works: the connection comes back, somebody signs in. What the server refuses is thrown. */
  private async insist<T>(call: () => Promise<T>): Promise<T> {
    for (let pause = 500; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      try {
        const answer = await call();
        this.panel.say("");
        return answer;
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        if (error.status === 401 || (error.status === 403 && !error.code)) {
          this.panel.say("You are signed out. Sign in to go on.", "wait");
          await signInAgain(this.zone, this.server);
        } else if (error.status === 0 || error.status >= 500) {
          this.panel.say(`${error.message} Trying again.`, "wait");
          await rest(pause, new AbortController().signal);
        } else throw error;
      }
    }
  }
}

/** Note on an item what an earlier upload has of it. */
function note(item: Item, bytes: number): void {
  if (bytes < 0) return;
  item.received = Math.min(bytes, item.size);
  if (item.received === item.size) item.state = "here";
}

export function attachUploads(): void {
  document.querySelectorAll<HTMLElement>("[data-upload]").forEach((zone) => new DropZone(zone));
}
