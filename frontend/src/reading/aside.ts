/** Strokes that the server will not have: kept in this browser, shown, and the reader's to try again, take away or drop. */
import { toWire, type SaveQueue } from "../edits/queue";
import type { Stroke, StrokeLog } from "../edits/strokelog";
import * as state from "../state";

export class Aside {
  constructor(
    private readonly log: StrokeLog,
    private readonly queue: SaveQueue,
  ) {}

  add(...strokes: Stroke[]): void {
    const known = new Set(state.setAside.value.map(({ id }) => id));
    const fresh = strokes.filter(({ id }) => !known.has(id));
    if (fresh.length) state.setAside.value = [...state.setAside.value, ...fresh];
  }

  private empty(): readonly Stroke[] {
    const strokes = state.setAside.value;
    state.setAside.value = [];
    return strokes;
  }

  /** Whatever was wrong may have been mended; what is refused again comes back here. */
  tryAgain(): void {
    const strokes = this.empty();
    strokes.forEach((stroke) => delete stroke.refused);
    this.queue.add(...strokes);
  }

  /** They cannot be had again. */
  async drop(): Promise<void> {
    await this.log.forget(this.empty());
  }

  /** They and what else waits, as it would be sent: for whoever looks into why. */
  asFile(reading: string): Blob {
    const strokes = [...state.setAside.value, ...this.queue.pending].map((stroke) => ({ ...toWire(stroke), refused: stroke.refused }));
    return new Blob([JSON.stringify({ reading, strokes })], { type: "application/json" });
  }
}
