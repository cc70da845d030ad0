/**
 * Which voxels of a box lie within a radius (mm, in space) of voxels of a kind, exactly, slice by slice: along x and y
 * the squared distance in the slice, cut off at the radius (Felzenszwalb and Huttenlocher 2012); along z only how many
 * slices far that reaches, one byte a voxel. A long scan costs time, not memory.
 */
import type { Operation } from "../operation";
import type { Box } from "./distance";

/** So much farther still counts as within: radii and distances are sums of rounded squares. */
export const EPSILON = 1e-6;

const NONE = 0x7fff;
const ROWS = 64;

/** 1 where a voxel that holds `value` is within the radius, else 0. Beyond the box nothing is. */
export function* within(box: Box, value: 0 | 1, radiusMm: number): Operation<Uint8Array> {
  const [nx, ny, nz] = box.size;
  const size = nx * ny;
  const levels = levelsOf(radiusMm, box.spacing[2], nz);
  // How many slices far each voxel's nearest reaches, itself counted; a byte as long as that is enough.
  const reach = levels.length > 255 ? new Uint16Array(box.data.length) : new Uint8Array(box.data.length);
  const slice = new SliceReach(box, levels);
  for (let z = 0; z < nz; z++) {
    yield* slice.fill(box.data.subarray(z * size, (z + 1) * size), value, reach.subarray(z * size, (z + 1) * size));
    yield (0.8 * z) / nz;
  }
  // What reaches n slices reaches n - 1 from the next one on: up, then down.
  for (let z = 1; z < nz; z++) {
    for (let i = z * size; i < (z + 1) * size; i++) if (reach[i - size] > reach[i] + 1) reach[i] = reach[i - size] - 1;
    yield 0.8 + (0.1 * z) / nz;
  }
  const near = new Uint8Array(box.data.length);
  for (let z = nz - 1; z >= 0; z--) {
    if (z < nz - 1) for (let i = z * size; i < (z + 1) * size; i++) if (reach[i + size] > reach[i] + 1) reach[i] = reach[i + size] - 1;
    for (let i = z * size; i < (z + 1) * size; i++) if (reach[i]) near[i] = 1;
    yield 1 - (0.1 * z) / nz;
  }
  return near;
}

/** The most that the squared distance in the slice may be, by how many slices away. */
function levelsOf(radiusMm: number, spacingZ: number, nz: number): Float64Array {
  const most = radiusMm * radiusMm + EPSILON;
  const levels: number[] = [];
  for (let n = 0; n < nz && most - (n * spacingZ) ** 2 >= 0; n++) levels.push(most - (n * spacingZ) ** 2);
  return Float64Array.from(levels);
}

class SliceReach {
  private readonly nx: number;
  private readonly ny: number;
  private readonly wx: number;
  private readonly wy: number;
  private readonly reachX: number;
  /** Along each row, pixels to the nearest of the kind. */
  private readonly near: Int16Array;
  private readonly f: Float64Array;
  private readonly at: Int32Array;
  private readonly edge: Float64Array;

  constructor(
    { size: [nx, ny], spacing }: Box,
    private readonly levels: Float64Array,
  ) {
    [this.nx, this.ny] = [nx, ny];
    [this.wx, this.wy] = [spacing[0] * spacing[0], spacing[1] * spacing[1]];
    this.reachX = nx > 1 ? Math.min(nx, Math.floor(Math.sqrt(levels[0] / this.wx))) : 0;
    this.near = new Int16Array(nx * ny);
    this.f = new Float64Array(ny);
    this.at = new Int32Array(ny);
    this.edge = new Float64Array(ny + 1);
  }

  *fill(data: Uint8Array, value: 0 | 1, out: Uint8Array | Uint16Array): Operation<void> {
    const { nx } = this;
    if (!data.includes(value)) return;
    this.alongRows(data, value);
    for (let x = 0; x < nx; x++) {
      this.alongColumn(x, out);
      if (x % ROWS === ROWS - 1) yield 0;
    }
  }

  private alongRows(data: Uint8Array, value: number): void {
    const { nx, ny, near, reachX } = this;
    for (let y = 0; y < ny; y++) {
      const [from, to] = [y * nx, (y + 1) * nx];
      let away = NONE;
      for (let i = from; i < to; i++) {
        away = data[i] === value ? 0 : away < reachX ? away + 1 : NONE;
        near[i] = away;
      }
      away = NONE;
      for (let i = to - 1; i >= from; i--) {
        away = data[i] === value ? 0 : away < reachX ? away + 1 : NONE;
        if (away < near[i]) near[i] = away;
      }
    }
  }

  /** The lower envelope of the parabolas over the column's rows, read off as levels. */
  private alongColumn(x: number, out: Uint8Array | Uint16Array): void {
    const { nx, ny, near, wx, wy, f, at, edge, levels } = this;
    let k = -1;
    for (let q = 0, i = x; q < ny; q++, i += nx) {
      if (near[i] === NONE) continue;
      f[q] = wx * near[i] * near[i];
      let s = -Infinity;
      while (k >= 0) {
        const p = at[k];
        s = (f[q] - f[p] + wy * (q * q - p * p)) / (2 * wy * (q - p));
        if (s > edge[k]) break;
        k--;
      }
      if (k < 0) s = -Infinity;
      at[++k] = q;
      edge[k] = s;
      edge[k + 1] = Infinity;
    }
    if (k < 0) return;
    let n = 0;
    for (let q = 0, i = x; q < ny; q++, i += nx) {
      while (edge[n + 1] < q) n++;
      const d = q - at[n];
      const squared = wy * d * d + f[at[n]];
      if (squared > levels[0]) continue;
      let reached = 1;
      while (reached < levels.length && squared <= levels[reached]) reached++;
      out[i] = reached;
    }
  }
}
