/** One stroke in the making: remembers each touched slice as it was, and in the end says exactly what changed. */
import { sliceRuns, type SliceRuns } from "./delta";
import type { Layer } from "./layers";
import type { Permit } from "./permit";

interface Touched {
  before: Uint8Array;
  from: number;
  to: number;
}

export class StrokeRecorder {
  private readonly touched = new Map<number, Touched>();

  private readonly allowed = new Map<number, ReturnType<Permit>>();

  constructor(
    readonly layer: Layer,
    private readonly permit: Permit | null = null,
  ) {}

  private allows(z: number): ReturnType<Permit> {
    if (!this.permit) return null;
    let allow = this.allowed.get(z);
    if (allow === undefined) this.allowed.set(z, (allow = this.permit(z)));
    return allow;
  }

  /** Sets voxels from..to (flat, end excluded) of slice z where permitted; returns whether any voxel changed. */
  fill(z: number, from: number, to: number, value: number): boolean {
    // Nothing can be erased where nothing is, and an empty slice stays without a place in memory.
    if (value === 0 && !this.layer.slices[z]) return false;
    const allow = this.allows(z);
    const slice = this.layer.writable(z);
    let touched = this.touched.get(z);
    let changed = false;
    for (let i = from; i < to; i++) {
      if (slice[i] === value || (allow && !allow(i, slice[i]))) continue;
      if (!touched) {
        touched = { before: slice.slice(), from, to };
        this.touched.set(z, touched);
      }
      slice[i] = value;
      changed = true;
    }
    if (changed && touched) {
      if (from < touched.from) touched.from = from;
      if (to > touched.to) touched.to = to;
    }
    return changed;
  }

  get slices(): number[] {
    return [...this.touched.keys()].sort((a, b) => a - b);
  }

  /** The canonical delta of the whole stroke; empty when everything is as it was. */
  finish(): SliceRuns[] {
    const delta: SliceRuns[] = [];
    for (const z of this.slices) {
      const { before, from, to } = this.touched.get(z)!;
      const runs = sliceRuns(z, before, this.layer.writable(z), from, to);
      if (runs) delta.push(runs);
    }
    return delta;
  }

  /** Puts every touched slice back as it was. */
  revert(): void {
    for (const [z, { before }] of this.touched) this.layer.writable(z).set(before);
  }
}
