/**
 * Which pixels of a slice a closed shape covers: those whose centre (integer u, v) lies inside. A lasso is closed by a
 * straight line and judged by the even-odd rule: the line of centres v crosses an edge from a to b when exactly one of
 * a.v <= v and b.v <= v holds, and a pixel is inside when an odd number of crossings lie at its u or left of it. So a
 * centre exactly on the outline is in where the shape lies to its right, out where it lies to its left, and two shapes
 * that share an edge never both take a pixel of it.
 */
import type { Point } from "./disc";

/** A run of pixels of row v, end excluded. */
export type Row = (v: number, from: number, to: number) => void;
export type Size = readonly [width: number, height: number];

/** Even-odd polygon, clipped to the slice. */
export function polygonRows(points: readonly Point[], [width, height]: Size, row: Row): void {
  if (points.length < 3) return;
  let low = Infinity;
  let high = -Infinity;
  for (const { v } of points) {
    if (v < low) low = v;
    if (v > high) high = v;
  }
  const crossings: number[] = [];
  for (let v = Math.max(0, Math.ceil(low)); v <= Math.min(height - 1, Math.floor(high)); v++) {
    crossings.length = 0;
    for (let n = 0; n < points.length; n++) {
      const a = points[n];
      const b = points[(n + 1) % points.length];
      if (a.v <= v !== b.v <= v) crossings.push(a.u + ((v - a.v) / (b.v - a.v)) * (b.u - a.u));
    }
    crossings.sort((x, y) => x - y);
    for (let n = 0; n + 1 < crossings.length; n += 2) {
      const from = Math.max(0, Math.ceil(crossings[n]));
      const to = Math.min(width, Math.ceil(crossings[n + 1]));
      if (from < to) row(v, from, to);
    }
  }
}

/** The rectangle between two corners; centres on its border belong to it. */
export function rectangleRows(a: Point, b: Point, [width, height]: Size, row: Row): void {
  const from = Math.max(0, Math.ceil(Math.min(a.u, b.u)));
  const to = Math.min(width, Math.floor(Math.max(a.u, b.u)) + 1);
  if (from >= to) return;
  const last = Math.min(height - 1, Math.floor(Math.max(a.v, b.v)));
  for (let v = Math.max(0, Math.ceil(Math.min(a.v, b.v))); v <= last; v++) row(v, from, to);
}
