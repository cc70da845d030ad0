/** One layer on one slice of a plane, as pixels to fill and as outlines to stroke. Pixel (u, v) is centred on (u, v). */
import type { Layer } from "../edits/layers";
import type { Grid, PlaneFrame } from "../geometry/grid";

export type Colours = Map<number, [number, number, number]>;

export function rgbOf(colour: string): [number, number, number] {
  const hex = colour.replace("#", "");
  return [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16)) as [number, number, number];
}

/** The labels on a slice of the plane, row by row; null when the slice is empty. Axial slices are not copied. */
export function labelsOn(layer: Layer, grid: Grid, frame: PlaneFrame, index: number): Uint8Array | null {
  const [nx, ny, nz] = grid.size;
  if (frame.name === "axial") return layer.slices[index];
  const width = frame.u === 0 ? nx : ny;
  let out: Uint8Array | null = null;
  for (let k = 0; k < nz; k++) {
    const slice = layer.slices[k];
    if (!slice) continue;
    out ??= new Uint8Array(width * nz);
    if (frame.name === "coronal") out.set(slice.subarray(index * nx, (index + 1) * nx), k * nx);
    else for (let j = 0; j < ny; j++) out[k * ny + j] = slice[j * nx + index];
  }
  return out;
}

/** Outlines of every label as paths in pixel coordinates, edges between pixels merged into runs. */
export function outlines(labels: Uint8Array, width: number, height: number): Map<number, Path2D> {
  const paths = new Map<number, Path2D>();
  const line = (label: number, x0: number, y0: number, x1: number, y1: number): void => {
    let path = paths.get(label);
    if (!path) paths.set(label, (path = new Path2D()));
    path.moveTo(x0 - 0.5, y0 - 0.5);
    path.lineTo(x1 - 0.5, y1 - 0.5);
  };
  const used = usedRows(labels, width, height);
  if (!used) return paths;
  const [top, bottom] = used;
  for (let y = top; y <= bottom + 1; y++) {
    for (const side of [-1, 0]) {
      const mine = y + side;
      if (mine < 0 || mine >= height) continue;
      const other = side ? y : y - 1;
      scanEdges(width, (x) => edgeLabel(labels, width, height, x, mine, x, other), (label, from, to) => line(label, from, y, to, y));
    }
  }
  for (let x = 0; x <= width; x++) {
    for (const side of [-1, 0]) {
      const mine = x + side;
      if (mine < 0 || mine >= width) continue;
      const other = side ? x : x - 1;
      scanEdges(
        bottom + 1,
        (y) => edgeLabel(labels, width, height, mine, y, other, y),
        (label, from, to) => line(label, x, from, x, to),
        top,
      );
    }
  }
  return paths;
}

function usedRows(labels: Uint8Array, width: number, height: number): [number, number] | null {
  let top = 0;
  let bottom = labels.length - 1;
  while (top < labels.length && !labels[top]) top++;
  if (top === labels.length) return null;
  while (!labels[bottom]) bottom--;
  return [Math.floor(top / width), Math.min(height - 1, Math.floor(bottom / width))];
}

/** The label at (x, y) when the neighbour differs, else 0. */
function edgeLabel(labels: Uint8Array, width: number, height: number, x: number, y: number, nx: number, ny: number): number {
  const label = labels[y * width + x];
  if (!label) return 0;
  const outside = nx < 0 || ny < 0 || nx >= width || ny >= height;
  return !outside && labels[ny * width + nx] === label ? 0 : label;
}

function scanEdges(end: number, at: (n: number) => number, emit: (label: number, from: number, to: number) => void, start = 0): void {
  let current = 0;
  let from = start;
  for (let n = start; n <= end; n++) {
    const label = n < end ? at(n) : 0;
    if (label === current) continue;
    if (current) emit(current, from, n);
    current = label;
    from = n;
  }
}

/** The filled pixels as a small canvas, to be drawn enlarged without smoothing. */
export function fillCanvas(labels: Uint8Array, width: number, height: number, colours: Colours, alpha: number): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d")!;
  const image = context.createImageData(width, height);
  const words = new Uint32Array(image.data.buffer);
  const table = new Uint32Array(256);
  for (const [value, [r, g, b]] of colours) table[value] = ((alpha * 255) << 24) | (b << 16) | (g << 8) | r;
  for (let i = 0; i < labels.length; i++) if (labels[i]) words[i] = table[labels[i]];
  context.putImageData(image, 0, 0);
  return canvas;
}
