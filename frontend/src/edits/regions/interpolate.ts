/**
 * What lies between drawn slices, by their shapes (Raya and Udupa 1990): on each slice between two drawn ones the
 * signed distances of both are blended by nearness; a pixel belongs where the blend is not above 0. Signed distance:
 * to the nearest pixel inside, minus to the nearest outside (mm in the slice).
 */
import type { Operation } from "../operation";
import { squaredDistance, type Box } from "./distance";

/** Halfway between two alike outlines the blend is 0 but for rounding. */
const ROUNDING_MM = 1e-6;

export interface Drawn {
  width: number;
  height: number;
  spacing: readonly [number, number];
  /** Pixels of a slice that hold the label, 1 or 0. */
  slice(index: number): Uint8Array;
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

function* signedDistance(pixels: Uint8Array, from: Drawn): Operation<Float64Array> {
  const box: Box = { size: [from.width, from.height, 1], spacing: [from.spacing[0], from.spacing[1], 1], data: pixels };
  const toInside = yield* squaredDistance(box, 1);
  const toOutside = yield* squaredDistance(box, 0);
  return toInside.map((d, i) => Math.sqrt(d) - Math.sqrt(toOutside[i]));
}

/** Calls `put(slice, pixels)` for each slice of the gap between drawn slices a and b. */
export function* fillGap(drawn: Drawn, [a, b]: readonly [number, number], put: (slice: number, pixels: Uint8Array) => void): Operation<void> {
  const below = yield* signedDistance(drawn.slice(a), drawn);
  const above = yield* signedDistance(drawn.slice(b), drawn);
  for (let k = a + 1; k < b; k++) {
    const t = (k - a) / (b - a);
    put(k, Uint8Array.from(below, (d, i) => ((1 - t) * d + t * above[i] <= ROUNDING_MM ? 1 : 0)));
    yield (k - a) / (b - a);
  }
}
