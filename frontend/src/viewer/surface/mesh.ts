/** Nets of lung and findings as triangles in patient millimetres, with normals and the finding of each point. */
import type { Vec3 } from "../../geometry/grid";
import type { Field } from "./field";
import { smoothed, surfaceNet, type Net } from "./nets";

export interface Mesh {
  /** LPS mm from the middle of the scan. */
  positions: Float32Array;
  normals: Float32Array;
  triangles: Uint32Array;
  /** The finding's label at each point; empty for the lung. */
  labels: Uint8Array;
}

export interface SurfaceJob {
  round: number;
  field: Field;
  /** One voxel along i, j, k in LPS mm, and the scan's size in voxels. */
  steps: [Vec3, Vec3, Vec3];
  voxels: Vec3;
}

export interface Surfaces {
  lung: Mesh;
  findings: Mesh;
}

const HALF = 127;
/** Smoothing thins what is thin: small findings are caught at a lower level. */
const FINDINGS_LEVEL = 80;

function placed({ points }: Net, { field, steps, voxels }: SurfaceJob): Float32Array {
  const out = new Float32Array(points.length);
  for (let p = 0; p < points.length; p += 3) {
    for (let axis = 0; axis < 3; axis++) {
      // Cell c (border taken off) is centred on voxel (c + 1/2) f - 1/2.
      const voxel = (points[p + axis] - 1 + 0.5) * field.factor[axis] - 0.5 - (voxels[axis] - 1) / 2;
      for (let r = 0; r < 3; r++) out[p + r] += voxel * steps[axis][r];
    }
  }
  return out;
}

function normalsOf(positions: Float32Array, triangles: Uint32Array): Float32Array {
  const normals = new Float32Array(positions.length);
  for (let t = 0; t < triangles.length; t += 3) {
    const [a, b, c] = [3 * triangles[t], 3 * triangles[t + 1], 3 * triangles[t + 2]];
    const [ux, uy, uz] = [positions[b] - positions[a], positions[b + 1] - positions[a + 1], positions[b + 2] - positions[a + 2]];
    const [vx, vy, vz] = [positions[c] - positions[a], positions[c + 1] - positions[a + 1], positions[c + 2] - positions[a + 2]];
    const [nx, ny, nz] = [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx];
    for (const p of [a, b, c]) {
      normals[p] += nx;
      normals[p + 1] += ny;
      normals[p + 2] += nz;
    }
  }
  for (let p = 0; p < normals.length; p += 3) {
    const length = Math.hypot(normals[p], normals[p + 1], normals[p + 2]) || 1;
    for (let r = 0; r < 3; r++) normals[p + r] /= length;
  }
  return normals;
}

/** The label that a point's cell or one of its neighbours towards the far corner holds. */
function labelsOf({ cells }: Net, { label, size: [nx, ny] }: Field): Uint8Array {
  const around = [0, 1, nx, nx + 1, nx * ny, nx * ny + 1, nx * ny + nx, nx * ny + nx + 1];
  return Uint8Array.from(cells, (at) => around.map((step) => label[at + step]).find(Boolean) ?? 0);
}

function meshOf(job: SurfaceJob, full: Uint8Array, level: number, labelled: boolean): Mesh {
  const net = surfaceNet(smoothed(full, job.field.size), job.field.size, level);
  const positions = placed(net, job);
  return { positions, normals: normalsOf(positions, net.triangles), triangles: net.triangles, labels: labelled ? labelsOf(net, job.field) : new Uint8Array(0) };
}

export function meshes(job: SurfaceJob): Surfaces {
  return { lung: meshOf(job, job.field.lung, HALF, false), findings: meshOf(job, job.field.findings, FINDINGS_LEVEL, true) };
}
