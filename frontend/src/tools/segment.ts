/** Rows of pixels of any plane as runs of voxels of axial slices. */
import { sweepDisc, type Point } from "../geometry/disc";
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
