/**
 * Two states of the findings compared, slice by slice: voxels of both, only of A, only of B. Presence of any counted label
 * is compared (the labels that are lesion), as the server does; Dice = 2 both / (2 both + only A + only B), none when both
 * are empty. Only slices that changed are counted again.
 */
import type { Layer } from "./layers";

export interface Difference {
  /** Null when both are empty: undefined, not 0 or 1. */
  dice: number | null;
  both: number;
  onlyA: number;
  onlyB: number;
  /** 1 for each slice on which they differ. */
  disputed: Uint8Array;
}

const COLUMNS = 3;

export class DifferenceBook {
  private readonly counts: Int32Array;
  private readonly dirty = new Set<number>();

  constructor(
    readonly a: Layer,
    readonly b: Layer,
    /** By label value: 1 when it is compared. */
    readonly counted: Uint8Array,
  ) {
    const nz = a.shapeZyx[0];
    this.counts = new Int32Array(nz * COLUMNS);
    for (let z = 0; z < nz; z++) if (a.slices[z] || b.slices[z]) this.dirty.add(z);
  }

  touch(z: number): void {
    this.dirty.add(z);
  }

  /** Counts dirty slices again for at most `budgetMs`; returns whether none is left. */
  refresh(budgetMs = Infinity): boolean {
    const end = performance.now() + budgetMs;
    for (const z of this.dirty) {
      this.count(z);
      this.dirty.delete(z);
      if (performance.now() > end) break;
    }
    return this.dirty.size === 0;
  }

  private count(z: number): void {
    const a = this.a.slices[z];
    const b = this.b.slices[z];
    const { counted } = this;
    let [both, onlyA, onlyB] = [0, 0, 0];
    for (let i = 0; i < this.a.sliceSize; i++) {
      const inA = a ? counted[a[i]] : 0;
      const inB = b ? counted[b[i]] : 0;
      if (inA && inB) both++;
      else if (inA) onlyA++;
      else if (inB) onlyB++;
    }
    this.counts.set([both, onlyA, onlyB], z * COLUMNS);
  }

  slice(z: number): { both: number; onlyA: number; onlyB: number } {
    const [both, onlyA, onlyB] = this.counts.subarray(z * COLUMNS, (z + 1) * COLUMNS);
    return { both, onlyA, onlyB };
  }

  result(): Difference {
    let [both, onlyA, onlyB] = [0, 0, 0];
    const disputed = new Uint8Array(this.a.shapeZyx[0]);
    for (let z = 0; z < disputed.length; z++) {
      const slice = this.slice(z);
      both += slice.both;
      onlyA += slice.onlyA;
      onlyB += slice.onlyB;
      if (slice.onlyA || slice.onlyB) disputed[z] = 1;
    }
    const total = 2 * both + onlyA + onlyB;
    return { dice: total ? (2 * both) / total : null, both, onlyA, onlyB, disputed };
  }

  /** The slice with most voxels of one mask alone; null when they agree everywhere. */
  worst(): number | null {
    let worst: number | null = null;
    let most = 0;
    for (let z = 0; z < this.a.shapeZyx[0]; z++) {
      const { onlyA, onlyB } = this.slice(z);
      if (onlyA + onlyB > most) [worst, most] = [z, onlyA + onlyB];
    }
    return worst;
  }
}

/** From a slice on, in steps of 1 or -1, the next that is marked; round once; null when none is. */
export function nextMarked(marks: ArrayLike<number>, from: number, by: number): number | null {
  const count = marks.length;
  for (let step = 1; step <= count; step++) {
    const z = (((from + by * step) % count) + count) % count;
    if (marks[z]) return z;
  }
  return null;
}
