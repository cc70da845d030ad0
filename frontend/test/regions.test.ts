import { describe, expect, it } from "vitest";
import { DeltaDraft } from "../src/edits/draft";
import { Layer, type Shape } from "../src/edits/layers";
import { carryOutAtOnce } from "../src/edits/operation";
import { permitOf } from "../src/edits/permit";
import { componentAt, RunBook } from "../src/edits/regions/components";
import { dilate, erode, squaredDistance, type Box } from "../src/edits/regions/distance";
import { flood, holeAt, holes } from "../src/edits/regions/flood";
import { grow } from "../src/edits/regions/grow";
import { fillGap, gapsIn } from "../src/edits/regions/interpolate";
import { ballOf, smooth } from "../src/edits/regions/smooth";
import { polygonRows, rectangleRows } from "../src/geometry/shapes";
import { removeIslands } from "../src/tools/islands";
import { thresholdLung } from "../src/tools/ranges";

/** A small generator with a seed, so that a failure can be repeated. */
function dice(seed: number): () => number {
  let state = seed >>> 0;
  return () => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32);
}

function randomLayer(shape: Shape, labels: number, density: number, roll: () => number): Layer {
  const layer = new Layer(shape);
  for (let z = 0; z < shape[0]; z++) {
    if (roll() < 0.15) continue;
    const slice = layer.writable(z);
    for (let i = 0; i < slice.length; i++) if (roll() < density) slice[i] = 1 + Math.floor(roll() * labels);
  }
  return layer;
}

/** Components the plain way: flood over 26 neighbours, voxel by voxel. */
function plainComponents(layer: Layer): Map<string, number> {
  const [nz, ny, nx] = layer.shapeZyx;
  const of = new Map<string, number>();
  let count = 0;
  for (let z = 0; z < nz; z++) for (let y = 0; y < ny; y++) for (let x = 0; x < nx; x++) {
    const label = layer.at(x, y, z);
    if (!label || of.has(`${x},${y},${z}`)) continue;
    const stack = [[x, y, z]];
    of.set(`${x},${y},${z}`, count);
    while (stack.length) {
      const [a, b, c] = stack.pop()!;
      for (let dz = -1; dz <= 1; dz++) for (let dy = -1; dy <= 1; dy++) for (let dx = -1; dx <= 1; dx++) {
        const [u, v, w] = [a + dx, b + dy, c + dz];
        if (u < 0 || v < 0 || w < 0 || u >= nx || v >= ny || w >= nz) continue;
        if (layer.at(u, v, w) !== label || of.has(`${u},${v},${w}`)) continue;
        of.set(`${u},${v},${w}`, count);
        stack.push([u, v, w]);
      }
    }
    count++;
  }
  return of;
}

describe("components", () => {
  it("are those of a plain flood over 26 neighbours", () => {
    for (let seed = 1; seed <= 25; seed++) {
      const roll = dice(seed);
      const layer = randomLayer([5, 9, 11], 2, 0.05 + 0.3 * roll(), roll);
      const plain = plainComponents(layer);
      const found = carryOutAtOnce(new RunBook(layer, new Uint8Array(256).fill(1)).components());
      const sizes = new Map<number, number>();
      plain.forEach((id) => sizes.set(id, (sizes.get(id) ?? 0) + 1));
      expect(found.map((one) => one.voxels)).toEqual([...sizes.values()].sort((a, b) => b - a));
      for (const key of plain.keys()) {
        const voxel = key.split(",").map(Number) as [number, number, number];
        expect(componentAt(found, voxel)!.voxels).toBe(sizes.get(plain.get(key)!));
      }
    }
  });

  it("come the largest first, alike ones in the order of their first voxels, with their places", () => {
    for (let seed = 1; seed <= 6; seed++) {
      const roll = dice(seed);
      const layer = randomLayer([4, 30, 200], 3, 0.03 + 0.08 * roll(), roll);
      const found = carryOutAtOnce(new RunBook(layer, new Uint8Array(256).fill(1)).components());
      const first = ({ runs: [z, y, x] }: (typeof found)[number]): number => (z * 30 + y) * 200 + x;
      expect(found.length).toBeGreaterThan(100);
      for (const [n, one] of found.entries()) {
        const after = found[n + 1];
        if (after) expect(one.voxels > after.voxels || (one.voxels === after.voxels && first(one) < first(after))).toBe(true);
        let [voxels, x, y, z] = [0, 0, 0, 0];
        const { runs } = one;
        for (let r = 0; r < runs.length; r += 4) {
          for (let i = runs[r + 2]; i < runs[r + 3]; i++) {
            expect(layer.at(i, runs[r + 1], runs[r])).toBe(one.label);
            [voxels, x, y, z] = [voxels + 1, x + i, y + runs[r + 1], z + runs[r]];
          }
        }
        expect([one.voxels, one.zFirst, one.zLast]).toEqual([voxels, runs[0], runs[runs.length - 4]]);
        one.centre.forEach((mean, axis) => expect(mean).toBeCloseTo([x, y, z][axis] / voxels, 9));
      }
    }
  });

  it("follow changes of the slices that are touched", () => {
    const layer = new Layer([3, 4, 4]);
    const book = new RunBook(layer, new Uint8Array(256).fill(1));
    expect(carryOutAtOnce(book.components())).toEqual([]);
    layer.writable(1)[5] = 1;
    layer.writable(2)[10] = 1;
    book.touch(1);
    book.touch(2);
    expect(carryOutAtOnce(book.components()).map((one) => one.voxels)).toEqual([2]);
    layer.writable(1)[5] = 0;
    book.touch(1);
    expect(carryOutAtOnce(book.components()).map((one) => [one.voxels, one.zFirst, one.zLast])).toEqual([[1, 2, 2]]);
  });
});

function randomBox(seed: number, size: readonly [number, number, number]): Box {
  const roll = dice(seed);
  const data = Uint8Array.from({ length: size[0] * size[1] * size[2] }, () => (roll() < 0.3 ? 1 : 0));
  return { size, spacing: [0.7, 0.9, 2.5], data };
}

const place = (n: number, [nx, ny]: readonly number[]): [number, number, number] => [n % nx, Math.floor(n / nx) % ny, Math.floor(n / (nx * ny))];

function plainSquared(box: Box, value: 0 | 1): number[] {
  const all = [...box.data.keys()];
  return all.map((n) => {
    const a = place(n, box.size);
    let best = 1e20;
    for (const m of all) {
      if (box.data[m] !== value) continue;
      const b = place(m, box.size);
      best = Math.min(best, a.reduce((sum, at, axis) => sum + ((at - b[axis]) * box.spacing[axis]) ** 2, 0));
    }
    return best;
  });
}

describe("distances", () => {
  it("are exact on any spacing", () => {
    for (let seed = 1; seed <= 12; seed++) {
      const box = randomBox(seed, [7, 5, 4]);
      for (const value of [0, 1] as const) {
        const found = carryOutAtOnce(squaredDistance(box, value));
        plainSquared(box, value).forEach((d, n) => expect(found[n]).toBeCloseTo(d, 6));
      }
    }
  });

  it("make dilation and erosion with a ball", () => {
    const box = randomBox(3, [9, 8, 3]);
    const [near, far] = [plainSquared(box, 1), plainSquared(box, 0)];
    expect([...carryOutAtOnce(dilate(box, 1.5)).data]).toEqual(near.map((d) => (d <= 2.25 + 1e-6 ? 1 : 0)));
    expect([...carryOutAtOnce(erode(box, 1.5)).data]).toEqual(far.map((d) => (d > 2.25 + 1e-6 ? 1 : 0)));
  });
});

/** By the plain definition, one voxel after the other. */
const plainDilate = (box: Box, radiusMm: number): Box => ({ ...box, data: Uint8Array.from(plainSquared(box, 1), (d) => (d <= radiusMm ** 2 + 1e-6 ? 1 : 0)) });
const plainErode = (box: Box, radiusMm: number): Box => ({ ...box, data: Uint8Array.from(plainSquared(box, 0), (d) => (d > radiusMm ** 2 + 1e-6 ? 1 : 0)) });

describe("smoothing", () => {
  it("by opening and closing is what the plain definitions give, on boxes of every shape, with balls of every size", () => {
    const sizes = [[11, 7, 5], [1, 9, 6], [9, 1, 6], [9, 8, 1], [6, 5, 17]] as const;
    for (const [n, size] of sizes.entries()) {
      for (const spacing of [[0.7, 0.9, 2.5], [1.3, 0.6, 0.3]] as const) {
        const roll = dice(31 * n + spacing[0] * 10);
        const box: Box = { size, spacing, data: Uint8Array.from({ length: size[0] * size[1] * size[2] }, () => (roll() < 0.6 ? 1 : 0)) };
        for (const radiusMm of [0.5, 0.9, 1.7, 4]) {
          const opened = plainDilate(plainErode(box, radiusMm), radiusMm);
          const closed = plainErode(plainDilate(box, radiusMm), radiusMm);
          expect([...carryOutAtOnce(smooth(box, "open", radiusMm)).data]).toEqual([...opened.data]);
          expect([...carryOutAtOnce(smooth(box, "close", radiusMm)).data]).toEqual([...closed.data]);
        }
      }
    }
  });

  it("by median is the majority of the ball around each voxel", () => {
    const box = randomBox(5, [10, 9, 4]);
    const places: [number, number, number][] = [];
    for (let z = -1; z <= 1; z++) for (let y = -2; y <= 2; y++) for (let x = -3; x <= 3; x++) {
      if (Math.hypot(x * 0.7, y * 0.9, z * 2.5) <= 1.5) places.push([x, y, z]);
    }
    expect(ballOf(1.5, box.size, box.spacing).count).toBe(places.length);
    const plain = [...box.data.keys()].map((n) => {
      const [x, y, z] = place(n, box.size);
      const inside = places.filter(([dx, dy, dz]) => {
        const [u, v, w] = [x + dx, y + dy, z + dz];
        if (u < 0 || v < 0 || w < 0 || u >= 10 || v >= 9 || w >= 4) return false;
        return box.data[(w * 9 + v) * 10 + u] === 1;
      }).length;
      return inside > places.length / 2 ? 1 : 0;
    });
    expect([...carryOutAtOnce(smooth(box, "median", 1.5)).data]).toEqual(plain);
  });

  it("fills holes slice by slice and leaves bays", () => {
    const data = Uint8Array.from([0, 1, 1, 1, 0, 0, 1, 0, 1, 0, 0, 1, 1, 1, 0, 0, 1, 0, 0, 0]);
    const filled = carryOutAtOnce(smooth({ size: [5, 4, 1], spacing: [1, 1, 1], data }, "holes", 1)).data;
    expect([...filled]).toEqual([0, 1, 1, 1, 0, 0, 1, 1, 1, 0, 0, 1, 1, 1, 0, 0, 1, 0, 0, 0]);
  });
});

describe("fills", () => {
  it("find the hole around a click, and none where the outline is open", () => {
    const ring = Uint8Array.from([1, 1, 1, 1, 0, 1, 1, 1, 1]);
    expect([...holeAt(ring, 3, 3, 1, 1, 1)!]).toEqual([0, 0, 0, 0, 1, 0, 0, 0, 0]);
    ring[1] = 0;
    expect(holeAt(ring, 3, 3, 1, 1, 1)).toBeNull();
    expect([...holes(ring, 3, 3, 1)].some(Boolean)).toBe(false);
  });

  it("flood only what is connected by edges", () => {
    const image = Uint8Array.from([1, 0, 1, 0, 1, 0, 1, 1, 1]);
    expect([...flood(3, 3, 1, 2, (i) => image[i] === 1).pixels]).toEqual([0, 0, 0, 0, 1, 0, 1, 1, 1]);
  });
});

describe("growing", () => {
  it("takes the connected voxels in range and radius, and no others", () => {
    for (let seed = 1; seed <= 10; seed++) {
      const roll = dice(seed);
      const shape: Shape = [5, 8, 9];
      const hu = Array.from({ length: 5 }, () => Int16Array.from({ length: 72 }, () => Math.floor(roll() * 100)));
      const seedVoxel: [number, number, number] = [4, 4, 2];
      hu[2][4 * 9 + 4] = 10;
      const rule = { low: 0, high: 60, radiusMm: 7, spacing: [1, 1.2, 3] as [number, number, number], inside: null };
      const { grown, voxels } = carryOutAtOnce(grow(hu, shape, [seedVoxel], rule));
      const reached = new Set<string>();
      const visit = (x: number, y: number, z: number): void => {
        if (x < 0 || y < 0 || z < 0 || x >= 9 || y >= 8 || z >= 5 || reached.has(`${x},${y},${z}`)) return;
        if (hu[z][y * 9 + x] > 60 || Math.hypot(x - 4, (y - 4) * 1.2, (z - 2) * 3) > 7) return;
        reached.add(`${x},${y},${z}`);
        for (const [dx, dy, dz] of [[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]]) visit(x + dx, y + dy, z + dz);
      };
      visit(...seedVoxel);
      expect(voxels).toBe(reached.size);
      for (const key of reached) {
        const [x, y, z] = key.split(",").map(Number);
        expect(grown.at(x, y, z)).toBe(1);
      }
    }
  });
});

describe("between slices", () => {
  it("a shape and the same shape shifted give the shape half way", () => {
    const disc = (cx: number): Uint8Array => Uint8Array.from({ length: 30 * 20 }, (_, n) => (Math.hypot((n % 30) - cx, Math.floor(n / 30) - 10) <= 6 ? 1 : 0));
    let middle: Uint8Array = new Uint8Array(0);
    carryOutAtOnce(
      fillGap({ width: 30, height: 20, spacing: [1, 1] }, { a: 0, b: 2, below: disc(10), above: disc(14) }, function* (_, pixels) {
        middle = pixels;
      }),
    );
    const wanted = disc(12);
    const both = middle.reduce((sum, pixel, n) => sum + (pixel & wanted[n]), 0);
    const dice = (2 * both) / (middle.reduce((a, b) => a + b, 0) + wanted.reduce((a, b) => a + b, 0));
    expect(dice).toBeGreaterThan(0.95);
    expect(middle[10 * 30 + 12]).toBe(1);
    expect(middle[10 * 30 + 25]).toBe(0);
  });

  it("gaps are only those between drawn slices, and not wider than asked", () => {
    const drawn = [0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 0].map(Boolean);
    expect(gapsIn(drawn, 2)).toEqual([[1, 4]]);
    expect(gapsIn(drawn, 9)).toEqual([[1, 4], [5, 9]]);
  });
});

describe("shapes", () => {
  it("a polygon covers the centres inside by the even-odd rule", () => {
    for (let seed = 1; seed <= 40; seed++) {
      const roll = dice(seed);
      const points = Array.from({ length: 3 + Math.floor(roll() * 8) }, () => ({ u: roll() * 24 - 2, v: roll() * 18 - 2 }));
      const covered = new Uint8Array(20 * 14);
      polygonRows(points, [20, 14], (v, from, to) => covered.fill(1, v * 20 + from, v * 20 + to));
      for (let v = 0; v < 14; v++) for (let u = 0; u < 20; u++) {
        let inside = false;
        points.forEach((a, n) => {
          const b = points[(n + 1) % points.length];
          if (a.v <= v !== b.v <= v && u >= a.u + ((v - a.v) / (b.v - a.v)) * (b.u - a.u)) inside = !inside;
        });
        expect(covered[v * 20 + u]).toBe(inside ? 1 : 0);
      }
    }
  });

  it("a rectangle covers the centres between its corners, in whatever order they come", () => {
    const rows: number[][] = [];
    rectangleRows({ u: 4.2, v: 3 }, { u: 1.5, v: 0.4 }, [10, 10], (...row) => rows.push(row));
    expect(rows).toEqual([[1, 2, 5], [2, 2, 5], [3, 2, 5]]);
  });
});

describe("edits over a range", () => {
  it("never write over a locked label, nor outside the lung when that is asked", () => {
    const layers = { anatomy: new Layer([1, 2, 3]), findings: new Layer([1, 2, 3]) };
    layers.anatomy.writable(0).set([1, 1, 1, 0, 0, 0]);
    layers.findings.writable(0).set([0, 3, 2, 0, 3, 0]);
    const options = { huRange: null, insideLung: true, onlyOver: null, locked: new Set([3]) };
    const draft = new DeltaDraft(layers.findings, permitOf(options, layers, "findings", () => null));
    draft.fill(0, 0, 6, 1);
    layers.findings.apply(draft.delta());
    expect([...layers.findings.slices[0]!]).toEqual([1, 3, 1, 0, 3, 0]);
  });

  it("remove islands under a volume and keep the others", () => {
    const layer = new Layer([1, 3, 6]);
    layer.writable(0).set([1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0]);
    const delta = carryOutAtOnce(removeIslands(layer, 1, 0.0025, 0.001, new DeltaDraft(layer)));
    layer.apply(delta);
    expect([...layer.slices[0]!]).toEqual([1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0]);
  });

  it("threshold the lung over nothing only", () => {
    const layers = { anatomy: new Layer([1, 1, 6]), findings: new Layer([1, 1, 6]) };
    layers.anatomy.writable(0).set([0, 2, 2, 2, 2, 2]);
    layers.findings.writable(0).set([0, 0, 3, 0, 0, 0]);
    const hu = [Int16Array.from([-400, -400, -400, -900, -500, -750])];
    const work = thresholdLung(layers, hu, 1, [-750, 50], 0, 0.001, new DeltaDraft(layers.findings));
    layers.findings.apply(carryOutAtOnce(work));
    expect([...layers.findings.slices[0]!]).toEqual([0, 1, 3, 0, 1, 1]);
  });
});
