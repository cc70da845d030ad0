/** An edit worked out beside the layer: the layer stays as it is, and in the end the draft says what would change. */
import { sliceRuns, type SliceRuns } from "./delta";
import type { Layer } from "./layers";
import { carryOutAtOnce, type Operation } from "./operation";
import type { Permit } from "./permit";

/** A slice of the draft, and between which voxels it was drawn on. */
interface Drawn {
  slice: Uint8Array;
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
    return (this.after.get(z)?.slice ?? this.layer.slices[z])?.[i] ?? 0;
  }

  /** Sets voxels from..to (flat, end excluded) of slice z where that is permitted. */
  fill(z: number, from: number, to: number, value: number): void {
    const before = this.layer.slices[z];
    let drawn = this.after.get(z);
    if (!before && !drawn && value === 0) return;
    if (!drawn) this.after.set(z, (drawn = { slice: before ? before.slice() : new Uint8Array(this.layer.sliceSize), from, to }));
    if (from < drawn.from) drawn.from = from;
    if (to > drawn.to) drawn.to = to;
    const { slice } = drawn;
    if (!this.permit) return void slice.fill(value, from, to);
    let allow = this.allowed.get(z);
    if (allow === undefined) this.allowed.set(z, (allow = this.permit(z)));
    if (!allow) return void slice.fill(value, from, to);
    // What the layer holds decides, not what the draft has put there already.
    for (let i = from; i < to; i++) if (allow(i, before ? before[i] : 0)) slice[i] = value;
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
      const { slice, from, to } = this.after.get(z)!;
      const runs = sliceRuns(z, this.layer.slices[z] ?? empty, slice, from, to);
      if (runs) found.push(runs);
      yield n / places.length;
    }
    return found;
  }
}
