/** Draws the two layers of a mask over one plane: findings filled and outlined, lungs as a thin outline. */
import type { MaskLook } from "../display";
import type { LayerName, Layers } from "../edits/layers";
import type { Grid, PlaneFrame } from "../geometry/grid";
import { fillCanvas, labelsOn, outlines, type Colours } from "./picture";

export interface MaskStyle {
  hidden: boolean;
  look: MaskLook;
  lungShown: boolean;
  findings: Colours;
  anatomy: Colours;
}

const FILL_ALPHA = 0.3;
const OUTLINE_PX = 1.5;
const LUNG_OUTLINE_PX = 1;

interface Drawn {
  slice: number;
  fill: HTMLCanvasElement | null;
  paths: Map<number, Path2D>;
}

export class MaskPainter {
  private readonly drawn: Record<LayerName, Drawn | null> = { anatomy: null, findings: null };

  forget(layer: LayerName): void {
    this.drawn[layer] = null;
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
    if (style.lungShown) {
      const lung = this.prepared("anatomy", layers, grid, frame, slice, null);
      this.stroke(context, matrix, lung, style.anatomy, LUNG_OUTLINE_PX * ratio);
    }
    const findings = this.prepared("findings", layers, grid, frame, slice, style.findings);
    if (findings.fill && style.look !== "outline") {
      context.imageSmoothingEnabled = false;
      context.setTransform(matrix);
      context.drawImage(findings.fill, -0.5, -0.5);
      context.setTransform(1, 0, 0, 1, 0, 0);
    }
    if (style.look !== "fill") this.stroke(context, matrix, findings, style.findings, OUTLINE_PX * ratio);
  }

  private prepared(
    name: LayerName,
    layers: Layers,
    grid: Grid,
    frame: PlaneFrame,
    slice: number,
    fillWith: Colours | null,
  ): Drawn {
    const known = this.drawn[name];
    if (known && known.slice === slice) return known;
    const width = grid.size[frame.u];
    const height = grid.size[frame.v];
    const labels = labelsOn(layers[name], grid, frame, slice);
    const drawn: Drawn = { slice, fill: null, paths: new Map() };
    if (labels) {
      drawn.paths = outlines(labels, width, height);
      if (fillWith && drawn.paths.size) drawn.fill = fillCanvas(labels, width, height, fillWith, FILL_ALPHA);
    }
    this.drawn[name] = drawn;
    return drawn;
  }

  private stroke(context: CanvasRenderingContext2D, matrix: DOMMatrix, drawn: Drawn, colours: Colours, widthPx: number): void {
    context.lineWidth = widthPx;
    context.lineCap = "square";
    for (const [label, path] of drawn.paths) {
      const colour = colours.get(label);
      if (!colour) continue;
      const placed = new Path2D();
      placed.addPath(path, matrix);
      context.strokeStyle = `rgb(${colour.join(" ")})`;
      context.stroke(placed);
    }
  }
}
