/** The scan's grid: voxels (i, j, k) to LPS millimetres, and the three planes of the grid as a reader looks at them. */
export type Vec3 = [number, number, number];
export type PlaneName = "axial" | "coronal" | "sagittal";
export const PLANES: readonly PlaneName[] = ["axial", "coronal", "sagittal"];

export const add = (a: Vec3, b: Vec3): Vec3 => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
export const scale = (a: Vec3, s: number): Vec3 => [a[0] * s, a[1] * s, a[2] * s];
export const dot = (a: Vec3, b: Vec3): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
export const cross = (a: Vec3, b: Vec3): Vec3 => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];
export const norm = (a: Vec3): number => Math.hypot(a[0], a[1], a[2]);
export const unit = (a: Vec3): Vec3 => scale(a, 1 / norm(a));

/** How a plane lies on the screen. Axes are grid axes: 0 = i (x), 1 = j (y), 2 = k (z). */
export interface PlaneFrame {
  name: PlaneName;
  /** The grid axis that scrolling moves along. */
  across: 0 | 1 | 2;
  /** Sense of slice numbers that leads up: to the head, the back or the left. A file may count its slices either way. */
  ahead: 1 | -1;
  /** In-plane axes of the slice image: u the columns, v the rows (always the lower axis first). */
  u: 0 | 1 | 2;
  v: 0 | 1 | 2;
  /** Directions on the screen, LPS unit vectors along grid axes. */
  right: Vec3;
  up: Vec3;
  /** From the image towards the eye. */
  normal: Vec3;
}

/** Radiological habit by the patient axis that a plane lies across: patient left on the right, head or front up. */
const LOOKS: { right: Vec3; up: Vec3 }[] = [
  { right: [0, 1, 0], up: [0, 0, 1] },
  { right: [1, 0, 0], up: [0, 0, 1] },
  { right: [1, 0, 0], up: [0, -1, 0] },
];

export class Grid {
  readonly size: Vec3;
  readonly origin: Vec3;
  /** Column vectors: one step along i, j, k in mm. */
  readonly steps: [Vec3, Vec3, Vec3];
  readonly spacing: Vec3;
  readonly planes: Record<PlaneName, PlaneFrame>;
  private readonly inverse: [Vec3, Vec3, Vec3];

  constructor(shapeZyx: readonly [number, number, number], affineLps: readonly (readonly number[])[]) {
    const column = (c: number): Vec3 => [affineLps[0][c], affineLps[1][c], affineLps[2][c]];
    this.size = [shapeZyx[2], shapeZyx[1], shapeZyx[0]];
    this.steps = [column(0), column(1), column(2)];
    this.origin = column(3);
    this.spacing = [norm(this.steps[0]), norm(this.steps[1]), norm(this.steps[2])];
    const [a, b, c] = this.steps;
    const volume = dot(a, cross(b, c));
    this.inverse = [scale(cross(b, c), 1 / volume), scale(cross(c, a), 1 / volume), scale(cross(a, b), 1 / volume)];
    this.planes = {
      axial: this.frame("axial", 2, 0, 1),
      coronal: this.frame("coronal", 1, 0, 2),
      sagittal: this.frame("sagittal", 0, 1, 2),
    };
  }

  toWorld(voxel: Vec3): Vec3 {
    const [a, b, c] = this.steps;
    return add(this.origin, add(scale(a, voxel[0]), add(scale(b, voxel[1]), scale(c, voxel[2]))));
  }

  toVoxel(world: Vec3): Vec3 {
    const from = add(world, scale(this.origin, -1));
    return [dot(this.inverse[0], from), dot(this.inverse[1], from), dot(this.inverse[2], from)];
  }

  inside(voxel: Vec3): boolean {
    return voxel.every((value, axis) => value >= 0 && value < this.size[axis]);
  }

  private frame(name: PlaneName, across: 0 | 1 | 2, u: 0 | 1 | 2, v: 0 | 1 | 2): PlaneFrame {
    const eU = unit(this.steps[u]);
    const eV = unit(this.steps[v]);
    const along = cross(eU, eV).map(Math.abs);
    const patientAxis = along.indexOf(Math.max(...along));
    const look = LOOKS[patientAxis];
    const uIsRight = Math.abs(dot(eU, look.right)) >= Math.abs(dot(eV, look.right));
    const facing = (axis: Vec3, wish: Vec3): Vec3 => (dot(axis, wish) < 0 ? scale(axis, -1) : axis);
    const right = facing(uIsRight ? eU : eV, look.right);
    const up = facing(uIsRight ? eV : eU, look.up);
    const ahead = this.steps[across][patientAxis] < 0 ? -1 : 1;
    return { name, across, ahead, u, v, right, up, normal: unit(cross(right, up)) };
  }
}

/** Patient direction of an LPS vector as letters, the strongest first: L, R, A, P, H, F. */
export function directionLetters(direction: Vec3): string {
  const names = ["L", "R", "P", "A", "H", "F"];
  return [0, 1, 2]
    .filter((axis) => Math.abs(direction[axis]) > 0.35)
    .sort((a, b) => Math.abs(direction[b]) - Math.abs(direction[a]))
    .map((axis) => names[2 * axis + (direction[axis] > 0 ? 0 : 1)])
    .join("");
}
