/** One layer on one slice of a plane, as pixels to fill. Pixel (u, v) is centred on (u, v). */
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
