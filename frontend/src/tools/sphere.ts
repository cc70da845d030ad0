/**
 * The sphere brush: a voxel is painted when its centre lies within the radius (mm, in space) of the pointer's path,
 * which lies in the shown slice. On a slice d mm away that is a disc of radius sqrt(r^2 - d^2) along the same path.
 */
import { sweepDisc, type Point } from "../geometry/disc";
import type { PlaneView } from "../viewer/planeview";
import { rowsToRuns } from "./segment";

export type Fill = (z: number, start: number, end: number) => void;

export function paintSphere(view: PlaneView, from: Point, to: Point, radiusMm: number, fill: Fill): void {
  const { grid, frame, slice } = view;
  const count = grid.size[frame.across];
  const spacing = grid.spacing[frame.across];
  const reach = Math.ceil(radiusMm / spacing);
  for (let at = Math.max(0, slice - reach); at <= Math.min(count - 1, slice + reach); at++) {
    const away = Math.abs(at - slice) * spacing;
    if (away > radiusMm) continue;
    const radius = Math.sqrt(radiusMm * radiusMm - away * away);
    sweepDisc(from, to, radius, view.pixelMm, view.imageSize, rowsToRuns(grid, frame, at, fill));
  }
}
