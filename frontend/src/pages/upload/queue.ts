/**
 * The files of one upload on their way to the server: several at a time, large ones in pieces, each gone on with where
 * the server says it is. No DOM and no network of its own: a transport sends, `changed` is told when something moved.
 */
export type FileState = "waiting" | "sending" | "here" | "refused";

export interface Item {
  path: string;
  size: number;
  file: Blob;
  /** Digest of the file's beginning and end; empty until it is needed. */
  mark: string;
  received: number;
  inFlight: number;
  state: FileState;
  sentence: string;
  /** A bundle with it was refused: it goes alone, so that the refusal finds the one it is about. */
  alone?: boolean;
}

/** How sending one piece can end. `refused` is about this file alone, `over` about the whole upload. */
export type Outcome =
  | { kind: "taken"; received: number; whole: boolean }
  | { kind: "elsewhere"; received: number }
  | { kind: "refused" | "over" | "later"; sentence: string }
  | { kind: "signed_out" }
  | { kind: "stopped" };

export interface Transport {
  mark(item: Item): Promise<string>;
  piece(item: Item, content: Blob, moved: (bytes: number) => void, signal: AbortSignal): Promise<Outcome>;
  /** Several small files at once, all or none of them. */
  bundle(items: Item[], moved: (bytes: number) => void, signal: AbortSignal): Promise<Outcome>;
}

/** sending; lost (tries again at `nextTryAt`); signed_out; stopped by the person; over (refused as a whole); sent. */
export type QueueState = "sending" | "lost" | "signed_out" | "stopped" | "over" | "sent";

export interface Options {
  pieceBytes: number;
  lanes: number;
  changed: (item?: Item) => void;
  wait?: (ms: number, signal: AbortSignal) => Promise<void>;
  now?: () => number;
}

/** So many small files, of so many bytes in all, go together. */
const BUNDLED = 32;
const BUNDLED_BYTES = 4 * 1024 * 1024;
const UNREADABLE = "It could not be read on this computer: it was moved, changed or locked.";
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;

export class Queue {
  state: QueueState = "sent";
  sentence = "";
  nextTryAt = 0;
  readonly totalBytes: number;
  readonly refused: Item[] = [];
  hereCount = 0;
  private cursor = 0;
  private failures = 0;
  private gate: { opened: Promise<void>; open: () => void } | null = null;
  private abort = new AbortController();

  constructor(
    readonly items: Item[],
    private readonly transport: Transport,
    private readonly options: Options,
  ) {
    this.totalBytes = items.reduce((sum, item) => sum + item.size, 0);
    for (const item of items) this.count(item);
  }

  /** Bytes that are at the server or under way to it. */
  get sentBytes(): number {
    let sum = 0;
    for (const item of this.items) sum += item.state === "here" ? item.size : item.received + item.inFlight;
    return sum;
  }

  /** Send what is not there yet; the state in which that ended. */
  async run(): Promise<QueueState> {
    this.abort = new AbortController();
    this.cursor = 0;
    this.failures = 0;
    this.gate = null;
    for (const item of this.items) if (item.state === "sending") item.state = "waiting";
    this.become("sending");
    await Promise.all(Array.from({ length: this.options.lanes }, () => this.lane()));
    if (this.state !== "stopped" && this.state !== "over") this.become("sent");
    return this.state;
  }

  /** Send no more; what arrived stays at the server. */
  stop(): void {
    this.become("stopped");
    this.end();
  }

  /** Do not wait for the next try, or for somebody to sign in: they did. */
  goOn(): void {
    this.gate?.open();
  }

  private get ended(): boolean {
    return this.state === "stopped" || this.state === "over";
  }

  private end(): void {
    this.abort.abort();
    this.gate?.open();
  }

  private become(state: QueueState, sentence = ""): void {
    this.state = state;
    this.sentence = sentence;
    this.options.changed();
  }

  private count(item: Item): void {
    if (item.state === "here") this.hereCount++;
    if (item.state === "refused") this.refused.push(item);
  }

  private settle(item: Item, state: "here" | "refused", sentence = ""): void {
    item.state = state;
    item.sentence = sentence;
    item.inFlight = 0;
    this.count(item);
    this.options.changed(item);
  }

  /** The next file; or the next small ones, as many as go together. */
  private next(): Item[] {
    const taken: Item[] = [];
    let bytes = 0;
    for (; this.cursor < this.items.length && taken.length < BUNDLED; this.cursor++) {
      const item = this.items[this.cursor];
      if (item.state !== "waiting") continue;
      const small = !item.alone && !item.received && item.size <= BUNDLED_BYTES / 2;
      if (taken.length && (!small || bytes + item.size > BUNDLED_BYTES)) break;
      taken.push(item);
      bytes += item.size;
      if (!small) {
        this.cursor++;
        break;
      }
    }
    return taken;
  }

  private async lane(): Promise<void> {
    for (let items = this.next(); items.length && !this.ended; items = this.next()) {
      for (const item of items) item.state = "sending";
      this.options.changed(items[0]);
      await this.mark(items);
      let together = items.filter((item) => item.state === "sending");
      if (together.length > 1) together = await this.sendBundle(together);
      for (const item of together) if (item.state === "sending") await this.send(item);
      for (const item of items) {
        item.inFlight = 0;
        if (item.state === "sending") item.state = "waiting";
      }
    }
  }

  private async mark(items: Item[]): Promise<void> {
    for (const item of items) {
      try {
        item.mark ||= await this.transport.mark(item);
      } catch {
        this.settle(item, "refused", UNREADABLE);
      }
    }
  }

  /** Send small files together; returns those that must go one by one. */
  private async sendBundle(items: Item[]): Promise<Item[]> {
    while (!this.ended) {
      if (this.gate) {
        await this.gate.opened;
        continue;
      }
      const moved = (bytes: number): void => {
        let left = bytes;
        for (const item of items) left -= item.inFlight = Math.min(left, item.size);
        this.options.changed(items[0]);
      };
      const outcome = await this.transport.bundle(items, moved, this.abort.signal).catch(() => null);
      for (const item of items) item.inFlight = 0;
      if (this.ended) return [];
      if (outcome?.kind === "later" && !(await this.stillReadable(items))) return items;
      if (!outcome || outcome.kind === "refused") {
        for (const item of items) item.alone = true;
        return items;
      }
      if (outcome.kind === "taken") {
        for (const item of items) this.digest(item, { kind: "taken", received: item.size, whole: true });
        return [];
      }
      this.digest(items[0], outcome);
    }
    return [];
  }

  private async send(item: Item): Promise<void> {
    while (item.state === "sending" && !this.ended) {
      if (this.gate) {
        await this.gate.opened;
        continue;
      }
      const outcome = await this.sendPiece(item);
      item.inFlight = 0;
      if (this.ended || (outcome.kind === "later" && !(await this.stillReadable([item])))) return;
      this.digest(item, outcome);
    }
  }

  /** A file that was moved or changed meanwhile ends a request as a lost connection does: look at it before waiting. */
  private async stillReadable(items: Item[]): Promise<boolean> {
    let all = true;
    for (const item of items) {
      const mark = await this.transport.mark(item).catch(() => "");
      if (mark === item.mark) continue;
      all = false;
      this.settle(item, "refused", UNREADABLE);
    }
    return all;
  }

  private sendPiece(item: Item): Promise<Outcome> {
    const content = item.file.slice(item.received, item.received + this.options.pieceBytes);
    const moved = (bytes: number): void => {
      item.inFlight = Math.min(bytes, content.size);
      this.options.changed(item);
    };
    return this.transport.piece(item, content, moved, this.abort.signal);
  }

  private digest(item: Item, outcome: Outcome): void {
    if (outcome.kind === "taken" || outcome.kind === "elsewhere") this.recover();
    switch (outcome.kind) {
      case "taken":
        item.received = outcome.received;
        if (outcome.whole) this.settle(item, "here");
        break;
      case "elsewhere":
        item.received = Math.min(outcome.received, item.size);
        break;
      case "refused":
        this.settle(item, "refused", outcome.sentence);
        break;
      case "over":
        this.become("over", outcome.sentence);
        this.end();
        break;
      case "signed_out":
        this.close("signed_out", "You are signed out.", Infinity);
        break;
      case "later":
        this.close("lost", outcome.sentence, Math.min(FIRST_WAIT_MS * 2 ** this.failures, LONGEST_WAIT_MS));
        break;
      case "stopped":
        break;
    }
  }

  private recover(): void {
    this.failures = 0;
    if (this.state === "lost" && !this.gate) this.become("sending");
  }

  /** Let all lanes wait: for a while, or until `goOn`. Lanes that fail at the same time share one wait. */
  private close(state: "lost" | "signed_out", sentence: string, forMs: number): void {
    if (this.gate) return;
    this.failures++;
    let open = (): void => undefined;
    const opened = new Promise<void>((done) => (open = done));
    const waiting = new AbortController();
    const gate = {
      opened,
      open: () => {
        if (this.gate === gate) this.gate = null;
        waiting.abort();
        if (state === "signed_out" && !this.ended) this.become("sending");
        open();
      },
    };
    this.gate = gate;
    const now = this.options.now ?? Date.now;
    this.nextTryAt = now() + forMs;
    this.become(state, sentence);
    if (Number.isFinite(forMs)) void (this.options.wait ?? rest)(forMs, waiting.signal).then(gate.open);
  }
}

/** Wait for so long, or until the signal. */
export function rest(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      done();
    });
  });
}
