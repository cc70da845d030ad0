import { describe, expect, it } from "vitest";
import { emptyLayers } from "../src/edits/layers";
import { carryOutAtOnce } from "../src/edits/operation";
import { Grid, type Vec3 } from "../src/geometry/grid";
import { coarsen, factorOf } from "../src/viewer/surface/field";
import { meshes, type Mesh } from "../src/viewer/surface/mesh";

const ANY = new Uint8Array(256).fill(1, 1);

/** A ball of findings and, around it, one of lung, in mm from the middle. */
function ball(spacing: Vec3, size: Vec3, lungMm: number, lesionMm: number, sense: Vec3 = [1, 1, 1]) {
  const [nx, ny, nz] = size;
  const layers = emptyLayers([nz, ny, nx]);
  for (let k = 0; k < nz; k++) {
    for (let j = 0; j < ny; j++) {
      for (let i = 0; i < nx; i++) {
        const far = Math.hypot((i - (nx - 1) / 2) * spacing[0], (j - (ny - 1) / 2) * spacing[1], (k - (nz - 1) / 2) * spacing[2]);
        if (far <= lungMm) layers.anatomy.writable(k)[j * nx + i] = 1;
        if (far <= lesionMm) layers.findings.writable(k)[j * nx + i] = 3;
      }
    }
  }
  const affine = [0, 1, 2].map((r) => [0, 1, 2].map((c) => (r === c ? sense[r] * spacing[r] : 0)).concat(50));
  const grid = new Grid([nz, ny, nx], [...affine, [0, 0, 0, 1]]);
  const field = carryOutAtOnce(coarsen(layers, grid, { anatomy: ANY, findings: ANY }));
  return meshes({ round: 1, field, steps: grid.steps, voxels: grid.size });
}

/** Volume inside a closed surface, by the divergence theorem. */
function volumeMm3({ positions: p, triangles: t }: Mesh): number {
  let sum = 0;
  for (let n = 0; n < t.length; n += 3) {
    const [a, b, c] = [3 * t[n], 3 * t[n + 1], 3 * t[n + 2]];
    sum += p[a] * (p[b + 1] * p[c + 2] - p[b + 2] * p[c + 1]) - p[a + 1] * (p[b] * p[c + 2] - p[b + 2] * p[c]) + p[a + 2] * (p[b] * p[c + 1] - p[b + 1] * p[c]);
  }
  return Math.abs(sum) / 6;
}

describe("the surface of a mask", () => {
  it("of a ball lies at its radius around its middle, for any voxels and senses of the axes", () => {
    for (const [spacing, size, sense] of [
      [[0.7, 0.7, 1.25], [100, 100, 60], [1, 1, 1]],
      [[1, 1, 5], [80, 80, 18], [-1, 1, -1]],
    ] as [Vec3, Vec3, Vec3][]) {
      const { lung } = ball(spacing, size, 30, 0, sense);
      const radii: number[] = [];
      for (let p = 0; p < lung.positions.length; p += 3) radii.push(Math.hypot(lung.positions[p], lung.positions[p + 1], lung.positions[p + 2]));
      const mean = radii.reduce((sum, r) => sum + r, 0) / radii.length;
      expect(Math.abs(mean - 30)).toBeLessThan(1);
      expect(Math.max(...radii) - Math.min(...radii)).toBeLessThan(spacing[2] > 2 ? 6 : 2.5);
      expect(volumeMm3(lung) / ((4 / 3) * Math.PI * 30 ** 3)).toBeCloseTo(1, 1);
    }
  });

  it("is closed: every edge belongs to two triangles", () => {
    const { lung } = ball([0.7, 0.7, 1.25], [90, 90, 50], 26, 0);
    const edges = new Map<string, number>();
    for (let n = 0; n < lung.triangles.length; n += 3) {
      for (const [a, b] of [[0, 1], [1, 2], [2, 0]]) {
        const [x, y] = [lung.triangles[n + a], lung.triangles[n + b]];
        const key = x < y ? `${x} ${y}` : `${y} ${x}`;
        edges.set(key, (edges.get(key) ?? 0) + 1);
      }
    }
    expect(new Set(edges.values())).toEqual(new Set([2]));
  });

  it("keeps the label of each finding, and a finding of 6 mm", () => {
    const { findings } = ball([0.7, 0.7, 1.25], [90, 90, 50], 26, 3);
    expect(findings.triangles.length).toBeGreaterThan(0);
    expect(new Set(findings.labels)).toEqual(new Set([3]));
  });

  it("is nothing where nothing is", () => {
    const { lung, findings } = ball([1, 1, 1], [20, 20, 20], -1, -1);
    expect(lung.triangles.length + findings.triangles.length).toBe(0);
  });

  it("is made from cells of about 2.5 mm, of at most 255 voxels", () => {
    expect(factorOf([0.7, 0.7, 1.25])).toEqual([4, 4, 2]);
    expect(factorOf([0.7, 0.7, 5])).toEqual([4, 4, 1]);
    const fine = factorOf([0.2, 0.2, 0.2]);
    expect(fine[0] * fine[1] * fine[2]).toBeLessThanOrEqual(255);
  });
});
