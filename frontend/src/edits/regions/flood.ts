/** Fills within one slice of a plane: holes of a label, and connected pixels of alike Hounsfield value. 4-connected. */

/** Pixels connected with (u, v) for which `belongs` holds; all 0 when it does not hold there. */
export function flood(width: number, height: number, u: number, v: number, belongs: (i: number) => boolean): { pixels: Uint8Array; touchesBorder: boolean } {
  const pixels = new Uint8Array(width * height);
  let touchesBorder = false;
  const stack = new Int32Array(pixels.length);
  let held = 0;
  const visit = (i: number): void => {
    if (pixels[i] || !belongs(i)) return;
    pixels[i] = 1;
    stack[held++] = i;
  };
  if (u >= 0 && v >= 0 && u < width && v < height) visit(v * width + u);
  while (held) {
    const i = stack[--held];
    const x = i % width;
    const y = (i - x) / width;
    if (x === 0 || y === 0 || x === width - 1 || y === height - 1) touchesBorder = true;
    if (x > 0) visit(i - 1);
    if (x < width - 1) visit(i + 1);
    if (y > 0) visit(i - width);
    if (y < height - 1) visit(i + width);
  }
  return { pixels, touchesBorder };
}

/** The hole around (u, v) that pixels of `value` enclose; null when the place is no hole. */
export function holeAt(labels: Uint8Array, width: number, height: number, u: number, v: number, value: number): Uint8Array | null {
  const { pixels, touchesBorder } = flood(width, height, u, v, (i) => labels[i] !== value);
  return touchesBorder || !pixels[v * width + u] ? null : pixels;
}

/** Every hole that `value` encloses, as pixels that are 1. */
export function holes(labels: Uint8Array, width: number, height: number, value: number): Uint8Array {
  // What is reached from the border without crossing the value is outside.
  const outside = new Uint8Array(labels.length);
  const stack = new Int32Array(labels.length);
  let held = 0;
  const visit = (i: number): void => {
    if (outside[i] || labels[i] === value) return;
    outside[i] = 1;
    stack[held++] = i;
  };
  for (let x = 0; x < width; x++) {
    visit(x);
    visit((height - 1) * width + x);
  }
  for (let y = 0; y < height; y++) {
    visit(y * width);
    visit(y * width + width - 1);
  }
  while (held) {
    const i = stack[--held];
    const x = i % width;
    if (x > 0) visit(i - 1);
    if (x < width - 1) visit(i + 1);
    if (i >= width) visit(i - width);
    if (i < outside.length - width) visit(i + width);
  }
  const found = new Uint8Array(labels.length);
  for (let i = 0; i < found.length; i++) found[i] = outside[i] || labels[i] === value ? 0 : 1;
  return found;
}
