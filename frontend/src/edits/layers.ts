/** The two layers of a mask on the scan's grid: sparse slices, null where a slice was never touched (all zero). */
import { DeltaConflict, type SliceRuns } from "./delta";
import { carryOutAtOnce, type Operation } from "./operation";

export type LayerName = "anatomy" | "findings";
export type Shape = readonly [nz: number, ny: number, nx: number];

/** Shorter runs are written faster one by one. */
const FEW_VOXELS = 16;

/** Whether a slice (null: all zero) holds what a delta says it held, or `backwards` what it has made of it. */
function fits(slice: Uint8Array | null, runs: Int32Array, backwards: boolean): boolean {
  for (let r = 0; r < runs.length; r += 3) {
    const label = backwards ? runs[r + 2] & 255 : runs[r + 2] >> 8;
    const end = runs[r] + runs[r + 1];
    if (!slice) {
      if (label) return false;
    } else for (let i = runs[r]; i < end; i++) if (slice[i] !== label) return false;
  }
  return true;
}

export class Layer {
  readonly slices: (Uint8Array | null)[];
  readonly sliceSize: number;

  constructor(readonly shapeZyx: Shape) {
    this.slices = new Array<Uint8Array | null>(shapeZyx[0]).fill(null);
    this.sliceSize = shapeZyx[1] * shapeZyx[2];
  }

  writable(z: number): Uint8Array {
    return (this.slices[z] ??= new Uint8Array(this.sliceSize));
  }

  at(i: number, j: number, k: number): number {
    return this.slices[k]?.[j * this.shapeZyx[2] + i] ?? 0;
  }

  /** Applies all or nothing: a voxel that does not hold its old label raises DeltaConflict first. */
  apply(delta: readonly SliceRuns[]): void {
    carryOutAtOnce(this.applying(delta));
  }

  /**
   * The same slice by slice; `backwards` takes the delta back. Nobody else may change the layer meanwhile. Everything is
   * looked at before anything is written; stopped in between, part of it stands.
   */
  *applying(delta: readonly SliceRuns[], backwards = false): Operation<void> {
    for (const [n, { z, runs }] of delta.entries()) {
      if (!fits(this.slices[z], runs, backwards)) throw new DeltaConflict(`Slice ${z + 1} has changed meanwhile.`);
      yield (0.5 * n) / delta.length;
    }
    for (const [n, { z, runs }] of delta.entries()) {
      const slice = this.writable(z);
      for (let r = 0; r < runs.length; r += 3) {
        const label = backwards ? runs[r + 2] >> 8 : runs[r + 2] & 255;
        const end = runs[r] + runs[r + 1];
        if (runs[r + 1] > FEW_VOXELS) slice.fill(label, runs[r], end);
        else for (let i = runs[r]; i < end; i++) slice[i] = label;
      }
      yield 0.5 + (0.5 * n) / delta.length;
    }
  }

  count(value: number): number {
    let total = 0;
    for (const slice of this.slices) {
      if (slice) for (let i = 0; i < slice.length; i++) if (slice[i] === value) total++;
    }
    return total;
  }

  isEmpty(z: number): boolean {
    const slice = this.slices[z];
    return !slice || slice.every((value) => value === 0);
  }
}

export type Layers = Record<LayerName, Layer>;

export function emptyLayers(shape: Shape): Layers {
  return { anatomy: new Layer(shape), findings: new Layer(shape) };
}
