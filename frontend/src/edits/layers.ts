/** The two layers of a mask on the scan's grid: sparse slices, null where a slice was never touched (all zero). */
import { DeltaConflict, type SliceRuns } from "./delta";

export type LayerName = "anatomy" | "findings";
export type Shape = readonly [nz: number, ny: number, nx: number];

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
    for (const { z, runs } of delta) {
      const slice = this.slices[z];
      for (const run of runs) {
        for (let i = run.start; i < run.start + run.length; i++) {
          if ((slice ? slice[i] : 0) !== run.old) throw new DeltaConflict(`Slice ${z + 1} has changed meanwhile.`);
        }
      }
    }
    for (const { z, runs } of delta) {
      const slice = this.writable(z);
      for (const run of runs) slice.fill(run.new, run.start, run.start + run.length);
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
