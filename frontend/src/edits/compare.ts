/**
 * Two states of a layer compared, slice by slice: voxels of both, only of A, only of B. Presence of any counted label is
 * compared (of the findings those that are lesion), as the server does, and each label by itself; Dice = 2 both / (A + B),
 * none when both are empty. Only slices that changed are counted again.
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
  /** Of each label that either holds, in order; in voxels. */
  byLabel: LabelDifference[];
}

export interface LabelDifference {
  value: number;
  a: number;
  b: number;
  dice: number;
}

const COLUMNS = 3;
const LABELS = 256;

export class DifferenceBook {
  private readonly counts: Int32Array;
  /** By slice and label: voxels of A, of B, of both. */
  private readonly labels: Int32Array;
  private readonly dirty = new Set<number>();

  constructor(
    readonly a: Layer,
    readonly b: Layer,
    /** By label value: 1 when it is compared. */
    readonly counted: Uint8Array,
  ) {
    const nz = a.shapeZyx[0];
    this.counts = new Int32Array(nz * COLUMNS);
    this.labels = new Int32Array(nz * LABELS * COLUMNS);
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
    const labels = this.labels.subarray(z * LABELS * COLUMNS, (z + 1) * LABELS * COLUMNS).fill(0);
    for (let i = 0; i < this.a.sliceSize; i++) {
      const la = a ? a[i] : 0;
      const lb = b ? b[i] : 0;
      if (!la && !lb) continue;
      if (la) labels[la * COLUMNS]++;
      if (lb) labels[lb * COLUMNS + 1]++;
      if (la === lb) labels[la * COLUMNS + 2]++;
      const inA = counted[la];
      const inB = counted[lb];
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
    return { dice: total ? (2 * both) / total : null, both, onlyA, onlyB, disputed, byLabel: this.byLabel() };
  }

  private byLabel(): LabelDifference[] {
    const found: LabelDifference[] = [];
    for (let value = 1; value < LABELS; value++) {
      let [a, b, both] = [0, 0, 0];
      for (let at = value * COLUMNS; at < this.labels.length; at += LABELS * COLUMNS) {
        a += this.labels[at];
        b += this.labels[at + 1];
        both += this.labels[at + 2];
      }
      if (a || b) found.push({ value, a, b, dice: (2 * both) / (a + b) });
    }
    return found;
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
