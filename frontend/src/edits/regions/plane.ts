/** One slice of a plane as flat arrays, rows by v: what a layer holds there, and the Hounsfield values. */
import type { Grid, PlaneFrame } from "../../geometry/grid";
import type { Layer } from "../layers";
import { carryOutAtOnce, type Operation } from "../operation";

export type HuSlices = readonly (Int16Array | null)[];

export function planeSize(grid: Grid, frame: PlaneFrame): [width: number, height: number] {
  return [grid.size[frame.u], grid.size[frame.v]];
}

/** A copy: the caller may write into it. */
export function* labelsOf(layer: Layer, grid: Grid, frame: PlaneFrame, slice: number): Operation<Uint8Array> {
  const [width, height] = planeSize(grid, frame);
  const out = new Uint8Array(width * height);
  yield* takeOut(layer.slices, out, grid, frame, slice);
  return out;
}

/** Null while a slice that it crosses is not loaded yet. */
export function* huOf(hu: HuSlices, grid: Grid, frame: PlaneFrame, slice: number): Operation<Int16Array | null> {
  const [width, height] = planeSize(grid, frame);
  const needed = frame.name === "axial" ? [slice] : [...Array(grid.size[2]).keys()];
  if (needed.some((z) => !hu[z])) return null;
  const out = new Int16Array(width * height);
  yield* takeOut(hu, out, grid, frame, slice);
  return out;
}

/** Row by row of the plane: a sagittal slice lies strewn over the memory of the whole scan. */
function* takeOut<T extends Uint8Array | Int16Array>(slices: readonly (T | null)[], out: T, grid: Grid, frame: PlaneFrame, slice: number): Operation<void> {
  const [nx, ny, nz] = grid.size;
  if (frame.name === "axial") {
    const from = slices[slice];
    if (from) out.set(from as never);
    return;
  }
  for (let k = 0; k < nz; k++) {
    const from = slices[k];
    if (!from) continue;
    if (frame.name === "coronal") out.set(from.subarray(slice * nx, (slice + 1) * nx) as never, k * nx);
    else for (let j = 0; j < ny; j++) out[k * ny + j] = from[j * nx + slice];
    yield k / nz;
  }
}

/** For each slice of a plane whether it holds the value: all in one pass, in the order of the memory. */
export function* slicesWith(layer: Layer, value: number, grid: Grid, frame: PlaneFrame): Operation<boolean[]> {
  const [nx, ny] = grid.size;
  const holds = new Array<boolean>(grid.size[frame.across]).fill(false);
  for (const [k, voxels] of layer.slices.entries()) {
    if (voxels?.includes(value)) {
      if (frame.name === "axial") holds[k] = true;
      else if (frame.name === "coronal") for (let j = 0; j < ny; j++) holds[j] ||= voxels.subarray(j * nx, (j + 1) * nx).includes(value);
      else for (let at = voxels.indexOf(value); at >= 0; at = voxels.indexOf(value, at + 1)) holds[at % nx] = true;
    }
    yield k / layer.slices.length;
  }
  return holds;
}

/** Calls row(v, from, to) for every run of pixels that are not 0, row by row. */
export function* runsOf(pixels: Uint8Array, width: number, row: (v: number, from: number, to: number) => void): Operation<void> {
  const height = pixels.length / width;
  for (let v = 0; v < height; v++) {
    for (let u = 0; u < width; ) {
      if (!pixels[v * width + u]) {
        u++;
        continue;
      }
      const from = u;
      while (u < width && pixels[v * width + u]) u++;
      row(v, from, u);
    }
    yield v / height;
  }
}

/** The same at once. */
export function eachRun(pixels: Uint8Array, width: number, row: (v: number, from: number, to: number) => void): void {
  carryOutAtOnce(runsOf(pixels, width, row));
}
