import { describe, expect, it } from "vitest";
import { sweepDisc } from "../src/geometry/disc";
import { directionLetters, Grid, type Vec3 } from "../src/geometry/grid";

const round = (v: readonly number[]): number[] => v.map((n) => Math.round(n * 1e6) / 1e6 + 0);

describe("a grid", () => {
  it("carries voxels to millimetres and back, for an oblique grid", () => {
    const c = Math.cos(0.2);
    const s = Math.sin(0.2);
    const grid = new Grid([10, 20, 30], [
      [0.7, 0, 0, -100],
      [0, 0.7 * c, -5 * s, 50],
      [0, 0.7 * s, 5 * c, -300],
      [0, 0, 0, 1],
    ]);
    const voxel: Vec3 = [3, 17, 8];
    expect(round(grid.toVoxel(grid.toWorld(voxel)))).toEqual(voxel);
    expect(round(grid.spacing)).toEqual([0.7, 0.7, 5]);
    expect(directionLetters(grid.planes.axial.right)).toBe("L");
    expect(directionLetters(grid.planes.axial.up)).toBe("A");
  });

  it("shows left on the right, front and head up, however the axes run", () => {
    for (const [sx, sy, sz] of [
      [1, 1, 1],
      [-1, 1, -1],
      [-1, -1, 1],
      [1, -1, -1],
    ]) {
      const grid = new Grid([4, 5, 6], [
        [sx, 0, 0, 0],
        [0, sy, 0, 0],
        [0, 0, 2 * sz, 0],
        [0, 0, 0, 1],
      ]);
      const { axial, coronal, sagittal } = grid.planes;
      expect([axial, coronal, sagittal].map((plane) => directionLetters(plane.right))).toEqual(["L", "L", "P"]);
      expect([axial, coronal, sagittal].map((plane) => directionLetters(plane.up))).toEqual(["A", "H", "H"]);
      expect(axial.normal.map((n) => n + 0)).toEqual([0, 0, -1]);
    }
  });
});

function swept(from: [number, number], to: [number, number], radius: number, spacing: [number, number], size: [number, number]): Set<number> {
  const found = new Set<number>();
  sweepDisc({ u: from[0], v: from[1] }, { u: to[0], v: to[1] }, radius, spacing, size, (v, a, b) => {
    for (let u = a; u < b; u++) found.add(v * size[0] + u);
  });
  return found;
}

describe("the brush", () => {
  it("covers exactly the pixels whose centres lie within the radius of the segment", () => {
    const size: [number, number] = [60, 40];
    for (const [from, to, radius, spacing] of [
      [[10.3, 12.7], [10.3, 12.7], 6, [0.7, 0.7]],
      [[10.3, 12.7], [40.9, 30.1], 4.2, [0.7, 5]],
      [[-5, 20], [70, 21], 9, [1.4, 1.4]],
      [[55, 39], [59.4, 2], 0.4, [1, 1]],
    ] as [[number, number], [number, number], number, [number, number]][]) {
      const expected = new Set<number>();
      const [ax, ay, bx, by] = [from[0] * spacing[0], from[1] * spacing[1], to[0] * spacing[0], to[1] * spacing[1]];
      const squared = (bx - ax) ** 2 + (by - ay) ** 2;
      for (let v = 0; v < size[1]; v++) {
        for (let u = 0; u < size[0]; u++) {
          const [px, py] = [u * spacing[0], v * spacing[1]];
          const t = squared ? Math.max(0, Math.min(1, ((px - ax) * (bx - ax) + (py - ay) * (by - ay)) / squared)) : 0;
          if (Math.hypot(px - ax - t * (bx - ax), py - ay - t * (by - ay)) <= radius) expected.add(v * size[0] + u);
        }
      }
      expect(swept(from, to, radius, spacing, size)).toEqual(expected);
    }
  });
});
