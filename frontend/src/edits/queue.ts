/**
 * Sends strokes to the server in order, in batches, until each is acknowledged. A stroke leaves the browser's log
 * only on the server's answer; the same stroke sent twice is one stroke, by its id. One that the server will never take
 * is set aside, so that those behind it go on. The strokes of one edit go together, and where they are too large for one
 * request, their payloads go ahead, one by one: the server says which it has not.
 */
import { toBase64 } from "./bytes";
import type { Stroke, StrokeLog } from "./strokelog";

export interface StrokeResult {
  id: string;
  status: "applied" | "duplicate" | "branched";
  stroke_sequence: number | null;
  server_time: string;
  sentence?: string;
}

export interface StrokesAnswer {
  results: StrokeResult[];
  mask: { stroke_sequence: number; head_hash: string };
}

/** What became of one request, in the queue's words; the api folder maps HTTP onto it. */
export type Outcome =
  | { kind: "ok"; answer: StrokesAnswer }
  | { kind: "offline" }
  | { kind: "signed_out" }
  /** The payloads of these hashes must be sent ahead. */
  | { kind: "parts"; hashes: string[] }
  /** `stroke`: the one that it is about; without, the server takes none of this reading's. */
  | { kind: "refused"; sentence: string; stroke?: string }
  /** More than some server on the way lets through at once. */
  | { kind: "too_large"; sentence: string };

interface Waiting {
  count: number;
  /** Of those, strokes that are on this page alone: the browser could not keep them. */
  loose?: number;
}

export type SaveState =
  | { kind: "saved"; at: string | null }
  | ({ kind: "saving" } & Waiting)
  | ({ kind: "offline" } & Waiting)
  | ({ kind: "signed_out" } & Waiting)
  | ({ kind: "refused"; sentence: string } & Waiting);

export interface QueueEvents {
  state(state: SaveState): void;
  acknowledged(result: StrokeResult, stroke: Stroke, mask: StrokesAnswer["mask"]): void;
  /** The server will not have this stroke. It is in the browser's log, marked. */
  setAside(stroke: Stroke, sentence: string): void;
}

const BATCH = 40;
const BATCH_BYTES = 1_500_000;
const WAITS_MS = [400, 800, 1500, 3000, 6000, 10000];

/** `ahead`: its payload is sent, or was sent, by itself. */
export function toWire(stroke: Stroke, ahead = false): Record<string, unknown> {
  return {
    id: stroke.id,
    layer: stroke.layer,
    tool: stroke.tool,
    plane: stroke.plane,
    tab: stroke.tab,
    epoch: stroke.epoch,
    sequence: stroke.sequence,
    client_time: stroke.clientTime,
    undoes: stroke.undoes,
    edit: stroke.edit ?? null,
    payload: ahead ? null : toBase64(stroke.payload),
    payload_sha256: stroke.sha256,
  };
}

/** A payload that goes ahead of its stroke. */
export interface Part {
  payload: string;
  payload_sha256: string;
  /** Keeps the lease while many parts go. */
  tab: string;
}

export class SaveQueue {
  private waiting: Stroke[] = [];
  private sending = false;
  private halted: { kind: "signed_out" } | { kind: "refused"; sentence: string } | null = null;
  private failures = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private lastSaved: string | null = null;
  /** How many go at once, at most: less where a server on the way takes less. */
  private limit = BATCH;
  /** Where a server on the way takes little at once, the payloads of every large edit go ahead. */
  private alwaysAhead = false;

  constructor(
    private readonly log: StrokeLog,
    private readonly post: (strokes: Record<string, unknown>[]) => Promise<Outcome>,
    private readonly events: QueueEvents,
    private readonly postPart: (part: Part) => Promise<"ok" | Outcome>,
  ) {}

  get size(): number {
    return this.waiting.length;
  }

  /** What has not been acknowledged yet, in order. */
  get pending(): readonly Stroke[] {
    return this.waiting;
  }

  /** The stroke should be in the log already; where the browser cannot keep it, it is sent all the more. */
  add(...strokes: Stroke[]): void {
    const known = new Set(this.waiting.map(({ id }) => id));
    this.waiting.push(...strokes.filter(({ id }) => !known.has(id)));
    // While the server is away its next try is set already: painting on must not hurry it.
    if (this.timer === undefined) void this.pump();
    else this.tell();
  }

  /** Tries at once: the network came back, or someone signed in again. */
  resume(): void {
    this.halted = null;
    this.failures = 0;
    this.stopTimer();
    void this.pump();
  }

  private stopTimer(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  /** Resolves when nothing waits any more, or when sending has stopped for a reason that waiting will not mend. */
  async settled(limitMs = 15000): Promise<boolean> {
    const end = Date.now() + limitMs;
    while ((this.waiting.length || this.sending) && !this.halted && Date.now() < end) await new Promise((done) => setTimeout(done, 25));
    return this.waiting.length === 0;
  }

  private tell(): void {
    const count = this.waiting.length;
    const loose = this.waiting.filter(({ key }) => key === undefined).length;
    const waiting: Waiting = loose ? { count, loose } : { count };
    if (!count) this.events.state({ kind: "saved", at: this.lastSaved });
    else if (this.halted) this.events.state({ ...this.halted, ...waiting });
    else this.events.state({ kind: this.failures ? "offline" : "saving", ...waiting });
  }

  private nextBatch(): Stroke[] {
    let bytes = 0;
    const batch: Stroke[] = [];
    for (const stroke of this.waiting) {
      // The strokes of one edit, and no others with them.
      const [first] = batch;
      if (first && (first.edit !== stroke.edit || (!first.edit && batch.length >= this.limit))) break;
      bytes += stroke.payload.length;
      if (first && !first.edit && bytes > BATCH_BYTES) break;
      batch.push(stroke);
    }
    return batch;
  }

  private goesAhead(batch: readonly Stroke[]): boolean {
    return !!batch[0].edit && (this.alwaysAhead || batch.reduce((sum, { payload }) => sum + payload.length, 0) > BATCH_BYTES);
  }

  /** Sends a batch; of an edit whose payloads go ahead, first those that the server has not. */
  private async send(batch: readonly Stroke[]): Promise<Outcome> {
    const ahead = this.goesAhead(batch);
    const wires = batch.map((stroke) => toWire(stroke, ahead));
    const outcome = await this.post(wires);
    if (outcome.kind !== "parts") return outcome;
    for (const stroke of batch.filter(({ sha256 }) => outcome.hashes.includes(sha256))) {
      const sent = await this.postPart({ payload: toBase64(stroke.payload), payload_sha256: stroke.sha256, tab: stroke.tab });
      // About the part alone: none of the edit goes without it.
      if (sent !== "ok") return sent.kind === "refused" ? { ...sent, stroke: stroke.id } : sent;
    }
    return this.post(wires);
  }

  private async pump(): Promise<void> {
    this.tell();
    if (this.sending || this.halted || !this.waiting.length) return;
    this.sending = true;
    this.stopTimer();
    const batch = this.nextBatch();
    let going = false;
    try {
      going = await this.take(batch, await this.send(batch));
    } catch (error) {
      // Whatever went wrong, the strokes are still here and will be sent again.
      console.error(error);
    } finally {
      this.sending = false;
    }
    if (going) void this.pump();
    else if (this.halted) this.tell();
    else this.later();
  }

  /** What became of a batch; whether to go on at once. */
  private async take(batch: Stroke[], outcome: Outcome): Promise<boolean> {
    switch (outcome.kind) {
      case "ok":
        return this.settle(batch, outcome.answer);
      case "signed_out":
        this.halted = { kind: "signed_out" };
        return false;
      case "too_large":
        if (batch[0].edit && !this.goesAhead(batch)) this.alwaysAhead = true;
        else if (!batch[0].edit && batch.length > 1) this.limit = Math.ceil(batch.length / 2);
        else for (const stroke of batch) await this.putAside(stroke, outcome.sentence);
        return true;
      case "refused": {
        const bad = batch.find(({ id }) => id === outcome.stroke);
        // An edit stays whole.
        for (const stroke of bad?.edit ? batch : bad ? [bad] : []) await this.putAside(stroke, outcome.sentence);
        if (!bad) this.halted = { kind: "refused", sentence: outcome.sentence };
        return !!bad;
      }
      default:
        return false;
    }
  }

  private later(): void {
    const wait = WAITS_MS[Math.min(this.failures++, WAITS_MS.length - 1)];
    this.stopTimer();
    this.timer = setTimeout(() => {
      this.timer = undefined;
      void this.pump();
    }, wait);
    this.tell();
  }

  private async putAside(stroke: Stroke, sentence: string): Promise<void> {
    await this.log.setAside(stroke, sentence).catch(() => undefined);
    this.waiting = this.waiting.filter(({ id }) => id !== stroke.id);
    quietly(() => this.events.setAside(stroke, sentence));
  }

  /** Whether the answer named any of the batch. */
  private async settle(batch: Stroke[], answer: StrokesAnswer): Promise<boolean> {
    const results = new Map(answer.results.map((result) => [result.id, result]));
    const done = batch.filter((stroke) => results.has(stroke.id));
    if (!done.length) return false;
    this.failures = 0;
    await this.log.forget(done).catch(() => undefined);
    this.waiting = this.waiting.filter((stroke) => !results.has(stroke.id));
    for (const stroke of done) {
      const result = results.get(stroke.id)!;
      this.lastSaved = result.server_time ?? this.lastSaved;
      quietly(() => this.events.acknowledged(result, stroke, answer.mask));
    }
    return true;
  }
}

/** A listener's trouble is its own: the strokes behind must not wait for it. */
function quietly(work: () => void): void {
  try {
    work();
  } catch (error) {
    console.error(error);
  }
}
