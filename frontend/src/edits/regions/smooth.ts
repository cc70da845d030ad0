/**
 * Smoothing of a binary shape with a ball of a radius in mm. Opening: erosion, then dilation. Closing: dilation, then
 * erosion. Median: a voxel belongs when more than half of the ball around it does. Holes: what the shape encloses
 * within each slice of the box's first two axes.
 */
import type { Operation } from "../operation";
import { dilate, erode, type Box } from "./distance";
import { holes } from "./flood";
import { EPSILON, within } from "./within";

export type SmoothKind = "median" | "open" | "close" | "holes";

/** The box must have a margin of at least the radius on every side along which the shape may grow. */
export function* smooth(box: Box, kind: SmoothKind, radiusMm: number): Operation<Box> {
  if (kind === "open") return yield* dilate(yield* erode(box, radiusMm), radiusMm);
  if (kind === "close") return yield* erode(yield* dilate(box, radiusMm), radiusMm);
  if (kind === "holes") return yield* fillHoles(box);
  return yield* median(box, radiusMm);
}

function* fillHoles(box: Box): Operation<Box> {
  const [nx, ny, nz] = box.size;
  const data = box.data.slice();
  for (let z = 0; z < nz; z++) {
    const found = holes(box.data.subarray(z * nx * ny, (z + 1) * nx * ny), nx, ny, 1);
    for (let i = 0, at = z * nx * ny; i < found.length; i++, at++) if (found[i]) data[at] = 1;
    yield z / nz;
  }
  return { ...box, data };
}

/** The ball by its rows of voxels: how far each goes to both sides; only axes along which the box extends. */
export interface Ball {
  rows: { y: number; z: number; half: number }[];
  /** Voxels in it. */
  count: number;
  /** Voxels from its centre to its end, by axis. */
  rim: [number, number, number];
}

export function ballOf(radiusMm: number, size: Box["size"], spacing: Box["spacing"]): Ball {
  const rim = size.map((n, axis) => (n > 1 ? Math.floor(radiusMm / spacing[axis] + 1e-9) : 0)) as Ball["rim"];
  const most = radiusMm * radiusMm + EPSILON;
  const rows: Ball["rows"] = [];
  let count = 0;
  for (let z = -rim[2]; z <= rim[2]; z++) {
    for (let y = -rim[1]; y <= rim[1]; y++) {
      let half = -1;
      while (half < rim[0] && ((half + 1) * spacing[0]) ** 2 + (y * spacing[1]) ** 2 + (z * spacing[2]) ** 2 <= most) half++;
      if (half < 0) continue;
      rows.push({ y, z, half });
      count += 2 * half + 1;
    }
  }
  return { rows, count, rim };
}

function* median(box: Box, radiusMm: number): Operation<Box> {
  const [nx, ny, nz] = box.size;
  const ball = ballOf(radiusMm, box.size, box.spacing);
  const [rimX, rimY, rimZ] = ball.rim;
  const data = box.data.slice();
  // Where the ball does not reach the border of the shape, nothing changes.
  const nearInside = yield* within(box, 1, radiusMm);
  const nearOutside = yield* within(box, 0, radiusMm);
  const sums = new RowSums(box, ball);
  for (let z = 0; z < nz; z++) {
    sums.bringUpTo(z);
    for (let y = 0; y < ny; y++) {
      const innerRow = z >= rimZ && z < nz - rimZ && y >= rimY && y < ny - rimY;
      sums.around(y, z);
      for (let x = 0, i = (z * ny + y) * nx; x < nx; x++, i++) {
        const onRim = !innerRow || x < rimX || x >= nx - rimX;
        if (onRim || (nearInside[i] && nearOutside[i])) data[i] = sums.inside(x) > ball.count / 2 ? 1 : 0;
      }
      if (y % 2) yield (z + y / ny) / nz;
    }
  }
  return { ...box, data };
}

/** How many voxels of the shape lie in the ball around a voxel: from sums along the rows of the slices around. */
class RowSums {
  /** For each row of the slices in reach, sums up to each place, one more than places; slices take turns. */
  private readonly sums: Uint16Array | Uint32Array;
  private readonly slots: number;
  private next = 0;
  /** Of the ball's rows around the present row of voxels: where each begins in the sums, and how far it goes. */
  private readonly begins: Int32Array;
  private readonly halves: Int32Array;
  private rows = 0;

  constructor(
    private readonly box: Box,
    private readonly ball: Ball,
  ) {
    const [nx, ny] = box.size;
    this.slots = 2 * ball.rim[2] + 1;
    const places = this.slots * ny * (nx + 1);
    this.sums = nx < 0xffff ? new Uint16Array(places) : new Uint32Array(places);
    this.begins = new Int32Array(ball.rows.length);
    this.halves = new Int32Array(ball.rows.length);
  }

  /** Slices in reach of z are summed; z goes up by one. */
  bringUpTo(z: number): void {
    const [nx, ny, nz] = this.box.size;
    const { sums } = this;
    for (; this.next < nz && this.next <= z + this.ball.rim[2]; this.next++) {
      let at = (this.next % this.slots) * ny * (nx + 1);
      for (let y = 0, i = this.next * nx * ny; y < ny; y++, at++) {
        let sum = (sums[at] = 0);
        for (let x = 0; x < nx; x++, i++) sums[++at] = sum += this.box.data[i];
      }
    }
  }

  around(y: number, z: number): void {
    const [nx, ny, nz] = this.box.size;
    this.rows = 0;
    for (const row of this.ball.rows) {
      const [v, w] = [y + row.y, z + row.z];
      if (v < 0 || w < 0 || v >= ny || w >= nz) continue;
      this.begins[this.rows] = ((w % this.slots) * ny + v) * (nx + 1);
      this.halves[this.rows++] = row.half;
    }
  }

  inside(x: number): number {
    const { sums, begins, halves, rows } = this;
    const nx = this.box.size[0];
    let count = 0;
    for (let n = 0; n < rows; n++) {
      const to = x + halves[n] + 1;
      const from = x - halves[n];
      count += sums[begins[n] + (to < nx ? to : nx)] - sums[begins[n] + (from > 0 ? from : 0)];
    }
    return count;
  }
}
