/** Draws what is over the CT on one plane: the two layers of a mask, a difference, provenance, a preview. */
import type { MaskLook, Shown } from "../display";
import type { Layer, LayerName, Layers } from "../edits/layers";
import type { Grid, PlaneFrame } from "../geometry/grid";
import { outlines, type Edges } from "./outlines";
import { fillCanvas, labelsOn, rgbOf, type Colours } from "./picture";

export interface MaskStyle {
  hidden: boolean;
  look: MaskLook;
  fillPercent: number;
  lungShown: boolean;
  lungLook: "outline" | "fill";
  /** Labels that are not drawn have no colour here. */
  findings: Colours;
  anatomy: Colours;
  shown: Shown;
  preview: { layer: Layer; colour: string } | null;
}

const OUTLINE_PX = 1.5;
const LUNG_OUTLINE_PX = 1;
const PROVENANCE_ALPHA = 0.5;
/** The lungs lie under everything: never so strong that the picture is lost. */
const LUNG_FILL_PART = 0.6;

/** Both, only the mask (A), only the other (B): apart for every kind of colour vision. */
export const DIFFERENCE_COLOURS = { both: "#009E73", onlyA: "#E69F00", onlyB: "#56B4E9" } as const;
const DIFFERENCE: Colours = new Map([
  [1, rgbOf(DIFFERENCE_COLOURS.both)],
  [2, rgbOf(DIFFERENCE_COLOURS.onlyA)],
  [3, rgbOf(DIFFERENCE_COLOURS.onlyB)],
]);

/** More pieces of outline than this are not stroked: each costs some microseconds without a GPU. */
const STROKED_MOST = 3000;

type Rgb = readonly [number, number, number];

const ANY_LABEL = new Uint8Array(256).fill(1, 1);

interface Drawn {
  /** What it was drawn from: another source or slice is drawn anew. */
  sources: readonly unknown[];
  slice: number;
  fill: HTMLCanvasElement | null;
  edges: Map<number, Edges>;
}

interface Place {
  context: CanvasRenderingContext2D;
  matrix: DOMMatrix;
  grid: Grid;
  frame: PlaneFrame;
  slice: number;
  ratio: number;
}

type Picture = "anatomy" | "findings" | "difference" | "provenance" | "preview";
const DEPENDS: Record<LayerName, readonly Picture[]> = { anatomy: ["anatomy", "difference"], findings: ["findings", "difference"] };

export class MaskPainter {
  private readonly drawn = new Map<Picture, Drawn>();
  private sheet: HTMLCanvasElement | null = null;

  forget(layer: LayerName): void {
    DEPENDS[layer].forEach((picture) => this.drawn.delete(picture));
  }

  draw(
    context: CanvasRenderingContext2D,
    matrix: DOMMatrix,
    layers: Layers,
    grid: Grid,
    frame: PlaneFrame,
    slice: number,
    style: MaskStyle,
    ratio: number,
  ): void {
    const place: Place = { context, matrix, grid, frame, slice, ratio };
    const { shown } = style;
    const lung = !("layer" in shown) || shown.layer !== "anatomy";
    if (style.lungShown && lung) this.lungs(place, layers, style);
    if (shown.kind === "difference") this.difference(place, layers, shown, style);
    else if (shown.kind === "provenance") this.provenance(place, shown);
    else {
      const findings = this.of(place, "findings", [layers.findings, style.findings], layers.findings, style.findings);
      if (style.look !== "outline") this.fill(place, findings, style.fillPercent / 100);
      if (style.look !== "fill") this.outline(place, findings, style.findings, OUTLINE_PX);
    }
    if (style.preview) this.preview(place, style.preview);
  }

  private lungs(place: Place, layers: Layers, style: MaskStyle): void {
    const filled = style.lungLook === "fill";
    const drawn = this.of(place, "anatomy", [layers.anatomy, style.anatomy, filled], layers.anatomy, filled ? style.anatomy : null);
    if (filled) this.fill(place, drawn, (LUNG_FILL_PART * style.fillPercent) / 100);
    this.outline(place, drawn, style.anatomy, LUNG_OUTLINE_PX);
  }

  private difference(place: Place, layers: Layers, shown: Shown & { kind: "difference" }, style: MaskStyle): void {
    const { layer, counted } = shown;
    const [a, b] = [(shown.a ?? layers)[layer], shown.b[layer]];
    const drawn = this.prepare(place, "difference", [a, b, counted], DIFFERENCE, () => {
      const [inA, inB] = [a, b].map((from) => labelsOn(from, place.grid, place.frame, place.slice));
      return inA || inB ? classesOf(inA, inB, counted) : null;
    });
    if (style.look !== "outline") this.fill(place, drawn, Math.max(0.35, style.fillPercent / 100));
    this.outline(place, drawn, DIFFERENCE, OUTLINE_PX);
  }

  private provenance(place: Place, { map, authors }: Shown & { kind: "provenance" }): void {
    const colours: Colours = new Map(authors.map(({ colour }, index) => [index + 1, rgbOf(colour)]));
    const drawn = this.of(place, "provenance", [map], map, colours);
    this.fill(place, drawn, PROVENANCE_ALPHA);
    // Outlined in the authors' own colours: an outline in a label's colour would read as another author's.
    this.outline(place, drawn, colours, OUTLINE_PX);
  }

  private preview(place: Place, { layer, colour }: { layer: Layer; colour: string }): void {
    const colours: Colours = new Map([[1, rgbOf(colour)]]);
    const drawn = this.of(place, "preview", [layer, colour], layer, colours);
    this.fill(place, drawn, 0.22);
    place.context.setLineDash([4 * place.ratio, 3 * place.ratio]);
    this.outline(place, drawn, new Map([[1, [255, 255, 255]]]), OUTLINE_PX);
    place.context.setLineDash([]);
  }

  private of(place: Place, picture: Picture, sources: readonly unknown[], layer: Layer, fillWith: Colours | null): Drawn {
    return this.prepare(place, picture, sources, fillWith, () => labelsOn(layer, place.grid, place.frame, place.slice));
  }

  private prepare({ grid, frame, slice }: Place, picture: Picture, sources: readonly unknown[], fillWith: Colours | null, take: () => Uint8Array | null): Drawn {
    const known = this.drawn.get(picture);
    if (known && known.slice === slice && known.sources.every((source, n) => source === sources[n])) return known;
    const width = grid.size[frame.u];
    const height = grid.size[frame.v];
    const labels = take();
    const drawn: Drawn = { sources, slice, fill: null, edges: new Map() };
    if (labels) {
      drawn.edges = outlines(labels, width, height);
      if (fillWith && drawn.edges.size) drawn.fill = fillCanvas(labels, width, height, fillWith, 1);
    }
    this.drawn.set(picture, drawn);
    return drawn;
  }

  private fill({ context, matrix }: Place, drawn: Drawn, alpha: number): void {
    if (!drawn.fill) return;
    context.imageSmoothingEnabled = false;
    context.globalAlpha = alpha;
    context.setTransform(matrix);
    context.drawImage(drawn.fill, -0.5, -0.5);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.globalAlpha = 1;
  }

  private outline(place: Place, drawn: Drawn, colours: Colours, widthPx: number): void {
    const { context, matrix, ratio } = place;
    const upright = (matrix.b === 0 && matrix.c === 0) || (matrix.a === 0 && matrix.d === 0);
    const many: [Edges, Rgb][] = [];
    context.lineWidth = widthPx * ratio;
    context.lineCap = "square";
    for (const [label, edges] of drawn.edges) {
      const colour = colours.get(label);
      if (!colour) continue;
      if (edges.length > STROKED_MOST && upright) {
        many.push([edges, colour]);
        continue;
      }
      const placed = new Path2D();
      placed.addPath(edges.asPath(), matrix);
      context.strokeStyle = `rgb(${colour.join(" ")})`;
      context.stroke(placed);
    }
    if (many.length) this.outlineMany(place, many, widthPx);
  }

  /** What noise has for an outline: pixel by pixel, since strokes without number would hold the page up. */
  private outlineMany({ context, matrix, ratio }: Place, many: readonly [Edges, Rgb][], widthPx: number): void {
    const { width, height } = context.canvas;
    const sheet = (this.sheet ??= document.createElement("canvas"));
    if (sheet.width !== width || sheet.height !== height) [sheet.width, sheet.height] = [width, height];
    const paper = sheet.getContext("2d")!;
    const image = paper.createImageData(width, height);
    const words = new Uint32Array(image.data.buffer);
    for (const [edges, [r, g, b]] of many) {
      edges.raster(words, width, height, matrix, Math.max(1, Math.round(widthPx * ratio)), (0xff000000 | (b << 16) | (g << 8) | r) >>> 0);
    }
    paper.putImageData(image, 0, 0);
    context.drawImage(sheet, 0, 0);
  }
}

/** 1 where both hold a label that is counted, 2 where only a does, 3 where only b does. */
export function classesOf(a: Uint8Array | null, b: Uint8Array | null, counted: Uint8Array = ANY_LABEL): Uint8Array {
  const out = new Uint8Array((a ?? b)!.length);
  for (let i = 0; i < out.length; i++) {
    const inA = a ? counted[a[i]] : 0;
    const inB = b ? counted[b[i]] : 0;
    out[i] = inA ? (inB ? 1 : 2) : inB ? 3 : 0;
  }
  return out;
}
