/** Rows of pixels of any plane as runs of voxels of axial slices. */
import { sweepDisc, type Point } from "../geometry/disc";
import type { Operation } from "../edits/operation";
import type { Grid, PlaneFrame } from "../geometry/grid";
import type { Row } from "../geometry/shapes";
import type { PlaneView } from "../viewer/planeview";

/** Takes rows (v, from, to) of slice `slice` of a plane; gives runs (z, start, end) of flat indices of axial slices. */
export function rowsToRuns(grid: Grid, frame: PlaneFrame, slice: number, fill: (z: number, start: number, end: number) => void): Row {
  const [nx] = grid.size;
  if (frame.name === "axial") return (v, from, to) => fill(slice, v * nx + from, v * nx + to);
  if (frame.name === "coronal") return (v, from, to) => fill(v, slice * nx + from, slice * nx + to);
  return (v, from, to) => {
    for (let u = from; u < to; u++) fill(v, u * nx + slice, u * nx + slice + 1);
  };
}

/**
 * The same rows through all slices `first` to `last` of the plane. Across the planes a row is a box: its voxels lie side by
 * side in the axial slices, and are filled so.
 */
export function* throughSlices(
  { size: [nx] }: Grid,
  { name }: PlaneFrame,
  [first, last]: readonly [number, number],
  rows: (row: Row) => void,
  fill: (z: number, start: number, end: number) => void,
): Operation<void> {
  const drawn: [v: number, from: number, to: number][] = [];
  rows((...row) => void drawn.push(row));
  if (name === "axial") {
    for (let z = first; z <= last; z++) {
      for (const [v, from, to] of drawn) fill(z, v * nx + from, v * nx + to);
      yield (z - first) / (last - first + 1);
    }
    return;
  }
  for (const [n, [z, from, to]] of drawn.entries()) {
    if (name === "coronal") for (let y = first; y <= last; y++) fill(z, y * nx + from, y * nx + to);
    else for (let y = from; y < to; y++) fill(z, y * nx + first, y * nx + last + 1);
    yield n / drawn.length;
  }
}

/** Paints the part of a stroke between two points on the plane's slice. */
export function paintSegment(
  view: PlaneView,
  from: Point,
  to: Point,
  radiusMm: number,
  fill: (z: number, start: number, end: number) => void,
): void {
  sweepDisc(from, to, radiusMm, view.pixelMm, view.imageSize, rowsToRuns(view.grid, view.frame, view.slice, fill));
}
