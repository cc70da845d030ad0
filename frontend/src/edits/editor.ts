/**
 * The mask under the reader's hands: strokes change the layers at once, and each finished stroke goes as an exact
 * delta first to the browser's log and then to the server. No DOM here, and no viewer.
 */
import { newUuid } from "./bytes";
import { DeltaConflict, encoding, parting, type SliceRuns } from "./delta";
import { EditHistory, type Step } from "./history";
import { carryOutAtOnce, type Operation } from "./operation";
import type { LayerName, Layers, Shape } from "./layers";
import type { Permit } from "./permit";
import { StrokeRecorder } from "./recorder";
import { sha256Hex } from "./sha256";
import type { NotKept, Stroke, StrokeLog } from "./strokelog";

/** What is larger is several strokes, undone as one; the server takes all of them or none. */
export const PART_BYTES = 1_000_000;
/** All parts of one edit together: the server takes no more (webapp/masks/parts.py). */
export const EDIT_BYTES = 32 * 2 ** 20;

/** Up to here an edit is made within a frame. */
const FEW_SLICES = 12;
const FEW_RUNS = 20_000;

/** An edit that nobody could store: nothing was changed. The text is a sentence for people. */
export class TooLarge extends Error {}

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
  /** The strokes of an edit are on this machine's disk; now they may be sent. */
  kept(...strokes: Stroke[]): void;
  /** The browser did not keep them: they are on this page and nowhere else. */
  unkept(strokes: readonly Stroke[], why: NotKept): void;
  historyMoved(): void;
  /** A step back does not fit the layers any more: they are not what the history remembers. */
  outdated(): void;
}

type Plane = Stroke["plane"];

export class Editor {
  private recorder: StrokeRecorder | null = null;
  private active: { layer: LayerName; tool: string; plane: Plane } | null = null;
  private chain: Promise<void> = Promise.resolve();
  private unwritten = 0;
  /** Ends at once the edit that is being made in small steps; null while there is none. */
  private toEnd: (() => void) | null = null;

  constructor(
    readonly layers: Layers,
    private readonly log: StrokeLog,
    private readonly writer: Writer,
    private sequence: number,
    private readonly events: EditorEvents,
    readonly history = new EditHistory(),
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

  /** An edit is being made in small steps: the layers hold a part of it. */
  get working(): boolean {
    return this.toEnd !== null;
  }

  /** Strokes that are finished but not on disk yet. */
  get writing(): boolean {
    return this.unwritten > 0;
  }

  begin(layer: LayerName, tool: string, plane: Plane, permit: Permit | null = null): void {
    this.settle();
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
    this.settle();
    const { recorder, active } = this;
    this.recorder = null;
    this.active = null;
    if (!recorder || !active) return null;
    const delta = recorder.finish();
    this.events.changed(active.layer, recorder.slices);
    if (!delta.length) return null;
    // It stands in the layers already, and no hand paints too much.
    const [stroke] = this.recordEdit(active.layer, active.tool, active.plane, carryOutAtOnce(inWriting(delta, Infinity)));
    return { stroke, delta };
  }

  /** An edit that is being made in small steps is made to its end now. */
  settle(): void {
    this.toEnd?.();
  }

  /** Makes an edit in small steps, and to its end even where the steps stop: others wait for it, or end it first. */
  private *alone<T>(work: Operation<T>): Operation<T> {
    this.settle();
    let outcome: { value: T } | { error: unknown } | null = null;
    const step = (): number => {
      try {
        const next = work.next();
        if (!next.done) return next.value;
        outcome = { value: next.value };
      } catch (error) {
        outcome = { error };
      }
      this.toEnd = null;
      return 1;
    };
    const toEnd = (): void => {
      while (!outcome) step();
    };
    this.toEnd = toEnd;
    try {
      while (!outcome) yield step();
    } finally {
      toEnd();
    }
    const ended = outcome as { value: T } | { error: unknown };
    if ("error" in ended) throw ended.error;
    return ended.value;
  }

  /** An edit worked out beforehand: its strokes, none when it changes nothing. Raises as `performing` does. */
  perform(layer: LayerName, tool: string, plane: Plane, delta: SliceRuns[]): Stroke[] {
    return carryOutAtOnce(this.performing(layer, tool, plane, delta));
  }

  /**
   * The same in small steps. Raises DeltaConflict when the layer has changed since, and TooLarge when the server would not
   * take it: nothing is changed then.
   */
  *performing(layer: LayerName, tool: string, plane: Plane, delta: SliceRuns[]): Operation<Stroke[]> {
    if (!delta.length || this.painting) return [];
    return yield* this.alone(this.performed(layer, tool, plane, delta));
  }

  private *performed(layer: LayerName, tool: string, plane: Plane, delta: SliceRuns[]): Operation<Stroke[]> {
    const parts = yield* inWriting(delta, EDIT_BYTES);
    yield* this.layers[layer].applying(delta);
    const strokes = this.recordEdit(layer, tool, plane, parts);
    this.events.changed(layer, delta.map((slice) => slice.z));
    return strokes;
  }

  private recordEdit(layer: LayerName, tool: string, plane: Plane, parts: readonly Written[]): Stroke[] {
    const strokes = this.record(layer, tool, plane, parts);
    this.history.push({ layer, parts: parts.map(({ delta }, n) => ({ id: strokes[n].id, delta })) });
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
    return carryOutAtOnce(this.stepping("undo"));
  }

  redo(): Stroke | null {
    return carryOutAtOnce(this.stepping("redo"));
  }

  /** In small steps; null where there is nothing to step back or on to. */
  *stepping(tool: Step["tool"]): Operation<Stroke | null> {
    if (this.painting) return null;
    return yield* this.alone(this.stepped(tool));
  }

  /** Whether the next step back or on takes longer than a frame, and so is better made in small steps. */
  isLarge(tool: Step["tool"]): boolean {
    const slices = this.history.next(tool)?.parts.flatMap((part) => part.delta) ?? [];
    return slices.length > FEW_SLICES || slices.reduce((sum, { runs }) => sum + runs.length / 3, 0) > FEW_RUNS;
  }

  private *stepped(tool: Step["tool"]): Operation<Stroke | null> {
    const step = tool === "undo" ? this.history.nextUndo() : this.history.nextRedo();
    if (!step) return null;
    // Looked at anew: an edit that was under way has been made to its end before this began.
    const parts = yield* written(step.parts);
    const delta = step.parts.flatMap((part) => part.delta);
    try {
      yield* this.layers[step.layer].applying(delta);
    } catch (error) {
      if (!(error instanceof DeltaConflict)) throw error;
      this.history.clear();
      this.events.historyMoved();
      this.events.outdated();
      return null;
    }
    const strokes = this.record(step.layer, step.tool, "none", parts);
    this.history.commit(step, strokes.map(({ id }) => id));
    this.events.changed(step.layer, delta.map((slice) => slice.z));
    this.events.historyMoved();
    return strokes[0];
  }

  /** The strokes of one edit carry one time, by which the log knows them again; they are kept together, or none is. */
  private record(layer: LayerName, tool: string, plane: Plane, parts: readonly Written[]): Stroke[] {
    const clientTime = new Date().toISOString();
    const { reading, reader, tab, epoch } = this.writer;
    const edit = parts.length > 1 ? newUuid() : undefined;
    const strokes = parts.map(({ undoes, payload, sha256 }): Stroke => ({
      id: newUuid(), reading, reader, layer, tool, plane, tab, epoch, sequence: ++this.sequence, clientTime, undoes, payload, sha256, ...(edit && { edit }),
    }));
    this.unwritten += strokes.length;
    this.chain = this.chain.then(() => this.keep(strokes));
    strokes.forEach((stroke) => this.events.recorded(stroke));
    return strokes;
  }

  /** Never fails: what the browser cannot keep must reach the server all the more. */
  private async keep(strokes: Stroke[]): Promise<void> {
    const failed = await this.log.keep(...strokes).then(() => null, (error: NotKept) => error);
    this.unwritten -= strokes.length;
    if (failed) this.events.unkept(strokes, failed);
    else this.events.kept(...strokes);
  }

  /** Resolves when every finished stroke is on disk (or has failed to be). */
  async flushed(): Promise<void> {
    await this.chain;
  }
}

/** A part of an edit as it will be sent. */
interface Written {
  undoes: string | null;
  delta: SliceRuns[];
  payload: Uint8Array;
  sha256: string;
}

/** A new edit in parts. Raises TooLarge where they come to more than `most` bytes. */
function* inWriting(delta: SliceRuns[], most: number): Operation<Written[]> {
  const parts = yield* parting(delta, PART_BYTES, (bytes) => {
    if (bytes > most) throw new TooLarge(tooLarge(most));
  });
  return yield* written(parts.map((part) => ({ undoes: null, delta: part })));
}

function* written(parts: readonly { undoes: string | null; delta: SliceRuns[] }[]): Operation<Written[]> {
  const done: Written[] = [];
  for (const part of parts) {
    const payload = yield* encoding(part.delta);
    done.push({ ...part, payload, sha256: sha256Hex(payload) });
    yield done.length / parts.length;
  }
  return done;
}

const tooLarge = (most: number): string =>
  `This edit has more borders than can be stored as one (${Math.round(most / 2 ** 20)} MB): nothing was changed. Narrow the range, leave out small islands, or work through fewer slices at a time.`;
