/**
 * Sends strokes to the server in order, in batches, until each is acknowledged. A stroke leaves the browser's log
 * only on the server's answer; the same stroke sent twice is one stroke, by its id.
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
  | { kind: "refused"; sentence: string };

export type SaveState =
  | { kind: "saved"; at: string | null }
  | { kind: "saving"; count: number }
  | { kind: "offline"; count: number }
  | { kind: "signed_out"; count: number }
  | { kind: "refused"; count: number; sentence: string };

export interface QueueEvents {
  state(state: SaveState): void;
  acknowledged(result: StrokeResult, stroke: Stroke, mask: StrokesAnswer["mask"]): void;
}

const BATCH = 40;
const BATCH_BYTES = 1_500_000;
const WAITS_MS = [400, 800, 1500, 3000, 6000, 10000];

export function toWire(stroke: Stroke): Record<string, unknown> {
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
    payload: toBase64(stroke.payload),
    payload_sha256: stroke.sha256,
  };
}

export class SaveQueue {
  private waiting: Stroke[] = [];
  private sending = false;
  private halted: SaveState | null = null;
  private failures = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private lastSaved: string | null = null;

  constructor(
    private readonly log: StrokeLog,
    private readonly post: (strokes: Record<string, unknown>[]) => Promise<Outcome>,
    private readonly events: QueueEvents,
  ) {}

  get size(): number {
    return this.waiting.length;
  }

  /** The stroke must already be in the log. */
  add(...strokes: Stroke[]): void {
    this.waiting.push(...strokes);
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
    if (this.halted) this.events.state({ ...this.halted, count } as SaveState);
    else if (!count) this.events.state({ kind: "saved", at: this.lastSaved });
    else this.events.state(this.failures ? { kind: "offline", count } : { kind: "saving", count });
  }

  private nextBatch(): Stroke[] {
    let bytes = 0;
    const batch: Stroke[] = [];
    for (const stroke of this.waiting) {
      bytes += stroke.payload.length;
      if (batch.length && (batch.length === BATCH || bytes > BATCH_BYTES)) break;
      batch.push(stroke);
    }
    return batch;
  }

  private async pump(): Promise<void> {
    this.tell();
    if (this.sending || this.halted || !this.waiting.length) return;
    this.sending = true;
    this.stopTimer();
    const batch = this.nextBatch();
    const outcome = await this.post(batch.map(toWire)).catch((): Outcome => ({ kind: "offline" }));
    if (outcome.kind === "ok") await this.settle(batch, outcome.answer);
    this.sending = false;
    if (outcome.kind === "ok") {
      void this.pump();
    } else if (outcome.kind === "offline") {
      const wait = WAITS_MS[Math.min(this.failures++, WAITS_MS.length - 1)];
      this.timer = setTimeout(() => void this.pump(), wait);
      this.tell();
    } else {
      const count = this.waiting.length;
      this.halted = outcome.kind === "signed_out" ? { kind: "signed_out", count } : { kind: "refused", count, sentence: outcome.sentence };
      this.tell();
    }
  }

  private async settle(batch: Stroke[], answer: StrokesAnswer): Promise<void> {
    this.failures = 0;
    const results = new Map(answer.results.map((result) => [result.id, result]));
    const done = batch.filter((stroke) => results.has(stroke.id));
    await this.log.forget(done).catch(() => undefined);
    this.waiting = this.waiting.filter((stroke) => !results.has(stroke.id));
    for (const stroke of done) {
      const result = results.get(stroke.id)!;
      this.lastSaved = result.server_time ?? this.lastSaved;
      this.events.acknowledged(result, stroke, answer.mask);
    }
    if (!done.length) this.failures++;
  }
}
