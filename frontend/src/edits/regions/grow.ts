/** Region growing in space: 6-connected voxels within a Hounsfield range, within a radius (mm) of the seeds. */
import type { Vec3 } from "../../geometry/grid";
import { Layer, type Shape } from "../layers";
import type { Operation } from "../operation";
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

/** The grown voxels as a layer of ones. A voxel counts when it is within the radius of the nearest seed's own place. */
export function* grow(hu: HuSlices, shape: Shape, seeds: readonly Vec3[], rule: GrowRule): Operation<{ grown: Layer; voxels: number }> {
  const [nz, ny, nx] = shape;
  const grown = new Layer(shape);
  const [sx, sy, sz] = rule.spacing;
  const reach = rule.radiusMm ** 2;
  // A queue of voxels with the seed each came from.
  let places: number[] = [];
  let origins: number[] = [];
  let voxels = 0;
  const visit = (x: number, y: number, z: number, origin: number): void => {
    if (x < 0 || y < 0 || z < 0 || x >= nx || y >= ny || z >= nz) return;
    const i = y * nx + x;
    const slice = hu[z];
    if (!slice || slice[i] < rule.low || slice[i] > rule.high || grown.slices[z]?.[i]) return;
    const [ox, oy, oz] = seeds[origin];
    if (((x - ox) * sx) ** 2 + ((y - oy) * sy) ** 2 + ((z - oz) * sz) ** 2 > reach) return;
    if (rule.inside && !rule.inside(z, i)) return;
    grown.writable(z)[i] = 1;
    voxels++;
    places.push(x, y, z);
    origins.push(origin);
  };
  seeds.forEach(([x, y, z], n) => visit(x, y, z, n));
  let steps = 0;
  // Breadth first, front by front, so that the preview grows evenly and memory holds one front.
  while (origins.length) {
    const [front, from] = [places, origins];
    places = [];
    origins = [];
    for (let n = 0; n < from.length; n++) {
      const [x, y, z] = [front[3 * n], front[3 * n + 1], front[3 * n + 2]];
      visit(x - 1, y, z, from[n]);
      visit(x + 1, y, z, from[n]);
      visit(x, y - 1, z, from[n]);
      visit(x, y + 1, z, from[n]);
      visit(x, y, z - 1, from[n]);
      visit(x, y, z + 1, from[n]);
      if (++steps % STEPS === 0) yield Math.min(0.95, voxels / 2e6);
    }
  }
  return { grown, voxels };
}
