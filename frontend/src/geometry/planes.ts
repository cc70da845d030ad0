/** What a plane of a scan's grid is called in the patient, where it lies, and where the same place is in another scan. */
import { dot, PLANES, type Grid, type PlaneFrame, type PlaneName, type Vec3 } from "./grid";

/** Patient axis (LPS) that a plane lies across to its name. */
const ACROSS_PATIENT: readonly PlaneName[] = ["sagittal", "coronal", "axial"];

/** A scan may be stacked along any patient axis: the plane's name as a reader knows it. */
export function anatomicalName(frame: PlaneFrame): PlaneName {
  const along = frame.normal.map(Math.abs);
  return ACROSS_PATIENT[along.indexOf(Math.max(...along))];
}

const LETTERS: readonly [string, string][] = [["L", "R"], ["P", "A"], ["H", "F"]];

/** The voxel in the middle of a slice. */
function middleOf(grid: Grid, frame: PlaneFrame, slice: number): Vec3 {
  const voxel = grid.size.map((n) => (n - 1) / 2) as Vec3;
  voxel[frame.across] = slice;
  return voxel;
}

/** Where a slice lies along an LPS unit vector, in mm: the middle of the slice. */
export function positionMm(grid: Grid, frame: PlaneFrame, slice: number, along: Vec3): number {
  return dot(grid.toWorld(middleOf(grid, frame, slice)), along);
}

/** Where a slice lies along the patient axis that it lies across, with the letter of the side: "H 12.5", "R 30.0". */
export function placeOfSlice(grid: Grid, frame: PlaneFrame, slice: number): string {
  const axis = ACROSS_PATIENT.indexOf(anatomicalName(frame));
  const mm = grid.toWorld(middleOf(grid, frame, slice))[axis];
  return `${LETTERS[axis][mm < 0 ? 1 : 0]} ${Math.abs(mm).toFixed(1)}`;
}

/** LPS millimetres with the letters of the sides: "R 12.0  A 30.5  H 100.0". */
export function placeInWords(mm: Vec3): string {
  return mm.map((value, axis) => `${LETTERS[axis][value < 0 ? 1 : 0]} ${Math.abs(value).toFixed(1)}`).join("  ");
}

/** The frame of another grid that looks most along a direction. */
export function frameAlong(grid: Grid, normal: Vec3): PlaneFrame {
  const amount = (name: PlaneName): number => Math.abs(dot(grid.planes[name].normal, normal));
  return grid.planes[PLANES.reduce((best, name) => (amount(name) > amount(best) ? name : best))];
}

/** The slice of a plane (fraction kept, perhaps outside the scan) that lies at a place along a direction. */
export function sliceAtMm(grid: Grid, frame: PlaneFrame, mm: number, along: Vec3): number {
  const step = dot(grid.steps[frame.across], along);
  return (mm - positionMm(grid, frame, 0, along)) / step;
}

/** Length in mm between two places of the grid, for voxels of any shape. */
export function lengthMm(grid: Grid, a: Vec3, b: Vec3): number {
  const [from, to] = [grid.toWorld(a), grid.toWorld(b)];
  return Math.hypot(to[0] - from[0], to[1] - from[1], to[2] - from[2]);
}
