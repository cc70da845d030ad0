/** An edit worked out beside the layer: the layer stays as it is, and in the end the draft says what would change. */
import { sliceRuns, type SliceRuns } from "./delta";
import type { Layer } from "./layers";
import { carryOutAtOnce, type Operation } from "./operation";
import type { Permit } from "./permit";

/** Of a slice the voxels `from` to `to`: a row across six hundred slices is no reason to copy them all. */
interface Drawn {
  voxels: Uint8Array;
  from: number;
  to: number;
}

export class DeltaDraft {
  private readonly after = new Map<number, Drawn>();
  private readonly allowed = new Map<number, ReturnType<Permit>>();

  constructor(
    readonly layer: Layer,
    private readonly permit: Permit | null = null,
  ) {}

  /** What the draft holds at a voxel: `i` is the flat index in axial slice z. */
  at(z: number, i: number): number {
    const drawn = this.after.get(z);
    if (drawn && i >= drawn.from && i < drawn.to) return drawn.voxels[i - drawn.from];
    return this.layer.slices[z]?.[i] ?? 0;
  }

  /** Sets voxels from..to (flat, end excluded) of slice z where that is permitted. */
  fill(z: number, from: number, to: number, value: number): void {
    const before = this.layer.slices[z];
    let drawn = this.after.get(z);
    if (!before && !drawn && value === 0) return;
    if (!drawn || from < drawn.from || to > drawn.to) this.after.set(z, (drawn = this.widened(before, drawn, from, to)));
    const { voxels, from: first } = drawn;
    if (!this.permit) return void voxels.fill(value, from - first, to - first);
    let allow = this.allowed.get(z);
    if (allow === undefined) this.allowed.set(z, (allow = this.permit(z)));
    if (!allow) return void voxels.fill(value, from - first, to - first);
    // What the layer holds decides, not what the draft has put there already.
    for (let i = from; i < to; i++) if (allow(i, before ? before[i] : 0)) voxels[i - first] = value;
  }

  /** A window with room for more than was asked for, so that it seldom grows; what was drawn stays. */
  private widened(before: Uint8Array | null, drawn: Drawn | undefined, from: number, to: number): Drawn {
    const room = drawn ? drawn.to - drawn.from : 0;
    const first = drawn ? (from < drawn.from ? Math.max(0, Math.min(from, drawn.from - room)) : drawn.from) : from;
    const end = drawn ? (to > drawn.to ? Math.min(this.layer.sliceSize, Math.max(to, drawn.to + room)) : drawn.to) : to;
    const voxels = before ? before.slice(first, end) : new Uint8Array(end - first);
    if (drawn) voxels.set(drawn.voxels, drawn.from - first);
    return { voxels, from: first, to: end };
  }

  set(z: number, i: number, value: number): void {
    this.fill(z, i, i + 1, value);
  }

  delta(): SliceRuns[] {
    return carryOutAtOnce(this.deltas());
  }

  /** Slice by slice. */
  *deltas(): Operation<SliceRuns[]> {
    const empty = new Uint8Array(this.layer.sliceSize);
    const found: SliceRuns[] = [];
    const places = [...this.after.keys()].sort((a, b) => a - b);
    for (const [n, z] of places.entries()) {
      const { voxels, from, to } = this.after.get(z)!;
      const part = sliceRuns(z, (this.layer.slices[z] ?? empty).subarray(from, to), voxels);
      if (part) {
        for (let r = 0; r < part.runs.length; r += 3) part.runs[r] += from;
        found.push(part);
      }
      yield n / places.length;
    }
    return found;
  }
}
