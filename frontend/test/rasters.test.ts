import { describe, expect, it } from "vitest";
import { Layer, type Layers, type Shape } from "../src/edits/layers";
import { permitOf, type PermitOptions } from "../src/edits/permit";
import { StrokeRecorder } from "../src/edits/recorder";
import { Grid, PLANES, type PlaneName, type Vec3 } from "../src/geometry/grid";
import type { Point } from "../src/geometry/disc";
import { depthMm, depthRange } from "../src/tools/options";
import { carryOutAtOnce } from "../src/edits/operation";
import { paintSegment, rowsToRuns, throughSlices } from "../src/tools/segment";
import { SHAPES } from "../src/tools/shapes";
import { paintSphere } from "../src/tools/sphere";
import type { PlaneView } from "../src/viewer/planeview";

/** A small generator with a seed, so that a failure can be repeated. */
function dice(seed: number): () => number {
  let state = seed >>> 0;
  return () => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32);
}

const SHAPE: Shape = [9, 17, 21];
const SPACING: Vec3 = [0.7, 0.9, 5];

/** What the rasters ask of a plane's view, on an anisotropic grid. */
function viewOf(name: PlaneName, slice: number): PlaneView {
  const [sx, sy, sz] = SPACING;
  const grid = new Grid(SHAPE, [[-sx, 0, 0, 0], [0, sy, 0, 0], [0, 0, sz, 0], [0, 0, 0, 1]]);
  const frame = grid.planes[name];
  const imageSize = [grid.size[frame.u], grid.size[frame.v]];
  return { grid, frame, slice, imageSize, pixelMm: [grid.spacing[frame.u], grid.spacing[frame.v]] } as unknown as PlaneView;
}

type Fill = (z: number, start: number, end: number) => void;

/** The voxels that a raster fills, as "i,j,k"; each run is checked to lie inside one row of the grid. */
function filled(work: (fill: Fill) => void): Set<string> {
  const found = new Set<string>();
  work((z, start, end) => {
    expect(Math.floor(start / SHAPE[2])).toBe(Math.floor((end - 1) / SHAPE[2]));
    for (let n = start; n < end; n++) found.add(`${n % SHAPE[2]},${Math.floor(n / SHAPE[2])},${z}`);
  });
  return found;
}

/** Every voxel that a rule takes, asked one by one. */
function plain(rule: (voxel: Vec3) => boolean): Set<string> {
  const found = new Set<string>();
  for (let k = 0; k < SHAPE[0]; k++) for (let j = 0; j < SHAPE[1]; j++) for (let i = 0; i < SHAPE[2]; i++) if (rule([i, j, k])) found.add(`${i},${j},${k}`);
  return found;
}

/** Distance in mm, in space, of a voxel's centre from a segment of the plane's slice. */
function farMm(view: PlaneView, voxel: Vec3, from: Point, to: Point): number {
  const place = ({ u, v }: Point): Vec3 => {
    const at: Vec3 = [0, 0, 0];
    at[view.frame.u] = u;
    at[view.frame.v] = v;
    at[view.frame.across] = view.slice;
    return at.map((n, axis) => n * SPACING[axis]) as Vec3;
  };
  const [a, b, p] = [place(from), place(to), voxel.map((n, axis) => n * SPACING[axis])];
  const along = b.map((n, axis) => n - a[axis]);
  const squared = along.reduce((sum, n) => sum + n * n, 0);
  const t = squared ? Math.max(0, Math.min(1, along.reduce((sum, n, axis) => sum + n * (p[axis] - a[axis]), 0) / squared)) : 0;
  return Math.hypot(...p.map((n, axis) => n - a[axis] - t * along[axis]));
}

function cases(count: number, check: (roll: () => number, view: PlaneView, point: () => Point) => void): void {
  for (let seed = 1; seed <= count; seed++) {
    const roll = dice(seed * 7919);
    for (const name of PLANES) {
      const across = viewOf(name, 0).frame.across;
      const view = viewOf(name, Math.floor(roll() * [SHAPE[2], SHAPE[1], SHAPE[0]][across]));
      // Now and then outside the picture.
      check(roll, view, () => ({ u: roll() * (view.imageSize[0] + 6) - 3, v: roll() * (view.imageSize[1] + 6) - 3 }));
    }
  }
}

describe("the brushes, on every plane of an anisotropic grid", () => {
  it("the circle takes the slice's voxels within the radius of the segment", () => {
    cases(30, (roll, view, point) => {
      const [a, b, radius] = [point(), point(), 0.3 + 7 * roll()];
      expect(filled((fill) => paintSegment(view, a, b, radius, fill))).toEqual(
        plain((voxel) => voxel[view.frame.across] === view.slice && farMm(view, voxel, a, b) <= radius),
      );
    });
  });

  it("the sphere takes every voxel within the radius of the segment in space", () => {
    cases(30, (roll, view, point) => {
      const [a, b, radius] = [point(), point(), 0.3 + 12 * roll()];
      expect(filled((fill) => paintSphere(view, a, b, radius, fill))).toEqual(plain((voxel) => farMm(view, voxel, a, b) <= radius));
    });
  });

  it("the sphere asks only for slices within its radius", () => {
    const view = viewOf("axial", 4);
    const slices = new Set<number>();
    paintSphere(view, { u: 3, v: 3 }, { u: 9, v: 3 }, 5.5, (z) => slices.add(z));
    expect([...slices].sort()).toEqual([3, 4, 5]);
  });
});

describe("the scissors, on every plane of an anisotropic grid", () => {
  it("the circle is round in millimetres about the press", () => {
    cases(20, (_, view, point) => {
      const [a, b] = [point(), point()];
      const [su, sv] = view.pixelMm;
      const radius = Math.hypot((a.u - b.u) * su, (a.v - b.v) * sv);
      expect(filled((fill) => SHAPES.circle.rows([a, point(), b], view, rowsToRuns(view.grid, view.frame, view.slice, fill)))).toEqual(
        plain((voxel) => voxel[view.frame.across] === view.slice && farMm(view, voxel, a, a) <= radius),
      );
    });
  });

  it("the rectangle lies between press and release", () => {
    cases(20, (_, view, point) => {
      const [a, b] = [point(), point()];
      const between = (n: number, one: number, other: number): boolean => n >= Math.min(one, other) && n <= Math.max(one, other);
      expect(filled((fill) => SHAPES.rectangle.rows([a, point(), b], view, rowsToRuns(view.grid, view.frame, view.slice, fill)))).toEqual(
        plain((voxel) => voxel[view.frame.across] === view.slice && between(voxel[view.frame.u], a.u, b.u) && between(voxel[view.frame.v], a.v, b.v)),
      );
    });
  });

  it.each(PLANES)("a shape through slices of the %s plane takes the same voxels as slice by slice", (name) => {
    const view = viewOf(name, 2);
    const { grid, frame } = view;
    const roll = dice(31);
    for (let n = 0; n < 20; n++) {
      const points = Array.from({ length: 7 }, () => ({ u: roll() * view.imageSize[0], v: roll() * view.imageSize[1] }));
      const first = Math.floor(roll() * 4);
      const last = first + Math.floor(roll() * (grid.size[frame.across] - first));
      for (const shape of Object.values(SHAPES)) {
        const through = filled((fill) => carryOutAtOnce(throughSlices(grid, frame, [first, last], (row) => shape.rows(points, view, row), fill)));
        const one = filled((fill) => {
          for (let slice = first; slice <= last; slice++) shape.rows(points, view, rowsToRuns(grid, frame, slice, fill));
        });
        expect(through).toEqual(one);
      }
    }
  });

  it("two lassos that share an edge through centres take every pixel of their sum once", () => {
    const view = viewOf("axial", 2);
    const taken = (points: Point[]): Set<string> => filled((fill) => SHAPES.lasso.rows(points, view, rowsToRuns(view.grid, view.frame, 2, fill)));
    const corner = (u: number, v: number): Point => ({ u, v });
    const left = taken([corner(2, 2), corner(8, 2), corner(12, 10), corner(2, 10)]);
    const right = taken([corner(8, 2), corner(16, 2), corner(16, 10), corner(12, 10)]);
    const both = taken([corner(2, 2), corner(16, 2), corner(16, 10), corner(2, 10)]);
    expect(left.size + right.size).toBe(both.size);
    expect(new Set([...left, ...right])).toEqual(both);
  });

  it("go as deep as asked, and never out of the scan", () => {
    for (const [mm, expected] of [[0, [4, 4]], [5, [3, 5]], [9.9, [3, 5]], [10, [2, 6]], [200, [0, 8]], [null, [0, 8]]] as const) {
      depthMm.value = mm;
      expect(depthRange(4, SHAPE[0], SPACING[2])).toEqual(expected);
    }
    depthMm.value = 0;
  });
});

function randomLayers(roll: () => number): Layers {
  const layers = { anatomy: new Layer(SHAPE), findings: new Layer(SHAPE) };
  for (const layer of Object.values(layers)) {
    for (let z = 0; z < SHAPE[0]; z++) {
      if (roll() < 0.3) continue;
      const slice = layer.writable(z);
      for (let i = 0; i < slice.length; i++) if (roll() < 0.6) slice[i] = Math.floor(roll() * 4);
    }
  }
  return layers;
}

const now = (layer: Layer): Uint8Array[] => layer.slices.map((slice) => slice?.slice() ?? new Uint8Array(layer.sliceSize));

describe("what bounds a stroke", () => {
  it("holds voxel by voxel: window, lung, label beneath, locks; and the stroke says exactly what changed", () => {
    for (let seed = 1; seed <= 60; seed++) {
      const roll = dice(seed);
      const layers = randomLayers(roll);
      const hu = Array.from({ length: SHAPE[0] }, () => (roll() < 0.1 ? null : Int16Array.from({ length: SHAPE[1] * SHAPE[2] }, () => Math.floor(roll() * 1200) - 1000)));
      const name = roll() < 0.3 ? "anatomy" : "findings";
      const options: PermitOptions = {
        huRange: roll() < 0.5 ? [-750, Math.floor(roll() * 800) - 700] : null,
        insideLung: roll() < 0.5,
        onlyOver: roll() < 0.5 ? Math.floor(roll() * 4) : null,
        locked: new Set(roll() < 0.5 ? [1 + Math.floor(roll() * 3)] : []),
      };
      const value = Math.floor(roll() * 4);
      const layer = layers[name];
      const before = now(layer);
      const recorder = new StrokeRecorder(layer, permitOf(options, layers, name, (z) => hu[z]));
      const asked = Array.from({ length: SHAPE[0] }, () => new Uint8Array(layer.sliceSize));
      for (let n = 0; n < 25; n++) {
        const [z, start] = [Math.floor(roll() * SHAPE[0]), Math.floor(roll() * (layer.sliceSize - 30))];
        const end = start + 1 + Math.floor(roll() * 30);
        recorder.fill(z, start, end, value);
        asked[z].fill(1, start, end);
      }
      const delta = recorder.finish();
      const again = new Layer(SHAPE);
      const expected = before.map((slice) => slice.slice());
      for (let z = 0; z < SHAPE[0]; z++) {
        again.writable(z).set(before[z]);
        for (let i = 0; i < layer.sliceSize; i++) {
          const old = before[z][i];
          const may =
            asked[z][i] === 1 &&
            (options.onlyOver === null || old === options.onlyOver) &&
            !options.locked.has(old) &&
            (!options.insideLung || name === "anatomy" || (layers.anatomy.slices[z]?.[i] ?? 0) !== 0) &&
            (!options.huRange || (hu[z] !== null && hu[z]![i] >= options.huRange[0] && hu[z]![i] <= options.huRange[1]));
          expected[z][i] = may ? value : old;
        }
      }
      expect(now(layer)).toEqual(expected);
      again.apply(delta);
      expect(now(again)).toEqual(expected);
      recorder.revert();
      expect(now(layer)).toEqual(before);
    }
  });

  it("erasing leaves slices without anything as they are", () => {
    const layer = new Layer(SHAPE);
    const recorder = new StrokeRecorder(layer);
    expect(recorder.fill(3, 0, layer.sliceSize, 0)).toBe(false);
    expect(recorder.finish()).toEqual([]);
    expect(layer.slices[3]).toBe(null);
  });
});
