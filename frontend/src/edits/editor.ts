/**
 * The mask under the reader's hands: strokes change the layers at once, and each finished stroke goes as an exact
 * delta first to the browser's log and then to the server. No DOM here, and no viewer.
 */
import { newUuid } from "./bytes";
import { DeltaConflict, encodeDelta, inParts, type SliceRuns } from "./delta";
import { EditHistory, type Step } from "./history";
import type { LayerName, Layers, Shape } from "./layers";
import type { Permit } from "./permit";
import { StrokeRecorder } from "./recorder";
import { sha256Hex } from "./sha256";
import type { NotKept, Stroke, StrokeLog } from "./strokelog";

/** What is larger goes as several strokes, undone as one: the server takes 8 MiB, and each is soon acknowledged. */
export const PART_BYTES = 1_000_000;

export interface Writer {
  reading: string;
  reader: string;
  tab: string;
  epoch: number;
}

export interface EditorEvents {
  /** Slices of a layer hold other voxels than before. */
  changed(layer: LayerName, slices: readonly number[]): void;
  /** The layers hold this stroke from now on; it is on its way to the disk. */
  recorded(stroke: Stroke): void;
  /** The stroke is on this machine's disk; now it may be sent. */
  kept(stroke: Stroke): void;
  /** The browser did not keep the stroke: it is on this page and nowhere else. */
  unkept(stroke: Stroke, why: NotKept): void;
  historyMoved(): void;
  /** A step back does not fit the layers any more: they are not what the history remembers. */
  outdated(): void;
}

type Plane = Stroke["plane"];

export class Editor {
  readonly history = new EditHistory();
  private recorder: StrokeRecorder | null = null;
  private active: { layer: LayerName; tool: string; plane: Plane } | null = null;
  private chain: Promise<void> = Promise.resolve();
  private unwritten = 0;

  constructor(
    readonly layers: Layers,
    private readonly log: StrokeLog,
    private readonly writer: Writer,
    private sequence: number,
    private readonly events: EditorEvents,
  ) {}

  get lastSequence(): number {
    return this.sequence;
  }

  /** The lease was taken anew: strokes from now on carry its epoch. */
  setEpoch(epoch: number): void {
    this.writer.epoch = epoch;
  }

  get shape(): Shape {
    return this.layers.findings.shapeZyx;
  }

  get painting(): boolean {
    return this.recorder !== null;
  }

  /** Strokes that are finished but not on disk yet. */
  get writing(): boolean {
    return this.unwritten > 0;
  }

  begin(layer: LayerName, tool: string, plane: Plane, permit: Permit | null = null): void {
    this.recorder = new StrokeRecorder(this.layers[layer], permit);
    this.active = { layer, tool, plane };
  }

  /** Sets a run of voxels of an axial slice while a stroke is on; returns whether anything changed. */
  fill(z: number, from: number, to: number, value: number): boolean {
    return this.recorder?.fill(z, from, to, value) ?? false;
  }

  /** Tells the listeners which slices the stroke has touched so far. */
  report(): void {
    if (this.recorder && this.active) this.events.changed(this.active.layer, this.recorder.slices);
  }

  /** Ends the stroke; null when it changed nothing. */
  finish(): { stroke: Stroke; delta: SliceRuns[] } | null {
    const { recorder, active } = this;
    this.recorder = null;
    this.active = null;
    if (!recorder || !active) return null;
    const delta = recorder.finish();
    this.events.changed(active.layer, recorder.slices);
    if (!delta.length) return null;
    const [stroke] = this.done(active.layer, active.tool, active.plane, delta);
    return { stroke, delta };
  }

  /** An edit worked out beforehand: its strokes, none when it changes nothing. Raises DeltaConflict when the layer has changed since. */
  perform(layer: LayerName, tool: string, plane: Plane, delta: SliceRuns[]): Stroke[] {
    if (!delta.length || this.painting) return [];
    this.layers[layer].apply(delta);
    const strokes = this.done(layer, tool, plane, delta);
    this.events.changed(layer, delta.map((slice) => slice.z));
    return strokes;
  }

  private done(layer: LayerName, tool: string, plane: Plane, delta: SliceRuns[]): Stroke[] {
    const parts = inParts(delta, PART_BYTES);
    const strokes = this.record(layer, tool, plane, parts.map((part) => ({ undoes: null, delta: part })));
    this.history.push({ layer, parts: parts.map((part, n) => ({ id: strokes[n].id, delta: part })) });
    this.events.historyMoved();
    return strokes;
  }

  cancel(): void {
    const { recorder, active } = this;
    this.recorder = null;
    this.active = null;
    if (!recorder || !active) return;
    recorder.revert();
    this.events.changed(active.layer, recorder.slices);
  }

  undo(): Stroke | null {
    return this.step(this.history.nextUndo());
  }

  redo(): Stroke | null {
    return this.step(this.history.nextRedo());
  }

  private step(step: Step | null): Stroke | null {
    if (!step || this.painting) return null;
    const delta = step.parts.flatMap((part) => part.delta);
    try {
      this.layers[step.layer].apply(delta);
    } catch (error) {
      if (!(error instanceof DeltaConflict)) throw error;
      this.history.clear();
      this.events.historyMoved();
      this.events.outdated();
      return null;
    }
    const strokes = this.record(step.layer, step.tool, "none", step.parts);
    this.history.commit(step, strokes.map(({ id }) => id));
    this.events.changed(step.layer, delta.map((slice) => slice.z));
    this.events.historyMoved();
    return strokes[0];
  }

  /** The strokes of one edit carry one time, by which the log knows them again. */
  private record(layer: LayerName, tool: string, plane: Plane, parts: readonly { undoes: string | null; delta: SliceRuns[] }[]): Stroke[] {
    const clientTime = new Date().toISOString();
    const { reading, reader, tab, epoch } = this.writer;
    return parts.map(({ undoes, delta }) => {
      const payload = encodeDelta(delta);
      const stroke: Stroke = {
        id: newUuid(), reading, reader, layer, tool, plane, tab, epoch, sequence: ++this.sequence, clientTime, undoes, payload, sha256: sha256Hex(payload),
      };
      this.unwritten++;
      this.chain = this.chain.then(() => this.keep(stroke));
      this.events.recorded(stroke);
      return stroke;
    });
  }

  /** Never fails: what the browser cannot keep must reach the server all the more. */
  private async keep(stroke: Stroke): Promise<void> {
    const failed = await this.log.keep(stroke).then(() => null, (error: NotKept) => error);
    this.unwritten--;
    if (failed) this.events.unkept(stroke, failed);
    else this.events.kept(stroke);
  }

  /** Resolves when every finished stroke is on disk (or has failed to be). */
  async flushed(): Promise<void> {
    await this.chain;
  }
}
