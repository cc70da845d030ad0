/**
 * What lies between drawn slices, by their shapes (Raya and Udupa 1990): on each slice between two drawn ones the
 * signed distances of both are blended by nearness; a pixel belongs where the blend is not above 0. Signed distance:
 * to the nearest pixel inside, minus to the nearest outside (mm in the slice).
 */
import type { Operation } from "../operation";
import { squaredDistance, type Box } from "./distance";

/** Halfway between two alike outlines the blend is 0 but for rounding. */
const ROUNDING_MM = 1e-6;

export interface SliceSize {
  width: number;
  height: number;
  spacing: readonly [number, number];
}

/** Two drawn slices with a gap between them, and their pixels: 1 where they hold the label, else 0. */
export interface Ends {
  a: number;
  b: number;
  below: Uint8Array;
  above: Uint8Array;
}

/** Gaps between drawn slices: pairs of neighbours with 1 to `widest` empty slices between them. */
export function gapsIn(drawn: readonly boolean[], widest: number): [number, number][] {
  const gaps: [number, number][] = [];
  let last = -1;
  drawn.forEach((has, index) => {
    if (!has) return;
    if (last >= 0 && index - last > 1 && index - last - 1 <= widest) gaps.push([last, index]);
    last = index;
  });
  return gaps;
}

function* signedDistance(pixels: Uint8Array, { width, height, spacing }: SliceSize): Operation<Float64Array> {
  const box: Box = { size: [width, height, 1], spacing: [spacing[0], spacing[1], 1], data: pixels };
  const signed = yield* squaredDistance(box, 1);
  const toOutside = yield* squaredDistance(box, 0);
  for (let i = 0; i < signed.length; i++) signed[i] = Math.sqrt(signed[i]) - Math.sqrt(toOutside[i]);
  return signed;
}

/**
 * The smallest box around both shapes and one pixel more, as [from, to) along u and v: no blend reaches beyond both shapes,
 * and a pixel inside has its nearest outside within one pixel of its shape.
 */
function boxAround({ below, above }: Ends, { width, height }: SliceSize): [u: [number, number], v: [number, number]] {
  let [u0, u1, v0, v1] = [width, 0, height, 0];
  for (let v = 0, i = 0; v < height; v++) {
    for (let u = 0; u < width; u++, i++) {
      if (!below[i] && !above[i]) continue;
      [u0, u1, v0, v1] = [Math.min(u0, u), Math.max(u1, u), Math.min(v0, v), v];
    }
  }
  return [[Math.max(0, u0 - 1), Math.min(width, u1 + 2)], [Math.max(0, v0 - 1), Math.min(height, v1 + 2)]];
}

/** Puts pixels on each slice of the gap between the drawn slices a and b. */
export function* fillGap(size: SliceSize, ends: Ends, put: (slice: number, pixels: Uint8Array) => Operation<void>): Operation<void> {
  const { a, b } = ends;
  const [[u0, u1], [v0, v1]] = boxAround(ends, size);
  const cut = { ...size, width: u1 - u0, height: v1 - v0 };
  const cutOf = (pixels: Uint8Array): Uint8Array => {
    const out = new Uint8Array(cut.width * cut.height);
    for (let v = v0; v < v1; v++) out.set(pixels.subarray(v * size.width + u0, v * size.width + u1), (v - v0) * cut.width);
    return out;
  };
  const below = yield* signedDistance(cutOf(ends.below), cut);
  const above = yield* signedDistance(cutOf(ends.above), cut);
  for (let k = a + 1; k < b; k++) {
    const t = (k - a) / (b - a);
    const pixels = new Uint8Array(ends.below.length);
    for (let v = v0, i = 0; v < v1; v++) {
      for (let at = v * size.width + u0, end = v * size.width + u1; at < end; at++, i++) {
        if ((1 - t) * below[i] + t * above[i] <= ROUNDING_MM) pixels[at] = 1;
      }
      yield t;
    }
    yield* put(k, pixels);
  }
}
