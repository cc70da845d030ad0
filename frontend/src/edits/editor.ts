/**
 * The mask under the reader's hands: strokes change the layers at once, and each finished stroke goes as an exact
 * delta first to the browser's log and then to the server. No DOM here, and no viewer.
 */
import { newUuid } from "./bytes";
import { encodeDelta, type SliceRuns } from "./delta";
import { EditHistory, type Step } from "./history";
import type { LayerName, Layers, Shape } from "./layers";
import type { Permit } from "./permit";
import { StrokeRecorder } from "./recorder";
import { sha256Hex } from "./sha256";
import { StorageFull, type Stroke, type StrokeLog } from "./strokelog";

export interface Writer {
  reading: string;
  tab: string;
  epoch: number;
}

export interface EditorEvents {
  /** Slices of a layer hold other voxels than before. */
  changed(layer: LayerName, slices: readonly number[]): void;
  /** The stroke is on this machine's disk; now it may be sent. */
  kept(stroke: Stroke): void;
  historyMoved(): void;
  storageFull(): void;
}

export class Editor {
  readonly history = new EditHistory();
  private recorder: StrokeRecorder | null = null;
  private active: { layer: LayerName; tool: string; plane: Stroke["plane"] } | null = null;
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

  begin(layer: LayerName, tool: string, plane: Stroke["plane"], permit: Permit | null = null): void {
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
    const stroke = this.record(active.layer, active.tool, active.plane, null, delta);
    this.history.push({ id: stroke.id, layer: active.layer, delta });
    this.events.historyMoved();
    return { stroke, delta };
  }

  /** An edit worked out beforehand, as one stroke. Raises DeltaConflict when the layer has changed since. */
  perform(layer: LayerName, tool: string, plane: Stroke["plane"], delta: SliceRuns[]): Stroke | null {
    if (!delta.length || this.painting) return null;
    this.layers[layer].apply(delta);
    const stroke = this.record(layer, tool, plane, null, delta);
    this.history.push({ id: stroke.id, layer, delta });
    this.events.changed(layer, delta.map((slice) => slice.z));
    this.events.historyMoved();
    return stroke;
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
    this.layers[step.layer].apply(step.delta);
    const stroke = this.record(step.layer, step.tool, "none", step.undoes, step.delta);
    this.history.commit(step, stroke.id);
    this.events.changed(step.layer, step.delta.map((slice) => slice.z));
    this.events.historyMoved();
    return stroke;
  }

  private record(layer: LayerName, tool: string, plane: Stroke["plane"], undoes: string | null, delta: SliceRuns[]): Stroke {
    const payload = encodeDelta(delta);
    const stroke: Stroke = {
      id: newUuid(),
      reading: this.writer.reading,
      layer,
      tool,
      plane,
      tab: this.writer.tab,
      epoch: this.writer.epoch,
      sequence: ++this.sequence,
      clientTime: new Date().toISOString(),
      undoes,
      payload,
      sha256: sha256Hex(payload),
    };
    this.unwritten++;
    this.chain = this.chain.then(() => this.keep(stroke));
    this.chain.catch(() => undefined);
    return stroke;
  }

  private async keep(stroke: Stroke): Promise<void> {
    try {
      await this.log.keep(stroke);
      this.unwritten--;
      this.events.kept(stroke);
    } catch (error) {
      if (!(error instanceof StorageFull)) console.error(error);
      this.events.storageFull();
      // What follows in this chain must not be kept either: it was drawn over what is lost.
      throw error;
    }
  }

  /** Resolves when every finished stroke is on disk (or has failed to be). */
  async flushed(): Promise<void> {
    await this.chain.catch(() => undefined);
  }
}
