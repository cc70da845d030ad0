/**
 * Exact squared Euclidean distances on a box of voxels of any spacing (Felzenszwalb and Huttenlocher 2012, lower
 * envelope of parabolas, one axis after the other).
 */
import type { Operation } from "../operation";
import { within } from "./within";

export interface Box {
  size: readonly [nx: number, ny: number, nz: number];
  spacing: readonly [number, number, number];
  /** 1 inside, 0 outside; x runs fastest. */
  data: Uint8Array;
}

const FAR = 1e20;
const STEP = 1 << 20;

/** Squared distance (mm2) from each voxel centre to the nearest voxel that holds `value`; 1e20 when none does. */
export function* squaredDistance({ size, spacing, data }: Box, value: 0 | 1): Operation<Float64Array> {
  const [nx, ny, nz] = size;
  const out = new Float64Array(data.length);
  for (let i = 0; i < data.length; i++) out[i] = data[i] === value ? 0 : FAR;
  const longest = Math.max(nx, ny, nz);
  const f = new Float64Array(longest);
  const at = new Int32Array(longest);
  const edge = new Float64Array(longest + 1);
  const line = (start: number, stride: number, count: number, step: number): void => {
    let any = false;
    for (let q = 0; q < count; q++) {
      f[q] = out[start + q * stride];
      if (f[q] < FAR) any = true;
    }
    if (!any) return;
    const w = step * step;
    let k = -1;
    for (let q = 0; q < count; q++) {
      if (f[q] >= FAR) continue;
      let s = -Infinity;
      while (k >= 0) {
        const p = at[k];
        s = (f[q] - f[p] + w * (q * q - p * p)) / (2 * w * (q - p));
        if (s > edge[k]) break;
        k--;
      }
      if (k < 0) s = -Infinity;
      k++;
      at[k] = q;
      edge[k] = s;
      edge[k + 1] = Infinity;
    }
    let n = 0;
    for (let q = 0; q < count; q++) {
      while (edge[n + 1] < q) n++;
      const d = q - at[n];
      out[start + q * stride] = w * d * d + f[at[n]];
    }
  };
  const passes: [number, number, number, number, (n: number) => number][] = [
    [nx, 1, ny * nz, spacing[0], (n) => n * nx],
    [ny, nx, nx * nz, spacing[1], (n) => Math.floor(n / nx) * nx * ny + (n % nx)],
    [nz, nx * ny, nx * ny, spacing[2], (n) => n],
  ];
  for (const [index, [count, stride, lines, step, start]] of passes.entries()) {
    if (count === 1) continue;
    for (let n = 0; n < lines; n++) {
      line(start(n), stride, count, step);
      if (n % 256 === 255) yield (index + n / lines) / 3;
    }
  }
  return out;
}

/** Voxels within radius of the set. */
export function* dilate(box: Box, radiusMm: number): Operation<Box> {
  return { ...box, data: yield* within(box, 1, radiusMm) };
}

/** Voxels of the set farther than radius from everything outside it. Beyond the box counts as outside nothing. */
export function* erode(box: Box, radiusMm: number): Operation<Box> {
  const data = yield* within(box, 0, radiusMm);
  for (let from = 0; from < data.length; from += STEP) {
    const to = Math.min(data.length, from + STEP);
    for (let i = from; i < to; i++) data[i] ^= 1;
    yield 1;
  }
  return { ...box, data };
}
