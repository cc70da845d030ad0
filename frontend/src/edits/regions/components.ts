/**
 * Connected components of labels: 26-connected, a component has one label. Works on runs, not voxels, and only on
 * slices that hold anything, so that 600 slices cost what is painted on them.
 */
import type { Layer } from "../layers";
import type { Operation } from "../operation";

/** Runs of one axial slice in row order, four numbers each: y, first x, x after the last, label. */
export interface SliceRunList {
  runs: Int32Array;
  /** Index of the first run of each row; one more than rows. */
  rows: Int32Array;
}

export function runsOf(slice: Uint8Array, nx: number, wanted: Uint8Array): SliceRunList | null {
  const ny = slice.length / nx;
  const found: number[] = [];
  const rows = new Int32Array(ny + 1);
  for (let y = 0; y < ny; y++) {
    rows[y] = found.length / 4;
    const end = (y + 1) * nx;
    for (let i = y * nx; i < end; ) {
      const label = slice[i];
      if (label === 0 || wanted[label] === 0) {
        i++;
        continue;
      }
      const start = i;
      while (i < end && slice[i] === label) i++;
      found.push(y, start - y * nx, i - y * nx, label);
    }
  }
  rows[ny] = found.length / 4;
  return found.length ? { runs: Int32Array.from(found), rows } : null;
}

class Forest {
  readonly parent: Int32Array;
  constructor(count: number) {
    this.parent = Int32Array.from({ length: count }, (_, n) => n);
  }
  find(n: number): number {
    const { parent } = this;
    while (parent[n] !== n) n = parent[n] = parent[parent[n]];
    return n;
  }
  join(a: number, b: number): void {
    const [x, y] = [this.find(a), this.find(b)];
    if (x < y) this.parent[y] = x;
    else this.parent[x] = y;
  }
}

/** Joins runs of two rows that touch, corners included. */
function joinRows(forest: Forest, a: Int32Array, aFrom: number, aTo: number, aBase: number, b: Int32Array, bFrom: number, bTo: number, bBase: number): void {
  const join = (m: number, n: number): void => {
    if (a[4 * m + 1] <= b[4 * n + 2] && b[4 * n + 1] <= a[4 * m + 2] && a[4 * m + 3] === b[4 * n + 3]) forest.join(aBase + m, bBase + n);
  };
  let [m, n] = [aFrom, bFrom];
  while (m < aTo && n < bTo) {
    join(m, n);
    const [aEnd, bEnd] = [a[4 * m + 2], b[4 * n + 2]];
    if (aEnd < bEnd) m++;
    else {
      // Both end here: the next run of `a` may still touch this run of `b` by a corner.
      if (aEnd === bEnd && m + 1 < aTo) join(m + 1, n);
      n++;
    }
  }
}

export interface Component {
  label: number;
  voxels: number;
  zFirst: number;
  zLast: number;
  /** Mean voxel position. */
  centre: [x: number, y: number, z: number];
  /** Its runs: z, y, first x, x after the last, four numbers each. */
  runs: Int32Array;
}

/** Runs per slice, kept between counts: only slices that changed are read again. */
export class RunBook {
  private readonly lists: (SliceRunList | null)[];
  private readonly dirty = new Set<number>();

  constructor(
    private readonly layer: Layer,
    private readonly wanted: Uint8Array,
  ) {
    this.lists = new Array<SliceRunList | null>(layer.shapeZyx[0]).fill(null);
    for (let z = 0; z < this.lists.length; z++) if (layer.slices[z]) this.dirty.add(z);
  }

  touch(z: number): void {
    this.dirty.add(z);
  }

  /** Components, the largest first. */
  *components(): Operation<Component[]> {
    const [nz, ny, nx] = this.layer.shapeZyx;
    for (const z of [...this.dirty]) {
      const slice = this.layer.slices[z];
      this.lists[z] = slice ? runsOf(slice, nx, this.wanted) : null;
      this.dirty.delete(z);
      yield (0.5 * z) / nz;
    }
    const bases = new Int32Array(nz + 1);
    for (let z = 0; z < nz; z++) bases[z + 1] = bases[z] + (this.lists[z]?.runs.length ?? 0) / 4;
    const forest = new Forest(bases[nz]);
    for (let z = 0; z < nz; z++) {
      const list = this.lists[z];
      if (!list) continue;
      const below = z ? this.lists[z - 1] : null;
      for (let y = 0; y < ny; y++) {
        const [from, to] = [list.rows[y], list.rows[y + 1]];
        if (from === to) continue;
        if (y) joinRows(forest, list.runs, from, to, bases[z], list.runs, list.rows[y - 1], list.rows[y], bases[z]);
        if (!below) continue;
        for (let v = Math.max(0, y - 1); v <= Math.min(ny - 1, y + 1); v++) {
          joinRows(forest, list.runs, from, to, bases[z], below.runs, below.rows[v], below.rows[v + 1], bases[z - 1]);
        }
      }
      yield 0.5 + (0.3 * z) / nz;
    }
    return yield* this.collect(forest, bases);
  }

  private *collect(forest: Forest, bases: Int32Array): Operation<Component[]> {
    const nz = this.lists.length;
    const byRoot = new Map<number, { label: number; voxels: number; sums: [number, number, number]; runs: number[] }>();
    for (let z = 0; z < nz; z++) {
      const list = this.lists[z];
      if (!list) continue;
      for (let n = 0; n < list.runs.length / 4; n++) {
        const root = forest.find(bases[z] + n);
        const [y, from, to, label] = list.runs.subarray(4 * n, 4 * n + 4);
        let one = byRoot.get(root);
        if (!one) byRoot.set(root, (one = { label, voxels: 0, sums: [0, 0, 0], runs: [] }));
        const length = to - from;
        one.voxels += length;
        one.sums[0] += (length * (from + to - 1)) / 2;
        one.sums[1] += length * y;
        one.sums[2] += length * z;
        one.runs.push(z, y, from, to);
      }
      yield 0.8 + (0.2 * z) / nz;
    }
    return [...byRoot.values()]
      .map(({ label, voxels, sums, runs }) => ({
        label,
        voxels,
        zFirst: runs[0],
        zLast: runs[runs.length - 4],
        centre: sums.map((sum) => sum / voxels) as [number, number, number],
        runs: Int32Array.from(runs),
      }))
      .sort((a, b) => b.voxels - a.voxels);
  }
}

export function only(value: number): Uint8Array {
  const wanted = new Uint8Array(256);
  wanted[value] = 1;
  return wanted;
}

/** The component that holds a voxel; undefined when none does. */
export function componentAt(components: readonly Component[], [x, y, z]: readonly [number, number, number]): Component | undefined {
  return components.find(({ zFirst, zLast, runs }) => {
    if (z < zFirst || z > zLast) return false;
    for (let n = 0; n < runs.length; n += 4) {
      if (runs[n] === z && runs[n + 1] === y && runs[n + 2] <= x && x < runs[n + 3]) return true;
    }
    return false;
  });
}
