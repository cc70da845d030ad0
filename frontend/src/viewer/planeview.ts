/** One plane of the scan: one canvas for the CT, one over it for masks, crosshair and scale. */
import { add, directionLetters, dot, scale, type Grid, type PlaneFrame, type Vec3 } from "../geometry/grid";
import { CtPicture, type GreyTable, type HuSlices } from "./ctpicture";
import { MaskPainter, type MaskStyle } from "./maskpainter";
import type { Layers } from "../edits/layers";

/** Pixels of the slice image to CSS pixels of the pane: x = a u + c v + e, y = b u + d v + f. */
export interface Mapping {
  a: number;
  b: number;
  c: number;
  d: number;
  e: number;
  f: number;
}

export interface OverlayMarks {
  style: MaskStyle;
  /** Voxel of the crosshair, or null when it is not shown. */
  crosshair: Vec3 | null;
  /** Thickness of the slab whose maximum is shown; 0: the slice alone. */
  slabMm: number;
}

export class PlaneView {
  slice: number;
  readonly canvas: HTMLCanvasElement;
  private readonly host: HTMLCanvasElement;
  private readonly picture: CtPicture;
  private wanted = 0;
  private readonly painter = new MaskPainter();
  private centre: Vec3;
  private halfHeightMm = 100;
  private mapped: Mapping | null = null;
  private sketched: readonly { u: number; v: number }[] | null = null;

  constructor(
    readonly element: HTMLElement,
    readonly grid: Grid,
    readonly frame: PlaneFrame,
    hu: () => HuSlices,
    private readonly layers: () => Layers | null,
    private readonly marks: () => OverlayMarks,
    /** The CT was drawn; whether all that it shows is loaded. */
    private readonly drawn: (whole: boolean) => void,
  ) {
    this.slice = Math.floor(grid.size[frame.across] / 2);
    this.centre = grid.toWorld(grid.size.map((n) => (n - 1) / 2) as Vec3);
    this.picture = new CtPicture(grid, frame, hu);
    this.host = document.createElement("canvas");
    this.host.className = "pane-image";
    this.canvas = document.createElement("canvas");
    this.canvas.className = "pane-overlay";
    element.prepend(this.host, this.canvas);
  }

  /** Pixels of this plane's slice image. */
  get imageSize(): [number, number] {
    return [this.grid.size[this.frame.u], this.grid.size[this.frame.v]];
  }

  get pixelMm(): [number, number] {
    return [this.grid.spacing[this.frame.u], this.grid.spacing[this.frame.v]];
  }

  /** Letters at the right and at the top; their opposites stand at the left and at the bottom. */
  get letters(): { right: string; left: string; top: string; bottom: string } {
    const { right, up } = this.frame;
    return {
      right: directionLetters(right),
      left: directionLetters(scale(right, -1)),
      top: directionLetters(up),
      bottom: directionLetters(scale(up, -1)),
    };
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
    const aspect = Math.max(0.1, this.element.clientWidth / Math.max(1, this.element.clientHeight));
    return 0.51 * Math.max(extent(up), extent(right) / aspect);
  }

  /** 1 when the whole plane just fits, more when it is nearer. */
  get magnification(): number {
    return this.fittedHalfHeightMm / this.halfHeightMm;
  }

  /** Shows the whole plane. */
  fit(): void {
    this.halfHeightMm = this.fittedHalfHeightMm;
    this.centre = this.grid.toWorld(this.grid.size.map((n) => (n - 1) / 2) as Vec3);
    this.applyCamera();
  }

  show(slice: number): void {
    this.slice = Math.max(0, Math.min(this.grid.size[this.frame.across] - 1, Math.round(slice)));
    this.applyCamera();
  }

  /** Moves the picture by CSS pixels. */
  pan(dx: number, dy: number): void {
    const mm = this.mmPerCssPixel;
    this.centre = add(this.centre, add(scale(this.frame.right, -dx * mm), scale(this.frame.up, dy * mm)));
    this.applyCamera();
  }

  /** Zooms about a point of the pane (CSS pixels); without one, about its middle. */
  zoom(factor: number, about?: [number, number]): void {
    const next = Math.max(2, Math.min(2000, this.halfHeightMm / factor));
    const x = (about?.[0] ?? this.element.clientWidth / 2) - this.element.clientWidth / 2;
    const y = (about?.[1] ?? this.element.clientHeight / 2) - this.element.clientHeight / 2;
    const shift = ((this.halfHeightMm - next) * 2) / Math.max(1, this.element.clientHeight);
    this.centre = add(this.centre, add(scale(this.frame.right, x * shift), scale(this.frame.up, -y * shift)));
    this.halfHeightMm = next;
    this.applyCamera();
  }

  get mmPerCssPixel(): number {
    return (2 * this.halfHeightMm) / Math.max(1, this.element.clientHeight);
  }

  /** Keeps the middle of the pane on the shown slice. */
  applyCamera(): void {
    const middle = this.grid.toVoxel(this.centre);
    middle[this.frame.across] = this.slice;
    this.centre = this.grid.toWorld(middle);
    this.mapped = null;
  }

  window(table: GreyTable): void {
    this.picture.window(table);
  }

  arrived(): void {
    this.picture.arrived();
  }

  /** Draws CT and overlay with the next frame. */
  render(): void {
    this.wanted ||= requestAnimationFrame(() => {
      this.wanted = 0;
      this.drawn(this.drawNow());
    });
  }

  private drawNow(): boolean {
    const ratio = window.devicePixelRatio || 1;
    const context = this.cleared(this.host, ratio);
    context.fillRect(0, 0, this.host.width, this.host.height);
    const whole = this.picture.draw(context, this.matrix(ratio), this.slice, this.marks().slabMm);
    this.drawOverlay();
    return whole;
  }

  /** The canvas's context, the canvas as large as the pane and empty. */
  private cleared(canvas: HTMLCanvasElement, ratio: number): CanvasRenderingContext2D {
    const width = Math.round(this.element.clientWidth * ratio);
    const height = Math.round(this.element.clientHeight * ratio);
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
    const context = canvas.getContext("2d")!;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    return context;
  }

  private matrix(ratio: number): DOMMatrix {
    const { a, b, c, d, e, f } = this.mapping;
    return new DOMMatrix([a * ratio, b * ratio, c * ratio, d * ratio, e * ratio, f * ratio]);
  }

  /** Where the slice's pixels lie in the pane: the grid's own steps, seen along the plane's normal. */
  get mapping(): Mapping {
    if (this.mapped) return this.mapped;
    const { right, up, u, v } = this.frame;
    const perMm = 1 / this.mmPerCssPixel;
    const [stepU, stepV] = [this.grid.steps[u], this.grid.steps[v]];
    const from = add(this.grid.toWorld(this.voxelOf(0, 0)), scale(this.centre, -1));
    this.mapped = {
      a: dot(stepU, right) * perMm,
      b: -dot(stepU, up) * perMm,
      c: dot(stepV, right) * perMm,
      d: -dot(stepV, up) * perMm,
      e: this.element.clientWidth / 2 + dot(from, right) * perMm,
      f: this.element.clientHeight / 2 - dot(from, up) * perMm,
    };
    return this.mapped;
  }

  resized(): void {
    this.mapped = null;
  }

  /** From page coordinates to pixels of the slice image (fractions kept). */
  pixelAt(clientX: number, clientY: number): { u: number; v: number } {
    const box = this.element.getBoundingClientRect();
    const { a, b, c, d, e, f } = this.mapping;
    const x = clientX - box.left - this.element.clientLeft - e;
    const y = clientY - box.top - this.element.clientTop - f;
    const det = a * d - b * c;
    return { u: (d * x - c * y) / det, v: (a * y - b * x) / det };
  }

  /** From pixels of the slice image to CSS pixels of the pane. */
  paneAt(u: number, v: number): [number, number] {
    const { a, b, c, d, e, f } = this.mapping;
    return [a * u + c * v + e, b * u + d * v + f];
  }

  clientAt(u: number, v: number): [number, number] {
    const box = this.element.getBoundingClientRect();
    const [x, y] = this.paneAt(u, v);
    return [box.left + this.element.clientLeft + x, box.top + this.element.clientTop + y];
  }

  /** Forget the drawn mask of these axial slices of a layer, if they touch what is shown. */
  maskChanged(layer: "anatomy" | "findings", slices: readonly number[] | null): void {
    if (this.frame.name === "axial" && slices && !slices.includes(this.slice)) return;
    this.painter.forget(layer);
  }

  /** Shows the outline of a shape in the making (pixels of the slice image); null takes it away. */
  sketch(points: readonly { u: number; v: number }[] | null): void {
    this.sketched = points && points.slice();
    this.drawOverlay();
  }

  private drawSketch(context: CanvasRenderingContext2D, matrix: DOMMatrix, ratio: number): void {
    context.beginPath();
    for (const { u, v } of this.sketched!) {
      const at = matrix.transformPoint(new DOMPoint(u, v));
      context.lineTo(at.x, at.y);
    }
    context.closePath();
    for (const [colour, line, dash] of [["rgba(0, 0, 0, 0.7)", 3, []], ["#D9E0E6", 1.2, [4, 3]]] as const) {
      context.strokeStyle = colour;
      context.lineWidth = line * ratio;
      context.setLineDash(dash.map((length) => length * ratio));
      context.stroke();
    }
    context.setLineDash([]);
  }

  drawOverlay(): void {
    const ratio = window.devicePixelRatio || 1;
    const context = this.cleared(this.canvas, ratio);
    const { width, height } = this.canvas;
    const matrix = this.matrix(ratio);
    const { style, crosshair } = this.marks();
    const layers = this.layers();
    if (layers && !style.hidden) this.painter.draw(context, matrix, layers, this.grid, this.frame, this.slice, style, ratio);
    if (this.sketched) this.drawSketch(context, matrix, ratio);
    if (crosshair) this.drawCrosshair(context, matrix, crosshair, ratio);
    this.drawScale(context, ratio, width, height);
  }

  private drawCrosshair(context: CanvasRenderingContext2D, matrix: DOMMatrix, voxel: Vec3, ratio: number): void {
    const at = matrix.transformPoint(new DOMPoint(voxel[this.frame.u], voxel[this.frame.v]));
    context.strokeStyle = "rgba(76, 179, 212, 0.8)";
    context.lineWidth = ratio;
    context.beginPath();
    context.moveTo(0, at.y);
    context.lineTo(this.canvas.width, at.y);
    context.moveTo(at.x, 0);
    context.lineTo(at.x, this.canvas.height);
    context.stroke();
  }

  private drawScale(context: CanvasRenderingContext2D, ratio: number, width: number, height: number): void {
    const perMm = ratio / this.mmPerCssPixel;
    const mm = [200, 100, 50, 20, 10, 5].find((length) => length * perMm < width / 3);
    if (!mm) return;
    const x = width - 12 * ratio;
    const y = height - 12 * ratio;
    const text = `${mm / 10} cm`;
    context.beginPath();
    context.moveTo(x - mm * perMm, y - 4 * ratio);
    context.lineTo(x - mm * perMm, y);
    context.lineTo(x, y);
    context.lineTo(x, y - 4 * ratio);
    context.font = `${11 * ratio}px system-ui, sans-serif`;
    context.textAlign = "right";
    // Dark below light: legible on bone as on air.
    for (const [colour, line] of [["rgba(0, 0, 0, 0.8)", 3], ["rgb(200, 208, 215)", 1]] as const) {
      context.strokeStyle = context.fillStyle = colour;
      context.lineWidth = line * ratio;
      context.stroke();
      if (line > 1) context.strokeText(text, x, y - 7 * ratio);
      else context.fillText(text, x, y - 7 * ratio);
    }
  }
}
