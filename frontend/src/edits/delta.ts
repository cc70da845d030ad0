/**
 * GGD1, the voxel delta of one stroke: for each touched axial slice the runs of voxels whose label changed,
 * with what was and what is. Twin of inference.imaging.delta; the same input gives the same bytes.
 */
import { carryOutAtOnce, type Operation } from "./operation";

export interface Run {
  /** Flat index in the slice, y * nx + x. */
  start: number;
  length: number;
  old: number;
  new: number;
}

export interface SliceRuns {
  z: number;
  /** Three numbers a run, runs in order: start, length, old * 256 + new. A threshold in noise has millions of runs. */
  runs: Int32Array;
}

export class DeltaError extends Error {}

/** A voxel does not hold the label that the delta says it held; nothing was changed. */
export class DeltaConflict extends Error {}

const MAGIC = [0x47, 0x47, 0x44, 0x31];

export function packRuns(runs: readonly Run[]): Int32Array {
  return Int32Array.from(runs.flatMap((run) => [run.start, run.length, (run.old << 8) | run.new]));
}

export function unpackRuns(runs: Int32Array): Run[] {
  return Array.from({ length: runs.length / 3 }, (_, n) => {
    const kind = runs[3 * n + 2];
    return { start: runs[3 * n], length: runs[3 * n + 1], old: kind >> 8, new: kind & 255 };
  });
}

class Writer {
  private bytes = new Uint8Array(256);
  private used = 0;

  byte(value: number): void {
    if (this.used === this.bytes.length) {
      const grown = new Uint8Array(2 * this.used);
      grown.set(this.bytes);
      this.bytes = grown;
    }
    this.bytes[this.used++] = value;
  }

  varint(value: number): void {
    while (value >= 0x80) {
      this.byte((value & 0x7f) | 0x80);
      value >>>= 7;
    }
    this.byte(value);
  }

  done(): Uint8Array {
    return this.bytes.slice(0, this.used);
  }
}

/** Grows as it is filled, and serves one slice after the other. */
let scratch = new Int32Array(3 * 4096);

/** The runs between two states of one slice, canonical; null when nothing differs. `from`/`to` bound the search. */
export function sliceRuns(z: number, before: Uint8Array, after: Uint8Array, from = 0, to = before.length): SliceRuns | null {
  let found = 0;
  for (let i = from; i < to; ) {
    const old = before[i];
    const now = after[i];
    if (old === now) {
      i++;
      continue;
    }
    const start = i++;
    while (i < to && before[i] === old && after[i] === now) i++;
    if (found === scratch.length) {
      const larger = new Int32Array(2 * found);
      larger.set(scratch);
      scratch = larger;
    }
    scratch[found] = start;
    scratch[found + 1] = i - start;
    scratch[found + 2] = (old << 8) | now;
    found += 3;
  }
  return found ? { z, runs: scratch.slice(0, found) } : null;
}

/** Slice by slice; the bytes are those of `encodeDelta`. */
export function* encoding(slices: readonly SliceRuns[]): Operation<Uint8Array> {
  if (!slices.length) throw new DeltaError("A stroke that changes nothing is not stored.");
  const out = new Writer();
  MAGIC.forEach((value) => out.byte(value));
  out.varint(slices.length);
  let previous = 0;
  for (const [index, { z, runs }] of slices.entries()) {
    if (index && z <= previous) throw new DeltaError("Slices must ascend.");
    out.varint(z - previous);
    previous = z;
    out.varint(runs.length / 3);
    let end = 0;
    for (let n = 0; n < runs.length; n += 3) {
      out.varint(runs[n] - end);
      out.varint(runs[n + 1]);
      out.byte(runs[n + 2] >> 8);
      out.byte(runs[n + 2] & 255);
      end = runs[n] + runs[n + 1];
    }
    yield index / slices.length;
  }
  return out.done();
}

export function encodeDelta(slices: readonly SliceRuns[]): Uint8Array {
  return carryOutAtOnce(encoding(slices));
}

class Reader {
  at = 0;
  constructor(private readonly bytes: Uint8Array) {}

  byte(): number {
    if (this.at >= this.bytes.length) throw new DeltaError("The delta ends too early.");
    return this.bytes[this.at++];
  }

  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const next = this.byte();
      value += (next & 0x7f) * 2 ** shift;
      if (next < 0x80) {
        if (next === 0 && shift) throw new DeltaError("A number is written longer than it need be.");
        return value;
      }
    }
    throw new DeltaError("A number is too long.");
  }

  get left(): number {
    return this.bytes.length - this.at;
  }
}

function readRuns(input: Reader, sliceSize: number): Int32Array {
  const count = input.varint();
  if (count < 1) throw new DeltaError("A slice without runs.");
  // A run takes four bytes at least: a count beyond that is a lie and must not allocate anything.
  if (count > input.left / 4) throw new DeltaError("The delta ends too early.");
  const runs = new Int32Array(3 * count);
  let end = 0;
  let before = -1;
  for (let n = 0; n < runs.length; n += 3) {
    const gap = input.varint();
    const length = input.varint();
    const kind = (input.byte() << 8) | input.byte();
    if (length < 1) throw new DeltaError("A run without voxels.");
    if (kind >> 8 === (kind & 255)) throw new DeltaError("A run that changes nothing.");
    if (end + gap + length > sliceSize) throw new DeltaError("A run leaves the slice.");
    if (n && gap === 0 && kind === before) throw new DeltaError("Two runs should be one.");
    runs[n] = end + gap;
    runs[n + 1] = length;
    runs[n + 2] = before = kind;
    end = runs[n] + length;
  }
  return runs;
}

/** Slice by slice; what it refuses, and what it gives, is as with `decodeDelta`. */
export function* decoding(bytes: Uint8Array, shapeZyx: readonly [number, number, number]): Operation<SliceRuns[]> {
  const [nz, ny, nx] = shapeZyx;
  const input = new Reader(bytes);
  if (MAGIC.some((value) => input.byte() !== value)) throw new DeltaError("Not a GGD1 delta.");
  const count = input.varint();
  if (count < 1) throw new DeltaError("An empty delta.");
  const slices: SliceRuns[] = [];
  let z = 0;
  for (let s = 0; s < count; s++) {
    const step = input.varint();
    if (s && step < 1) throw new DeltaError("Slices must ascend.");
    z += step;
    if (z >= nz) throw new DeltaError("A slice outside the volume.");
    slices.push({ z, runs: readRuns(input, ny * nx) });
    yield input.at / bytes.length;
  }
  if (input.left) throw new DeltaError("Bytes after the end of the delta.");
  return slices;
}

/** Strict: bounds, order, canonical form, nothing after the end. */
export function decodeDelta(bytes: Uint8Array, shapeZyx: readonly [number, number, number]): SliceRuns[] {
  return carryOutAtOnce(decoding(bytes, shapeZyx));
}

export function invertRuns(slices: readonly SliceRuns[]): SliceRuns[] {
  return slices.map(({ z, runs }) => {
    const inverse = runs.slice();
    for (let n = 2; n < inverse.length; n += 3) inverse[n] = ((runs[n] & 255) << 8) | (runs[n] >> 8);
    return { z, runs: inverse };
  });
}

/** How many voxels change on a slice. */
export function voxelsOn({ runs }: SliceRuns): number {
  let sum = 0;
  for (let n = 1; n < runs.length; n += 3) sum += runs[n];
  return sum;
}

export function countVoxels(slices: readonly SliceRuns[]): number {
  return slices.reduce((sum, slice) => sum + voxelsOn(slice), 0);
}

const varintBytes = (value: number): number => (value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : value < 0x10000000 ? 4 : 5);

function bytesOf({ z, runs }: SliceRuns): number {
  let end = 0;
  let bytes = varintBytes(z) + varintBytes(runs.length / 3);
  for (let n = 0; n < runs.length; n += 3) {
    bytes += varintBytes(runs[n] - end) + varintBytes(runs[n + 1]) + 2;
    end = runs[n] + runs[n + 1];
  }
  return bytes;
}

/** The same change in pieces of whole slices, each of at most `limit` bytes, or of one slice. */
export function inParts(delta: SliceRuns[], limit: number): SliceRuns[][] {
  return carryOutAtOnce(parting(delta, limit));
}

/** Slice by slice; `told` how many bytes they come to so far, it may refuse to go on. */
export function* parting(delta: SliceRuns[], limit: number, told: (bytes: number) => void = () => undefined): Operation<SliceRuns[][]> {
  const parts: SliceRuns[][] = [];
  let room = 0;
  let all = 0;
  for (const [n, slice] of delta.entries()) {
    const bytes = bytesOf(slice);
    told((all += bytes));
    if (!parts.length || bytes > room) {
      parts.push([]);
      room = limit;
    }
    parts[parts.length - 1].push(slice);
    room -= bytes;
    yield n / delta.length;
  }
  return parts;
}
