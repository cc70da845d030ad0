/** Where a plane's slice lies in its pane: arithmetic on the grid's own steps, free of the page. */
import { add, dot, scale, type Grid, type PlaneFrame, type Vec3 } from "../geometry/grid";

/** Pixels of the slice image to CSS pixels of the pane: x = a u + c v + e, y = b u + d v + f. */
export interface Mapping {
  a: number;
  b: number;
  c: number;
  d: number;
  e: number;
  f: number;
}

export interface PaneSize {
  readonly width: number;
  readonly height: number;
}

/** A look at a plane that another grid can take too: mm from the middle of the scan, and how near. */
export interface Look {
  rightMm: number;
  upMm: number;
  mmPerPixel: number;
}

/** The whole plane with a little air around it. */
const AIR = 1.02;

export class Camera {
  slice: number;
  private centre: Vec3;
  private halfHeightMm = 100;
  /** The whole plane is shown, and stays so when the pane changes its size. */
  private fitted = true;
  private mapped: Mapping | null = null;

  constructor(
    readonly grid: Grid,
    readonly frame: PlaneFrame,
    private readonly pane: () => PaneSize,
  ) {
    this.slice = Math.floor(grid.size[frame.across] / 2);
    this.centre = this.middle;
  }

  private get middle(): Vec3 {
    return this.grid.toWorld(this.grid.size.map((n) => (n - 1) / 2) as Vec3);
  }

  private get height(): number {
    return Math.max(1, this.pane().height);
  }

  voxelOf(u: number, v: number): Vec3 {
    const voxel: Vec3 = [0, 0, 0];
    voxel[this.frame.u] = u;
    voxel[this.frame.v] = v;
    voxel[this.frame.across] = this.slice;
    return voxel;
  }

  /** Half the height in mm at which the whole plane just fits the pane. */
  private get fittedHalfHeightMm(): number {
    const { right, up } = this.frame;
    const extent = (direction: Vec3): number =>
      [this.frame.u, this.frame.v].reduce<number>((sum, axis) => sum + Math.abs(dot(this.grid.steps[axis], direction)) * this.grid.size[axis], 0);
    const aspect = Math.max(0.1, this.pane().width / this.height);
    return (AIR / 2) * Math.max(extent(up), extent(right) / aspect);
  }

  /** 1 when the whole plane just fits, more when it is nearer. */
  get magnification(): number {
    return this.fittedHalfHeightMm / this.halfHeightMm;
  }

  get mmPerPixel(): number {
    return (2 * this.halfHeightMm) / this.height;
  }

  /** Shows the whole plane. */
  fit(): void {
    this.fitted = true;
    this.halfHeightMm = this.fittedHalfHeightMm;
    this.centre = this.middle;
    this.settle();
  }

  show(slice: number): void {
    this.slice = Math.max(0, Math.min(this.grid.size[this.frame.across] - 1, Math.round(slice)));
    this.settle();
  }

  /** The pane has another size: what was fitted is fitted again, what was near stays as near. */
  resized(): void {
    if (this.fitted) this.fit();
    else this.settle();
  }

  /** Moves the picture by CSS pixels. */
  pan(dx: number, dy: number): void {
    const mm = this.mmPerPixel;
    this.fitted = false;
    this.centre = add(this.centre, add(scale(this.frame.right, -dx * mm), scale(this.frame.up, dy * mm)));
    this.settle();
  }

  /** Zooms about a point of the pane (CSS pixels); without one, about its middle. */
  zoom(factor: number, about?: readonly [number, number]): void {
    const { width, height } = this.pane();
    const next = Math.max(2, Math.min(2000, this.halfHeightMm / factor));
    const x = about ? about[0] - width / 2 : 0;
    const y = about ? about[1] - height / 2 : 0;
    const shift = ((this.halfHeightMm - next) * 2) / this.height;
    this.fitted = false;
    this.centre = add(this.centre, add(scale(this.frame.right, x * shift), scale(this.frame.up, -y * shift)));
    this.halfHeightMm = next;
    this.settle();
  }

  get look(): Look {
    const from = add(this.centre, scale(this.middle, -1));
    return { rightMm: dot(from, this.frame.right), upMm: dot(from, this.frame.up), mmPerPixel: this.mmPerPixel };
  }

  /** Takes the look of another plane. */
  take({ rightMm, upMm, mmPerPixel }: Look): void {
    this.fitted = false;
    this.halfHeightMm = (mmPerPixel * this.height) / 2;
    this.centre = add(this.middle, add(scale(this.frame.right, rightMm), scale(this.frame.up, upMm)));
    this.settle();
  }

  /** Keeps the middle of the pane on the shown slice. */
  private settle(): void {
    const middle = this.grid.toVoxel(this.centre);
    middle[this.frame.across] = this.slice;
    this.centre = this.grid.toWorld(middle);
    this.mapped = null;
  }

  /** Where the slice's pixels lie in the pane: the grid's own steps, seen along the plane's normal. */
  get mapping(): Mapping {
    this.mapped ??= this.mappingOf(this.grid, this.frame, this.voxelOf(0, 0));
    return this.mapped;
  }

  /** The same for another grid's slice, seen from here: `corner` is its voxel (0, 0) in the plane. */
  mappingOf(grid: Grid, { u, v }: PlaneFrame, corner: Vec3): Mapping {
    const { right, up } = this.frame;
    const { width, height } = this.pane();
    const perMm = 1 / this.mmPerPixel;
    const [stepU, stepV] = [grid.steps[u], grid.steps[v]];
    const from = add(grid.toWorld(corner), scale(this.centre, -1));
    return {
      a: dot(stepU, right) * perMm,
      b: -dot(stepU, up) * perMm,
      c: dot(stepV, right) * perMm,
      d: -dot(stepV, up) * perMm,
      e: width / 2 + dot(from, right) * perMm,
      f: height / 2 - dot(from, up) * perMm,
    };
  }

  /** From CSS pixels of the pane to pixels of the slice image (fractions kept). */
  pixelAt(paneX: number, paneY: number): { u: number; v: number } {
    const { a, b, c, d, e, f } = this.mapping;
    const [x, y] = [paneX - e, paneY - f];
    const det = a * d - b * c;
    return { u: (d * x - c * y) / det, v: (a * y - b * x) / det };
  }

  /** From pixels of the slice image to CSS pixels of the pane. */
  paneAt(u: number, v: number): [number, number] {
    const { a, b, c, d, e, f } = this.mapping;
    return [a * u + c * v + e, b * u + d * v + f];
  }
}
