/** A dragged disc on a plane as runs of voxels of axial slices. */
import { sweepDisc, type Point } from "../geometry/disc";
import type { PlaneView } from "../viewer/planeview";

/** Paints the part of a stroke between two points on the plane's slice, as runs of voxels of axial slices. */
export function paintSegment(
  view: PlaneView,
  from: Point,
  to: Point,
  radiusMm: number,
  fill: (z: number, start: number, end: number) => void,
): void {
  const [nx] = view.grid.size;
  const { slice } = view;
  sweepDisc(from, to, radiusMm, view.pixelMm, view.imageSize, (v, start, end) => {
    if (view.frame.name === "axial") fill(slice, v * nx + start, v * nx + end);
    else if (view.frame.name === "coronal") fill(v, slice * nx + start, slice * nx + end);
    else for (let u = start; u < end; u++) fill(v, u * nx + slice, u * nx + slice + 1);
  });
}
