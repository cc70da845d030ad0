/**
 * Smoothing of a binary shape with a ball of a radius in mm. Opening: erosion, then dilation. Closing: dilation, then
 * erosion. Median: a voxel belongs when more than half of the ball around it does. Holes: what the shape encloses
 * within each slice of the box's first two axes.
 */
import type { Operation } from "../operation";
import { dilate, erode, squaredDistance, type Box } from "./distance";
import { holes } from "./flood";

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
    const slice = box.data.subarray(z * nx * ny, (z + 1) * nx * ny);
    holes(slice, nx, ny, 1).forEach((hole, i) => hole && (data[z * nx * ny + i] = 1));
    yield z / nz;
  }
  return { ...box, data };
}

/** Offsets of the ball, in voxels; only axes along which the box extends. */
export function ball(radiusMm: number, size: Box["size"], spacing: Box["spacing"]): { places: [number, number, number][]; rim: number[] } {
  const reach = size.map((n, axis) => (n > 1 ? Math.floor(radiusMm / spacing[axis] + 1e-9) : 0));
  const offsets: [number, number, number][] = [];
  for (let z = -reach[2]; z <= reach[2]; z++) {
    for (let y = -reach[1]; y <= reach[1]; y++) {
      for (let x = -reach[0]; x <= reach[0]; x++) {
        if ((x * spacing[0]) ** 2 + (y * spacing[1]) ** 2 + (z * spacing[2]) ** 2 <= radiusMm * radiusMm + 1e-6) offsets.push([x, y, z]);
      }
    }
  }
  return { places: offsets, rim: reach };
}

function* median(box: Box, radiusMm: number): Operation<Box> {
  const [nx, ny, nz] = box.size;
  const offsets = ball(radiusMm, box.size, box.spacing);
  const half = offsets.places.length / 2;
  const data = box.data.slice();
  // Where the ball does not reach the border of the shape, nothing changes.
  const toInside = yield* squaredDistance(box, 1);
  const toOutside = yield* squaredDistance(box, 0);
  const reach = radiusMm * radiusMm + 1e-6;
  for (let z = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++) {
      for (let x = 0; x < nx; x++) {
        const i = (z * ny + y) * nx + x;
        const onRim = x < offsets.rim[0] || y < offsets.rim[1] || z < offsets.rim[2] || x >= nx - offsets.rim[0] || y >= ny - offsets.rim[1] || z >= nz - offsets.rim[2];
        if (!onRim && (toInside[i] > reach || toOutside[i] > reach)) continue;
        let inside = 0;
        for (const [dx, dy, dz] of offsets.places) {
          const [u, v, w] = [x + dx, y + dy, z + dz];
          if (u >= 0 && v >= 0 && w >= 0 && u < nx && v < ny && w < nz && box.data[(w * ny + v) * nx + u]) inside++;
        }
        data[i] = inside > half ? 1 : 0;
      }
      if (y % 8 === 7) yield (z + y / ny) / nz;
    }
  }
  return { ...box, data };
}
