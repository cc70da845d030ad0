/** Region growing in space: 6-connected voxels within a Hounsfield range, within a radius (mm) of the seeds. */
import type { Vec3 } from "../../geometry/grid";
import { Layer, type Shape } from "../layers";
import type { Operation } from "../operation";
import { squaredDistance } from "./distance";
import type { HuSlices } from "./plane";

export interface GrowRule {
  low: number;
  high: number;
  radiusMm: number;
  spacing: Vec3;
  /** Voxels outside it do not belong; null: everywhere. */
  inside: ((z: number, i: number) => boolean) | null;
}

const STEPS = 20000;
const EPSILON = 1e-6;

/** Mean and SD of Hounsfield values within `radius` voxels in the slice around a voxel: what a click grows by. */
export function around(hu: HuSlices, [nz, ny, nx]: Shape, [x, y, z]: Vec3, radius = 1): { mean: number; sd: number } | null {
  const values: number[] = [];
  for (let k = Math.max(0, z - radius); k <= Math.min(nz - 1, z + radius); k++) {
    for (let j = Math.max(0, y - radius); j <= Math.min(ny - 1, y + radius); j++) {
      for (let i = Math.max(0, x - radius); i <= Math.min(nx - 1, x + radius); i++) {
        const value = hu[k]?.[j * nx + i];
        if (value !== undefined) values.push(value);
      }
    }
  }
  if (!values.length) return null;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean, sd: Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length) };
}

/** Squared distance (mm2) of each place of a slice from the seeds that lie on one axial slice. */
function* fromSeeds([, ny, nx]: Shape, seeds: readonly Vec3[], [sx, sy]: Vec3): Operation<Float64Array> {
  const data = new Uint8Array(ny * nx);
  for (const [x, y] of seeds) data[y * nx + x] = 1;
  return yield* squaredDistance({ size: [nx, ny, 1], spacing: [sx, sy, 1], data }, 1);
}

/** The grown voxels as a layer of ones. A voxel counts when it is within the radius of the nearest seed. */
export function* grow(hu: HuSlices, shape: Shape, seeds: readonly Vec3[], rule: GrowRule): Operation<{ grown: Layer; voxels: number }> {
  const [nz, ny, nx] = shape;
  const grown = new Layer(shape);
  const reach = rule.radiusMm ** 2 + EPSILON;
  const levels: { at: number; away: Float64Array }[] = [];
  for (const at of new Set(seeds.map(([, , z]) => z))) {
    levels.push({ at, away: yield* fromSeeds(shape, seeds.filter(([, , z]) => z === at), rule.spacing) });
  }
  const near = (z: number, i: number): boolean => levels.some(({ at, away }) => away[i] + ((z - at) * rule.spacing[2]) ** 2 <= reach);
  let places: number[] = [];
  let voxels = 0;
  const visit = (x: number, y: number, z: number): void => {
    if (x < 0 || y < 0 || z < 0 || x >= nx || y >= ny || z >= nz) return;
    const i = y * nx + x;
    const slice = hu[z];
    if (!slice || slice[i] < rule.low || slice[i] > rule.high || grown.slices[z]?.[i]) return;
    if (!near(z, i) || (rule.inside && !rule.inside(z, i))) return;
    grown.writable(z)[i] = 1;
    voxels++;
    places.push(x, y, z);
  };
  seeds.forEach(([x, y, z]) => visit(x, y, z));
  let steps = 0;
  // Breadth first, front by front, so that the preview grows evenly and memory holds one front.
  while (places.length) {
    const front = places;
    places = [];
    for (let n = 0; n < front.length; n += 3) {
      const [x, y, z] = [front[n], front[n + 1], front[n + 2]];
      visit(x - 1, y, z);
      visit(x + 1, y, z);
      visit(x, y - 1, z);
      visit(x, y + 1, z);
      visit(x, y, z - 1);
      visit(x, y, z + 1);
      if (++steps % STEPS === 0) yield Math.min(0.95, voxels / 2e6);
    }
  }
  return { grown, voxels };
}
