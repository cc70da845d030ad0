/**
 * The film of a mask: its strokes one after the other, forwards and backwards, on layers of its own. On the way it leaves
 * marks, whole states packed small, so that a place once passed is reached again without all the strokes before it.
 */
import { decoding, voxelsOn, type SliceRuns } from "./delta";
import type { Layer, LayerName, Layers } from "./layers";
import type { Operation } from "./operation";

export interface Frame {
  layer: LayerName;
  /** GGD1 bytes. */
  payload: Uint8Array;
}

/** What a stroke costs beside its voxels, in voxels. */
const STROKE_COST = 3000;
/** Between two marks. */
const MARK_COST = 1e7;
/** To go back to a mark. */
const RETURN_COST = 2e6;
/** All marks together; slices that did not change between two of them count once. */
const MARK_BYTES = 96 * 2 ** 20;
const LAYERS = ["anatomy", "findings"] as const;

/** Where the label changes, with the label from there on: place * 256 + label. Empty slices are null. */
type Packed = Uint32Array | null;
type Mark = readonly Packed[];

export type Changed = Record<LayerName, Set<number>>;

export class Film {
  private at: number;
  private readonly marks = new Map<number, Mark>();
  private markBytes = 0;
  private readonly markPlaces = new Set<number>();
  /** What each stroke costs, summed up to each position. */
  private readonly costs: Float64Array;
  /** The slice on which each stroke changed most, once known; -1 before. */
  private readonly mainSlices: Int32Array;
  /** As what each slice is packed already, first anatomy, then findings; undefined where it is not. */
  private readonly known: (Packed | undefined)[];

  /** `layers` is the state after `position` strokes, and belongs to the film. `voxels`: how many each stroke changes. */
  constructor(
    readonly layers: Layers,
    position: number,
    voxels: readonly number[],
  ) {
    this.at = position;
    this.costs = new Float64Array(voxels.length + 1);
    this.mainSlices = new Int32Array(voxels.length).fill(-1);
    this.known = new Array<undefined>(2 * layers.anatomy.slices.length).fill(undefined);
    for (const [n, count] of voxels.entries()) {
      this.costs[n + 1] = this.costs[n] + count + STROKE_COST;
      if (Math.floor(this.costs[n + 1] / MARK_COST) > Math.floor(this.costs[n] / MARK_COST)) this.markPlaces.add(n + 1);
    }
  }

  get position(): number {
    return this.at;
  }

  get length(): number {
    return this.mainSlices.length;
  }

  /** The voxels of the way between two positions, and what the strokes cost beside them. */
  private between(a: number, b: number): number {
    return Math.abs(this.costs[a] - this.costs[b]);
  }

  /** From where `wanted` is reached with the least work, the film's own position or a mark, and with how much. */
  wayTo(wanted: number): { from: number; cost: number } {
    let best = { from: this.at, cost: this.between(this.at, wanted) };
    for (const place of this.marks.keys()) {
      const cost = RETURN_COST + this.between(place, wanted);
      if (cost < best.cost) best = { from: place, cost };
    }
    return best;
  }

  /** Back to a mark. */
  *goBack(place: number, changed: Changed): Operation<void> {
    const mark = this.marks.get(place)!;
    for (const [n, packed] of mark.entries()) {
      if (this.known[n] === packed) continue;
      const [layer, z] = this.slice(n);
      unpack(packed, layer, z);
      this.known[n] = packed;
      changed[LAYERS[n < layer.slices.length ? 0 : 1]].add(z);
      yield n / mark.length;
    }
    this.at = place;
  }

  /** Stroke by stroke to a position. `frameOf`: stroke n, counted from 0; those between must be at hand. */
  *travel(wanted: number, frameOf: (n: number) => Frame, changed: Changed): Operation<void> {
    const from = this.at;
    yield* this.mark();
    while (this.at !== wanted) {
      const backwards = this.at > wanted;
      const n = backwards ? this.at - 1 : this.at;
      const frame = frameOf(n);
      const delta = yield* decoding(frame.payload, this.layers.findings.shapeZyx);
      yield* this.layers[frame.layer].applying(delta, backwards);
      this.mainSlices[n] = mainSlice(delta);
      const first = frame.layer === "anatomy" ? 0 : this.layers.anatomy.slices.length;
      for (const { z } of delta) {
        changed[frame.layer].add(z);
        this.known[first + z] = undefined;
      }
      this.at = backwards ? n : n + 1;
      yield* this.mark();
      yield (this.at - from) / (wanted - from);
    }
  }

  /** Another state takes the place of the present one: that after `position` strokes, worked out elsewhere. */
  replace(layers: Layers, position: number, changed: Changed): void {
    for (const name of LAYERS) {
      layers[name].slices.forEach((slice, z) => {
        if (slice || this.layers[name].slices[z]) changed[name].add(z);
        this.layers[name].slices[z] = slice;
      });
    }
    this.known.fill(undefined);
    this.at = position;
  }

  private slice(n: number): [Layer, number] {
    const { anatomy, findings } = this.layers;
    return n < anatomy.slices.length ? [anatomy, n] : [findings, n - anatomy.slices.length];
  }

  /** Leaves a mark here: the way to this place was long. */
  remember(): Operation<void> {
    this.markPlaces.add(this.at);
    return this.mark();
  }

  /** Remembers the present state where one is to be remembered; only slices that changed since are looked through. */
  private *mark(): Operation<void> {
    const { at, known } = this;
    if (!this.markPlaces.has(at) || this.marks.has(at) || this.markBytes > MARK_BYTES) return;
    for (let n = 0; n < known.length; n++) {
      if (known[n] !== undefined) continue;
      const [layer, z] = this.slice(n);
      const packed = pack(layer.slices[z]);
      known[n] = packed;
      this.markBytes += packed?.byteLength ?? 0;
      yield 0;
    }
    this.marks.set(at, known.slice() as Packed[]);
  }

  /** The slice on which the stroke before `position` changed most; null at the beginning. */
  *sliceOf(position: number, frameOf: (n: number) => Frame): Operation<number | null> {
    const n = position - 1;
    if (n < 0) return null;
    if (this.mainSlices[n] < 0) this.mainSlices[n] = mainSlice(yield* decoding(frameOf(n).payload, this.layers.findings.shapeZyx));
    return this.mainSlices[n];
  }

  /** Whether `sliceOf` needs the stroke itself. */
  needsStrokeOf(position: number): boolean {
    return position > 0 && this.mainSlices[position - 1] < 0;
  }
}

export const nothingChanged = (): Changed => ({ anatomy: new Set(), findings: new Set() });

function mainSlice(delta: readonly SliceRuns[]): number {
  let [best, most] = [delta[0].z, 0];
  for (const slice of delta) {
    const voxels = voxelsOn(slice);
    if (voxels > most) [best, most] = [slice.z, voxels];
  }
  return best;
}

/** Grows as it is filled, and serves one slice after the other. */
let scratch = new Uint32Array(4096);

export function pack(slice: Uint8Array | null): Packed {
  if (!slice) return null;
  // Four voxels at a time: most of a slice is one label after the same.
  const words = slice.byteOffset % 4 || slice.length % 4 ? null : new Uint32Array(slice.buffer, slice.byteOffset, slice.length / 4);
  let found = 0;
  let label = 0;
  let alike = 0;
  for (let i = 0; i < slice.length; ) {
    if (words && (i & 3) === 0) {
      let word = i >> 2;
      while (word < words.length && words[word] === alike) word++;
      i = word << 2;
      if (i === slice.length) break;
    }
    if (slice[i] !== label) {
      label = slice[i];
      alike = (label * 0x01010101) >>> 0;
      if (found === scratch.length) {
        const larger = new Uint32Array(2 * found);
        larger.set(scratch);
        scratch = larger;
      }
      scratch[found++] = i * 256 + label;
    }
    i++;
  }
  return found ? scratch.slice(0, found) : null;
}

function unpack(packed: Packed, layer: Layer, z: number): void {
  if (!packed) return void (layer.slices[z] = null);
  const slice = layer.writable(z);
  let from = 0;
  let label = 0;
  for (const entry of packed) {
    const to = entry >>> 8;
    slice.fill(label, from, to);
    from = to;
    label = entry & 255;
  }
  slice.fill(label, from);
}
