/** One plane of the scan: one canvas for the CT, one over it for masks, crosshair and scale. */
import type { Point } from "../geometry/disc";
import { directionLetters, scale, type Grid, type PlaneFrame, type Vec3 } from "../geometry/grid";
import { Camera, type Mapping } from "./camera";
import { CtPicture, type GreyTable, type HuSlices } from "./ctpicture";
import * as frames from "./frames";
import { MaskPainter, type MaskStyle } from "./maskpainter";
import type { Layers } from "../edits/layers";
import { lengthUnit } from "../units";

/** A measured length on the shown slice, in pixels of the slice image. */
export interface ShownLength {
  a: Point;
  b: Point;
  text: string;
  chosen: boolean;
}

/** A comment on the shown slice: its voxel, and its number. */
export interface ShownPin {
  voxel: Vec3;
  text: string;
  chosen: boolean;
}

export interface OverlayMarks {
  style: MaskStyle;
  /** Voxel of the crosshair, or null when it is not shown. */
  crosshair: Vec3 | null;
  /** Thickness of the slab whose maximum is shown; 0: the slice alone. */
  slabMm: number;
  lengths: readonly ShownLength[];
  pins: readonly ShownPin[];
}

const WORDS = "#E8EDF1";
const LENGTH = "#D9E0E6";
/** The voxel itself stays free to be seen. */
const CROSS_GAP_PX = 10;
const PIN_PX = 8;
const PIN_AWAY_PX = 16;
const LENGTH_CHOSEN = "#4CB3D4";

const scaled = ({ a, b, c, d, e, f }: Mapping, ratio: number): DOMMatrix =>
  new DOMMatrix([a * ratio, b * ratio, c * ratio, d * ratio, e * ratio, f * ratio]);

export class PlaneView {
  readonly camera: Camera;
  readonly canvas: HTMLCanvasElement;
  private readonly host: HTMLCanvasElement;
  private readonly picture: CtPicture;
  private coarse: { grid: Grid; frame: PlaneFrame; picture: CtPicture } | null = null;
  /** Names of this plane's drawing among all that is to be drawn. */
  private readonly frameOfAll = {};
  private readonly frameOfOverlay = {};
  private readonly painter = new MaskPainter();
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
    this.camera = new Camera(grid, frame, () => ({ width: element.clientWidth, height: element.clientHeight }));
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

  get slice(): number {
    return this.camera.slice;
  }

  voxelOf(u: number, v: number): Vec3 {
    return this.camera.voxelOf(u, v);
  }

  get magnification(): number {
    return this.camera.magnification;
  }

  get mmPerCssPixel(): number {
    return this.camera.mmPerPixel;
  }

  get mapping(): Mapping {
    return this.camera.mapping;
  }

  window(table: GreyTable): void {
    this.picture.window(table);
    this.coarse?.picture.window(table);
  }

  arrived(): void {
    this.picture.arrived();
  }

  /** Draws CT and overlay with the next frame. */
  render(): void {
    frames.forget(this.frameOfOverlay);
    frames.draw(this.frameOfAll, () => this.drawn(this.drawNow()));
  }

  /** Draws the overlay alone with the next frame. */
  renderOverlay(shown: () => boolean): void {
    frames.draw(this.frameOfOverlay, () => shown() && this.drawOverlay());
  }

  private drawNow(): boolean {
    const ratio = window.devicePixelRatio || 1;
    const context = this.cleared(this.host, ratio);
    context.fillRect(0, 0, this.host.width, this.host.height);
    const { slabMm } = this.marks();
    const whole = this.picture.prepare(this.slice, slabMm);
    if (!whole) this.drawCoarse(context, ratio, slabMm);
    this.picture.draw(context, this.matrix(ratio));
    this.drawOverlay();
    return whole;
  }

  /** What is not loaded yet, as the preview shows it. */
  private drawCoarse(context: CanvasRenderingContext2D, ratio: number, slabMm: number): void {
    if (!this.coarse) return;
    const { grid, frame, picture } = this.coarse;
    const at = Math.round(grid.toVoxel(this.grid.toWorld(this.voxelOf(0, 0)))[frame.across]);
    const slice = Math.max(0, Math.min(grid.size[frame.across] - 1, at));
    const corner: Vec3 = [0, 0, 0];
    corner[frame.across] = slice;
    picture.prepare(slice, slabMm);
    picture.draw(context, scaled(this.camera.mappingOf(grid, frame, corner), ratio));
  }

  /** A low-resolution copy of the scan, on a grid of its own; null when it is not needed any more. */
  preview(grid: Grid | null, hu: () => HuSlices, table: GreyTable): void {
    if (!grid) this.coarse = null;
    else {
      const frame = grid.planes[this.frame.name];
      this.coarse = { grid, frame, picture: new CtPicture(grid, frame, hu) };
      this.coarse.picture.window(table);
    }
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
    return scaled(this.mapping, ratio);
  }

  /** From page coordinates to pixels of the slice image (fractions kept). */
  pixelAt(clientX: number, clientY: number): { u: number; v: number } {
    const box = this.element.getBoundingClientRect();
    return this.camera.pixelAt(clientX - box.left - this.element.clientLeft, clientY - box.top - this.element.clientTop);
  }

  /** From pixels of the slice image to CSS pixels of the pane. */
  paneAt(u: number, v: number): [number, number] {
    return this.camera.paneAt(u, v);
  }

  clientAt(u: number, v: number): [number, number] {
    const box = this.element.getBoundingClientRect();
    const [x, y] = this.paneAt(u, v);
    return [box.left + this.element.clientLeft + x, box.top + this.element.clientTop + y];
  }

  /** Takes its canvases away. */
  dispose(): void {
    frames.forget(this.frameOfAll);
    frames.forget(this.frameOfOverlay);
    this.host.remove();
    this.canvas.remove();
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
    const { style, crosshair, lengths, pins } = this.marks();
    const layers = this.layers();
    if (layers && !style.hidden) this.painter.draw(context, matrix, layers, this.grid, this.frame, this.slice, style, ratio);
    if (this.sketched) this.drawSketch(context, matrix, ratio);
    for (const length of lengths) this.drawLength(context, matrix, length, ratio);
    for (const pin of pins) this.drawPin(context, matrix, pin, ratio);
    if (crosshair) this.drawCrosshair(context, matrix, crosshair, ratio);
    this.drawScale(context, ratio, width, height);
  }

  private drawCrosshair(context: CanvasRenderingContext2D, matrix: DOMMatrix, voxel: Vec3, ratio: number): void {
    const at = matrix.transformPoint(new DOMPoint(voxel[this.frame.u], voxel[this.frame.v]));
    const { width, height } = this.canvas;
    const gap = CROSS_GAP_PX * ratio;
    context.beginPath();
    for (const [x0, y0, x1, y1] of [[0, at.y, at.x - gap, at.y], [at.x + gap, at.y, width, at.y], [at.x, 0, at.x, at.y - gap], [at.x, at.y + gap, at.x, height]]) {
      context.moveTo(x0, y0);
      context.lineTo(x1, y1);
    }
    context.strokeStyle = "rgba(76, 179, 212, 0.85)";
    context.lineWidth = ratio;
    context.stroke();
  }

  /** A dot beside the voxel, so that the voxel itself stays to be seen, and a line to it. */
  private drawPin(context: CanvasRenderingContext2D, matrix: DOMMatrix, { voxel, text, chosen }: ShownPin, ratio: number): void {
    const { x, y } = matrix.transformPoint(new DOMPoint(voxel[this.frame.u], voxel[this.frame.v]));
    const [cx, cy, radius] = [x + PIN_AWAY_PX * ratio, y - PIN_AWAY_PX * ratio, PIN_PX * ratio];
    const toRim = radius * Math.SQRT1_2;
    context.beginPath();
    context.moveTo(x + 2 * ratio, y - 2 * ratio);
    context.lineTo(cx - toRim, cy + toRim);
    context.strokeStyle = chosen ? LENGTH_CHOSEN : LENGTH;
    context.lineWidth = 1.2 * ratio;
    context.stroke();
    context.beginPath();
    context.arc(cx, cy, radius, 0, 2 * Math.PI);
    context.fillStyle = "rgba(11, 14, 17, 0.78)";
    context.fill();
    context.stroke();
    context.font = `${11 * ratio}px system-ui, sans-serif`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillStyle = chosen ? LENGTH_CHOSEN : WORDS;
    context.fillText(text, cx, cy + 0.5 * ratio);
    context.textBaseline = "alphabetic";
  }

  private drawLength(context: CanvasRenderingContext2D, matrix: DOMMatrix, { a, b, text, chosen }: ShownLength, ratio: number): void {
    const from = matrix.transformPoint(new DOMPoint(a.u, a.v));
    const to = matrix.transformPoint(new DOMPoint(b.u, b.v));
    const far = Math.hypot(to.x - from.x, to.y - from.y) || 1;
    const [x, y] = [((from.y - to.y) / far) * 5 * ratio, ((to.x - from.x) / far) * 5 * ratio];
    context.beginPath();
    context.moveTo(from.x, from.y);
    context.lineTo(to.x, to.y);
    for (const end of [from, to]) {
      context.moveTo(end.x - x, end.y - y);
      context.lineTo(end.x + x, end.y + y);
    }
    const right = to.x >= from.x ? to : from;
    context.textAlign = "left";
    context.font = `${12 * ratio}px system-ui, sans-serif`;
    this.lineOnDark(context, chosen ? LENGTH_CHOSEN : LENGTH, ratio, () => [text, right.x + 8 * ratio, right.y + 4 * ratio]);
  }

  /** Strokes the path and writes the text, dark below light: legible on bone as on air. */
  private lineOnDark(context: CanvasRenderingContext2D, light: string, ratio: number, words: () => [string, number, number]): void {
    const [text, x, y] = words();
    context.lineJoin = "round";
    for (const [colour, line] of [["rgba(0, 0, 0, 0.8)", 3], [light, 1.2]] as const) {
      context.strokeStyle = colour;
      context.lineWidth = line * ratio;
      context.stroke();
      if (line > 2) context.strokeText(text, x, y);
    }
    context.fillStyle = WORDS;
    context.fillText(text, x, y);
  }

  private drawScale(context: CanvasRenderingContext2D, ratio: number, width: number, height: number): void {
    const perMm = ratio / this.mmPerCssPixel;
    const mm = [200, 100, 50, 20, 10, 5].find((length) => length * perMm < width / 3);
    if (!mm) return;
    const x = width - 12 * ratio;
    const y = height - 12 * ratio;
    const text = lengthUnit.value === "mm" ? `${mm / 10} cm` : `${mm} px`;
    context.beginPath();
    context.moveTo(x - mm * perMm, y - 4 * ratio);
    context.lineTo(x - mm * perMm, y);
    context.lineTo(x, y);
    context.lineTo(x, y - 4 * ratio);
    context.font = `${11 * ratio}px system-ui, sans-serif`;
    context.textAlign = "right";
    this.lineOnDark(context, "rgb(200, 208, 215)", ratio, () => [text, x, y - 7 * ratio]);
  }
}
