/**
 * The CT on one plane, drawn by ourselves: voxels through a table of grey values into a small canvas, which the browser
 * enlarges. Exact windowing from the full int16 voxels, nothing copied but the shown slice.
 */
import type { Grid, PlaneFrame } from "../geometry/grid";

export type HuSlices = readonly (Int16Array | null)[];

/** Grey as RGBA words for each int16 value, indexed by its 16 bits: linear between the ends of the window. */
export class GreyTable {
  readonly words = new Uint32Array(65536);

  constructor(readonly width: number, readonly level: number) {
    const low = level - width / 2;
    for (let bits = 0; bits < 65536; bits++) {
      const value = bits < 32768 ? bits : bits - 65536;
      const grey = Math.max(0, Math.min(255, Math.round((255 * (value - low)) / width)));
      this.words[bits] = 0xff000000 | (grey << 16) | (grey << 8) | grey;
    }
  }
}

/** Clear where nothing is loaded yet: what lies below shows. */
const NOT_LOADED = 0;

/**
 * Fills `out` (rows by v) with slice `index` of a plane, or with the maximum over slices `index - reach` to
 * `index + reach`. Returns whether every voxel that it shows was there.
 */
export function shade(hu: HuSlices, grid: Grid, frame: PlaneFrame, index: number, reach: number, { words }: GreyTable, out: Uint32Array): boolean {
  const [nx, ny, nz] = grid.size;
  const first = Math.max(0, index - reach);
  const last = Math.min(grid.size[frame.across] - 1, index + reach);
  let whole = true;
  if (frame.name === "axial") {
    const held = hu.slice(first, last + 1).filter((slice) => slice !== null && slice !== undefined) as Int16Array[];
    whole = held.length === last - first + 1;
    if (!held.length) out.fill(NOT_LOADED);
    else if (held.length === 1) for (let i = 0; i < out.length; i++) out[i] = words[held[0][i] & 0xffff];
    else {
      const most = held[0].slice();
      for (const slice of held.slice(1)) for (let i = 0; i < most.length; i++) if (slice[i] > most[i]) most[i] = slice[i];
      for (let i = 0; i < out.length; i++) out[i] = words[most[i] & 0xffff];
    }
    return whole;
  }
  const width = frame.name === "coronal" ? nx : ny;
  const stride = frame.name === "coronal" ? 1 : nx;
  const step = frame.name === "coronal" ? nx : 1;
  for (let k = 0; k < nz; k++) {
    const slice = hu[k];
    const row = k * width;
    if (!slice) {
      out.fill(NOT_LOADED, row, row + width);
      whole = false;
      continue;
    }
    for (let n = 0; n < width; n++) {
      let i = first * step + n * stride;
      let value = slice[i];
      for (let at = first + 1; at <= last; at++) {
        i += step;
        if (slice[i] > value) value = slice[i];
      }
      out[row + n] = words[value & 0xffff];
    }
  }
  return whole;
}

/**
 * Columns of the sagittal plane, a few at once: in memory they lie a row apart, and fetching one brings its neighbours
 * along for nothing. Scrolling then reads what is there.
 */
export class Columns {
  static readonly COUNT = 8;
  private first = -1;
  private whole = false;
  private readonly values: Int16Array;

  constructor(private readonly grid: Grid) {
    this.values = new Int16Array(Columns.COUNT * grid.size[1] * grid.size[2]);
  }

  /** Voxels came in: what was fetched before may be partial. */
  arrived(): void {
    if (!this.whole) this.first = -1;
  }

  /** Column `index` of every row of every slice, j fastest; null when some slice is not there. */
  take(hu: HuSlices, index: number): Int16Array | null {
    const [nx, ny, nz] = this.grid.size;
    const first = Math.min(index - (index % Columns.COUNT), Math.max(0, nx - Columns.COUNT));
    if (this.first !== first) this.fetch(hu, first);
    return this.whole ? this.values.subarray((index - first) * ny * nz, (index - first + 1) * ny * nz) : null;
  }

  private fetch(hu: HuSlices, first: number): void {
    const [nx, ny, nz] = this.grid.size;
    const plane = ny * nz;
    const count = Math.min(Columns.COUNT, nx);
    this.first = first;
    this.whole = true;
    for (let k = 0; k < nz; k++) {
      const slice = hu[k];
      if (!slice) {
        this.whole = false;
        return;
      }
      for (let j = 0, at = first, to = k * ny; j < ny; j++, at += nx, to++) {
        for (let c = 0; c < count; c++) this.values[c * plane + to] = slice[at + c];
      }
    }
  }
}

export class CtPicture {
  private columns: Columns | null = null;
  private readonly small = document.createElement("canvas");
  private readonly context: CanvasRenderingContext2D;
  private readonly image: ImageData;
  private readonly words: Uint32Array;
  private shown = "";
  private table = new GreyTable(1500, -600);
  private whole = false;

  constructor(
    private readonly grid: Grid,
    private readonly frame: PlaneFrame,
    private readonly hu: () => HuSlices,
  ) {
    this.small.width = grid.size[frame.u];
    this.small.height = grid.size[frame.v];
    this.context = this.small.getContext("2d")!;
    this.image = this.context.createImageData(this.small.width, this.small.height);
    this.words = new Uint32Array(this.image.data.buffer);
  }

  /** Voxels came in: what is shown may be drawn anew. */
  arrived(): void {
    if (!this.whole) this.shown = "";
    this.columns?.arrived();
  }

  /** The table is shared by all planes. */
  window(table: GreyTable): void {
    this.table = table;
    this.shown = "";
  }

  /** Makes ready slice `index`, or the maximum of a slab of it; returns whether every voxel of it was there. */
  prepare(index: number, slabMm: number): boolean {
    const reach = Math.floor(slabMm / 2 / this.grid.spacing[this.frame.across] + 1e-9);
    const wanted = `${index} ${reach}`;
    if (this.shown !== wanted) {
      this.whole = this.shadeColumn(index, reach) || shade(this.hu(), this.grid, this.frame, index, reach, this.table, this.words);
      this.context.putImageData(this.image, 0, 0);
      this.shown = wanted;
    }
    return this.whole;
  }

  /** Draws what was made ready; the matrix takes pixels of the slice image to the canvas. */
  draw(context: CanvasRenderingContext2D, matrix: DOMMatrix): void {
    context.imageSmoothingEnabled = true;
    context.imageSmoothingQuality = "medium";
    context.setTransform(matrix);
    // Pixel (u, v) is centred on (u, v).
    context.drawImage(this.small, -0.5, -0.5);
    context.setTransform(1, 0, 0, 1, 0, 0);
  }

  /** The sagittal plane from columns fetched together; false when it must be done the plain way. */
  private shadeColumn(index: number, reach: number): boolean {
    if (this.frame.name !== "sagittal" || reach) return false;
    this.columns ??= new Columns(this.grid);
    const column = this.columns.take(this.hu(), index);
    if (!column) return false;
    const { words } = this.table;
    for (let n = 0; n < column.length; n++) this.words[n] = words[column[n] & 0xffff];
    return true;
  }
}
