/**
 * Connected components of labels: 26-connected, a component has one label. Works on runs, not voxels, and only on
 * slices that hold anything, so that 600 slices cost what is painted on them; a mask of noise has a million components.
 */
import type { Layer } from "../layers";
import type { Operation } from "../operation";
import { Forest, joinRows } from "./forest";
import { runsOf, type SliceRunList } from "./sliceruns";

/** One component; its runs lie among those of all, and are a view of them. */
export class Component {
  constructor(
    readonly label: number,
    readonly voxels: number,
    readonly zFirst: number,
    readonly zLast: number,
    /** Mean voxel position. */
    readonly centre: [x: number, y: number, z: number],
    private readonly all: Int32Array,
    private readonly from: number,
    private readonly to: number,
  ) {}

  /** Its runs: z, y, first x, x after the last, four numbers each. */
  get runs(): Int32Array {
    return this.all.subarray(this.from, this.to);
  }
}

/** Work between two looks at the clock. */
const STEP = 20000;

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

  /** Components, the largest first; of one size, in the order of their first voxels. */
  *components(): Operation<Component[]> {
    const [nz, ny, nx] = this.layer.shapeZyx;
    for (const z of [...this.dirty]) {
      const slice = this.layer.slices[z];
      this.lists[z] = slice ? runsOf(slice, nx, this.wanted) : null;
      this.dirty.delete(z);
      yield (0.4 * z) / nz;
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
      yield 0.4 + (0.2 * z) / nz;
    }
    return yield* this.collect(forest, bases);
  }

  private *collect(forest: Forest, bases: Int32Array): Operation<Component[]> {
    const sums = new Sums(yield* forest.count());
    for (let z = 0; z < this.lists.length; z++) {
      const runs = this.lists[z]?.runs;
      for (let n = 0; runs && n < runs.length; n += 4) sums.add(forest.numberOf(bases[z] + n / 4), z, runs[n], runs[n + 1], runs[n + 2], runs[n + 3]);
      if (runs) yield 0.7 + (0.1 * z) / this.lists.length;
    }
    sums.layOut();
    for (let z = 0; z < this.lists.length; z++) {
      const runs = this.lists[z]?.runs;
      for (let n = 0; runs && n < runs.length; n += 4) sums.put(forest.numberOf(bases[z] + n / 4), z, runs[n], runs[n + 1], runs[n + 2]);
      if (runs) yield 0.8 + (0.1 * z) / this.lists.length;
    }
    return yield* sums.components();
  }
}

/** What is known of each component, by its number. */
class Sums {
  private readonly label: Uint8Array;
  private readonly voxels: Int32Array;
  private readonly runs: Int32Array;
  /** Sums of x, y, z over its voxels. */
  private readonly places: Float64Array;
  private readonly ends: Int32Array;
  private all = new Int32Array(0);

  constructor(private readonly count: number) {
    this.label = new Uint8Array(count);
    this.voxels = new Int32Array(count);
    this.runs = new Int32Array(count);
    this.places = new Float64Array(3 * count);
    this.ends = new Int32Array(count);
  }

  add(n: number, z: number, y: number, from: number, to: number, label: number): void {
    const length = to - from;
    this.label[n] = label;
    this.voxels[n] += length;
    this.runs[n]++;
    this.places[3 * n] += (length * (from + to - 1)) / 2;
    this.places[3 * n + 1] += length * y;
    this.places[3 * n + 2] += length * z;
  }

  /** Gives each component's runs a place of their own, one component after the other. */
  layOut(): void {
    let at = 0;
    for (let n = 0; n < this.count; n++) {
      this.ends[n] = at;
      at += 4 * this.runs[n];
    }
    this.all = new Int32Array(at);
  }

  put(n: number, z: number, y: number, from: number, to: number): void {
    const at = this.ends[n];
    this.all[at] = z;
    this.all[at + 1] = y;
    this.all[at + 2] = from;
    this.all[at + 3] = to;
    this.ends[n] = at + 4;
  }

  *components(): Operation<Component[]> {
    const found: Component[] = [];
    const { label, voxels, runs, places, ends, all } = this;
    for (const n of yield* largestFirst(voxels)) {
      const to = ends[n];
      const from = to - 4 * runs[n];
      const centre: [number, number, number] = [places[3 * n] / voxels[n], places[3 * n + 1] / voxels[n], places[3 * n + 2] / voxels[n]];
      found.push(new Component(label[n], voxels[n], all[from], all[to - 4], centre, all, from, to));
      if (found.length % STEP === 0) yield 0.95;
    }
    return found;
  }
}

/** The numbers of the sizes from the largest to the smallest; alike ones stay in their order. By digits, lowest first. */
function* largestFirst(sizes: Int32Array): Operation<Int32Array> {
  const DIGITS = 2048;
  let order = new Int32Array(sizes.length);
  let most = 0;
  for (let n = 0; n < sizes.length; n++) {
    order[n] = n;
    if (sizes[n] > most) most = sizes[n];
  }
  for (let shift = 0; most >> shift > 0 && shift < 32; shift += 11) {
    const places = new Int32Array(DIGITS + 1);
    const digit = (n: number): number => DIGITS - 1 - ((sizes[n] >> shift) & (DIGITS - 1));
    for (let n = 0; n < sizes.length; n++) places[digit(n) + 1]++;
    for (let d = 0; d < DIGITS; d++) places[d + 1] += places[d];
    yield 0.9;
    const next = new Int32Array(sizes.length);
    for (let k = 0; k < order.length; k++) next[places[digit(order[k])]++] = order[k];
    order = next;
    yield 0.9;
  }
  return order;
}

export function only(value: number): Uint8Array {
  const wanted = new Uint8Array(256);
  wanted[value] = 1;
  return wanted;
}

/** The component that holds a voxel; undefined when none does. */
export function componentAt(components: readonly Component[], [x, y, z]: readonly [number, number, number]): Component | undefined {
  return components.find((one) => {
    if (z < one.zFirst || z > one.zLast) return false;
    const { runs } = one;
    for (let n = 0; n < runs.length; n += 4) {
      if (runs[n] === z && runs[n + 1] === y && runs[n + 2] <= x && x < runs[n + 3]) return true;
    }
    return false;
  });
}
