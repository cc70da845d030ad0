/**
 * The brush: which pixels of a slice a disc covers that was dragged along a segment. A pixel is covered if and only
 * if its centre lies within the radius (mm, in the plane, Euclidean) of the segment.
 */
export interface Point {
  u: number;
  v: number;
}

/** Calls `row(v, fromU, toU)` (end excluded) for every covered run of pixels. Points in pixels, spacing in mm. */
export function sweepDisc(
  from: Point,
  to: Point,
  radiusMm: number,
  spacing: readonly [uMm: number, vMm: number],
  size: readonly [width: number, height: number],
  row: (v: number, fromU: number, toU: number) => void,
): void {
  const [su, sv] = spacing;
  const ax = from.u * su;
  const ay = from.v * sv;
  const dx = to.u * su - ax;
  const dy = to.v * sv - ay;
  const lengthSquared = dx * dx + dy * dy;
  const reach = radiusMm * radiusMm;
  const firstV = Math.max(0, Math.ceil(Math.min(from.v, to.v) - radiusMm / sv));
  const lastV = Math.min(size[1] - 1, Math.floor(Math.max(from.v, to.v) + radiusMm / sv));
  const firstU = Math.max(0, Math.ceil(Math.min(from.u, to.u) - radiusMm / su));
  const lastU = Math.min(size[0] - 1, Math.floor(Math.max(from.u, to.u) + radiusMm / su));
  const covers = (u: number, v: number): boolean => {
    const px = u * su - ax;
    const py = v * sv - ay;
    const t = lengthSquared ? Math.min(1, Math.max(0, (px * dx + py * dy) / lengthSquared)) : 0;
    const ex = px - t * dx;
    const ey = py - t * dy;
    return ex * ex + ey * ey <= reach;
  };
  // The shape is convex: each row of pixels is one run.
  for (let v = firstV; v <= lastV; v++) {
    let start = firstU;
    while (start <= lastU && !covers(start, v)) start++;
    if (start > lastU) continue;
    let end = start + 1;
    while (end <= lastU && covers(end, v)) end++;
    row(v, start, end);
  }
}
