/**
 * GGD1, the voxel delta of one stroke: for each touched axial slice the runs of voxels whose label changed,
 * with what was and what is. Twin of inference.imaging.delta; the same input gives the same bytes.
 */
export interface Run {
  /** Flat index in the slice, y * nx + x. */
  start: number;
  length: number;
  old: number;
  new: number;
}

export interface SliceRuns {
  z: number;
  runs: Run[];
}

export class DeltaError extends Error {}

/** A voxel does not hold the label that the delta says it held; nothing was changed. */
export class DeltaConflict extends Error {}

const MAGIC = [0x47, 0x47, 0x44, 0x31];

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

/** The runs between two states of one slice, canonical; null when nothing differs. `from`/`to` bound the search. */
export function sliceRuns(z: number, before: Uint8Array, after: Uint8Array, from = 0, to = before.length): SliceRuns | null {
  const runs: Run[] = [];
  let run: Run | null = null;
  for (let i = from; i < to; i++) {
    const old = before[i];
    const now = after[i];
    if (old === now) {
      run = null;
    } else if (run && run.old === old && run.new === now) {
      run.length++;
    } else {
      run = { start: i, length: 1, old, new: now };
      runs.push(run);
    }
  }
  return runs.length ? { z, runs } : null;
}

export function encodeDelta(slices: readonly SliceRuns[]): Uint8Array {
  if (!slices.length) throw new DeltaError("A stroke that changes nothing is not stored.");
  const out = new Writer();
  MAGIC.forEach((value) => out.byte(value));
  out.varint(slices.length);
  let previous = 0;
  slices.forEach(({ z, runs }, index) => {
    if (index && z <= previous) throw new DeltaError("Slices must ascend.");
    out.varint(z - previous);
    previous = z;
    out.varint(runs.length);
    let end = 0;
    for (const run of runs) {
      out.varint(run.start - end);
      out.varint(run.length);
      out.byte(run.old);
      out.byte(run.new);
      end = run.start + run.length;
    }
  });
  return out.done();
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

  get finished(): boolean {
    return this.at === this.bytes.length;
  }
}

function readRuns(input: Reader, sliceSize: number): Run[] {
  const count = input.varint();
  if (count < 1) throw new DeltaError("A slice without runs.");
  const runs: Run[] = [];
  let end = 0;
  for (let r = 0; r < count; r++) {
    const gap = input.varint();
    const length = input.varint();
    const run: Run = { start: end + gap, length, old: input.byte(), new: input.byte() };
    if (length < 1) throw new DeltaError("A run without voxels.");
    if (run.old === run.new) throw new DeltaError("A run that changes nothing.");
    if (run.start + length > sliceSize) throw new DeltaError("A run leaves the slice.");
    const last = runs[r - 1];
    if (last && gap === 0 && last.old === run.old && last.new === run.new) throw new DeltaError("Two runs should be one.");
    end = run.start + length;
    runs.push(run);
  }
  return runs;
}

/** Strict: bounds, order, canonical form, nothing after the end. */
export function decodeDelta(bytes: Uint8Array, shapeZyx: readonly [number, number, number]): SliceRuns[] {
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
  }
  if (!input.finished) throw new DeltaError("Bytes after the end of the delta.");
  return slices;
}

export function invertRuns(slices: readonly SliceRuns[]): SliceRuns[] {
  return slices.map(({ z, runs }) => ({
    z,
    runs: runs.map((run) => ({ start: run.start, length: run.length, old: run.new, new: run.old })),
  }));
}

export function countVoxels(slices: readonly SliceRuns[]): number {
  return slices.reduce((sum, slice) => sum + slice.runs.reduce((inner, run) => inner + run.length, 0), 0);
}

const varintBytes = (value: number): number => (value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : value < 0x10000000 ? 4 : 5);

function bytesOf({ z, runs }: SliceRuns): number {
  let end = 0;
  let bytes = varintBytes(z) + varintBytes(runs.length);
  for (const run of runs) {
    bytes += varintBytes(run.start - end) + varintBytes(run.length) + 2;
    end = run.start + run.length;
  }
  return bytes;
}

/** The same change in pieces of whole slices, each of at most `limit` bytes, or of one slice. */
export function inParts(delta: SliceRuns[], limit: number): SliceRuns[][] {
  const parts: SliceRuns[][] = [];
  let room = 0;
  for (const slice of delta) {
    const bytes = bytesOf(slice);
    if (!parts.length || bytes > room) {
      parts.push([]);
      room = limit;
    }
    parts[parts.length - 1].push(slice);
    room -= bytes;
  }
  return parts;
}
