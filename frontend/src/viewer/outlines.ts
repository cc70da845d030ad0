/** The outlines of labels on one slice: edges between pixels, found in one pass and drawn in a time that has a limit. */
import type { Mapping } from "./camera";

/** The border of one label: pieces of the lattice between pixels, straight ones joined. Pixel (u, v) is centred on (u, v). */
export class Edges {
  /** x0, y0, x1, y1 of each piece, half a pixel more than drawn. */
  private pieces = new Int16Array(4 * 256);
  private count = 0;
  private path: Path2D | null = null;

  add(x0: number, y0: number, x1: number, y1: number): void {
    const at = 4 * this.count++;
    if (at === this.pieces.length) {
      const larger = new Int16Array(2 * at);
      larger.set(this.pieces);
      this.pieces = larger;
    }
    this.pieces[at] = x0;
    this.pieces[at + 1] = y0;
    this.pieces[at + 2] = x1;
    this.pieces[at + 3] = y1;
  }

  get length(): number {
    return this.count;
  }

  *[Symbol.iterator](): Generator<[number, number, number, number]> {
    for (let at = 0; at < 4 * this.count; at += 4) {
      yield [this.pieces[at] - 0.5, this.pieces[at + 1] - 0.5, this.pieces[at + 2] - 0.5, this.pieces[at + 3] - 0.5];
    }
  }

  /** As a path in pixels of the slice image. */
  asPath(): Path2D {
    if (!this.path) {
      this.path = new Path2D();
      for (const [x0, y0, x1, y1] of this) {
        this.path.moveTo(x0, y0);
        this.path.lineTo(x1, y1);
      }
    }
    return this.path;
  }

  /**
   * Into words of RGBA, `width` a row, as bars `thick` words wide. The matrix takes pixels of the slice image there and
   * turns by quarters at most: a piece of the lattice stays upright or level.
   */
  raster(words: Uint32Array, width: number, height: number, { a, b, c, d, e, f }: Mapping, thick: number, word: number): void {
    const { pieces } = this;
    const before = Math.floor(thick / 2);
    for (let at = 0; at < 4 * this.count; at += 4) {
      const [u0, v0, u1, v1] = [pieces[at] - 0.5, pieces[at + 1] - 0.5, pieces[at + 2] - 0.5, pieces[at + 3] - 0.5];
      const [xA, xB] = [Math.round(a * u0 + c * v0 + e), Math.round(a * u1 + c * v1 + e)];
      const [yA, yB] = [Math.round(b * u0 + d * v0 + f), Math.round(b * u1 + d * v1 + f)];
      const left = Math.max(0, Math.min(xA, xB) - before);
      const right = Math.min(width, Math.max(xA, xB) - before + thick);
      const top = Math.max(0, Math.min(yA, yB) - before);
      const bottom = Math.min(height, Math.max(yA, yB) - before + thick);
      if (left >= right) continue;
      for (let y = top; y < bottom; y++) words.fill(word, y * width + left, y * width + right);
    }
  }
}

/** The outlines of every label that the slice holds, by label. */
export function outlines(labels: Uint8Array, width: number, height: number): Map<number, Edges> {
  const found = new Map<number, Edges>();
  const edge = (label: number, x0: number, y0: number, x1: number, y1: number): void => {
    let edges = found.get(label);
    if (!edges) found.set(label, (edges = new Edges()));
    edges.add(x0, y0, x1, y1);
  };
  const used = usedRows(labels, width, height);
  if (!used) return found;
  const [top, bottom] = used;
  level(labels, width, height, top, bottom, edge);
  upright(labels, width, top, bottom, edge);
  return found;
}

type Emit = (label: number, x0: number, y0: number, x1: number, y1: number) => void;

/** Edges between rows: below a row, then above the next, as far as the label there stays the same. */
function level(labels: Uint8Array, width: number, height: number, top: number, bottom: number, emit: Emit): void {
  for (let y = top; y <= bottom + 1; y++) {
    for (const side of [-1, 0]) {
      const mine = (y + side) * width;
      const other = (y - 1 - side) * width;
      const isMine = y + side >= 0 && y + side < height;
      const isOther = y - 1 - side >= 0 && y - 1 - side < height;
      if (!isMine) continue;
      let [current, from] = [0, 0];
      for (let x = 0; x <= width; x++) {
        const label = x === width ? 0 : labels[mine + x];
        const shown = label && isOther && labels[other + x] === label ? 0 : label;
        if (shown === current) continue;
        if (current) emit(current, from, y, x, y);
        current = shown;
        from = x;
      }
    }
  }
}

/** Edges between columns. The columns' own state is kept row by row: memory is read in its order. */
function upright(labels: Uint8Array, width: number, top: number, bottom: number, emit: Emit): void {
  for (const side of [-1, 0]) {
    const current = new Uint8Array(width + 1);
    const from = new Int16Array(width + 1);
    for (let y = top; y <= bottom + 1; y++) {
      const row = y * width;
      for (let x = 0; x <= width; x++) {
        const mine = x + side;
        const other = x - 1 - side;
        const label = y > bottom || mine < 0 || mine >= width ? 0 : labels[row + mine];
        const shown = label && other >= 0 && other < width && labels[row + other] === label ? 0 : label;
        if (shown === current[x]) continue;
        if (current[x]) emit(current[x], x, from[x], x, y);
        current[x] = shown;
        from[x] = y;
      }
    }
  }
}

function usedRows(labels: Uint8Array, width: number, height: number): [number, number] | null {
  let top = 0;
  let bottom = labels.length - 1;
  while (top < labels.length && !labels[top]) top++;
  if (top === labels.length) return null;
  while (!labels[bottom]) bottom--;
  return [Math.floor(top / width), Math.min(height - 1, Math.floor(bottom / width))];
}
