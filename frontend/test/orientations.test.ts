import { describe, expect, it } from "vitest";
import { directionLetters, Grid, PLANES, type PlaneName, type Vec3 } from "../src/geometry/grid";
import { anatomicalName, frameAlong, lengthMm, placeOfSlice, positionMm, sliceAtMm } from "../src/geometry/planes";
import { Camera } from "../src/viewer/camera";
import { Columns, GreyTable, shade } from "../src/viewer/ctpicture";

/** A block of the patient, 6 x 7 x 5 places along L, P, H, each with a value of its own. */
const PLACES: Vec3 = [6, 7, 5];
const SPACING: Vec3 = [0.7, 0.9, 5];
const CORNER: Vec3 = [-12, 30, -400];
const valueAt = ([x, y, z]: Vec3): number => x + 10 * y + 100 * z - 300;

const PERMUTATIONS: Vec3[] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
const FLIPS: Vec3[] = [0, 1, 2, 3, 4, 5, 6, 7].map((bits) => [bits & 1 ? -1 : 1, bits & 2 ? -1 : 1, bits & 4 ? -1 : 1]);

/** The block stored with its axes in another order and sense: the 48 ways a scan can lie in its file. */
function stored(order: Vec3, sense: Vec3): { grid: Grid; hu: Int16Array[]; placeOf(voxel: Vec3): Vec3 } {
  const size = order.map((axis) => PLACES[axis]) as Vec3;
  const affine = [0, 1, 2].map((r) => [0, 1, 2].map((c) => (order[c] === r ? sense[c] * SPACING[r] : 0)));
  const origin = [0, 1, 2].map((r) => {
    const c = order.indexOf(r);
    return CORNER[r] + (sense[c] < 0 ? (PLACES[r] - 1) * SPACING[r] : 0);
  });
  const placeOf = (voxel: Vec3): Vec3 => {
    const place: Vec3 = [0, 0, 0];
    order.forEach((axis, c) => (place[axis] = sense[c] < 0 ? PLACES[axis] - 1 - voxel[c] : voxel[c]));
    return place;
  };
  const hu = Array.from({ length: size[2] }, (_, k) =>
    Int16Array.from({ length: size[0] * size[1] }, (_, at) => valueAt(placeOf([at % size[0], Math.floor(at / size[0]), k]))),
  );
  const grid = new Grid([size[2], size[1], size[0]], [...affine.map((row, r) => [...row, origin[r]]), [0, 0, 0, 1]]);
  return { grid, hu, placeOf };
}

/** How a radiologist looks at each plane of the patient: LPS directions of the screen's right and top. */
const SCREEN: Record<PlaneName, { right: Vec3; up: Vec3; letters: string }> = {
  axial: { right: [1, 0, 0], up: [0, -1, 0], letters: "LA" },
  coronal: { right: [1, 0, 0], up: [0, 0, 1], letters: "LH" },
  sagittal: { right: [0, 1, 0], up: [0, 0, 1], letters: "PH" },
};

/** Instead of grey: the value itself. */
const asTheyAre = { words: Uint32Array.from({ length: 65536 }, (_, bits) => bits) } as unknown as GreyTable;
const dot = (a: readonly number[], b: readonly number[]): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

describe("a plane, for each of the 48 ways that a scan can lie in its file", () => {
  for (const order of PERMUTATIONS) {
    it(`shows every voxel where a radiologist looks for it, axes ${order.join("")} in every sense`, () => {
      for (const sense of FLIPS) {
        const { grid, hu, placeOf } = stored(order, sense);
        const middle = PLACES.map((n, axis) => CORNER[axis] + ((n - 1) / 2) * SPACING[axis]);
        for (const name of PLANES) {
          const frame = grid.planes[name];
          const screen = SCREEN[anatomicalName(frame)];
          expect(directionLetters(frame.right) + directionLetters(frame.up)).toBe(screen.letters);
          const [here, next] = [placeOf([0, 0, 0]), placeOf([0, 1, 2].map((axis) => (axis === frame.across ? 1 : 0)) as Vec3)];
          expect(next.reduce((sum, n, axis) => sum + n - here[axis], 0)).toBe(frame.ahead);
          const camera = new Camera(grid, frame, () => ({ width: 400, height: 300 }));
          camera.fit();
          camera.show(1);
          const [width, height] = [grid.size[frame.u], grid.size[frame.v]];
          const picture = new Uint32Array(width * height);
          expect(shade(hu, grid, frame, 1, 0, asTheyAre, picture)).toBe(true);
          for (let v = 0; v < height; v++) {
            for (let u = 0; u < width; u++) {
              const place = placeOf(camera.voxelOf(u, v));
              expect((picture[v * width + u] << 16) >> 16).toBe(valueAt(place));
              const from = place.map((n, axis) => CORNER[axis] + n * SPACING[axis] - middle[axis]);
              const [x, y] = camera.paneAt(u, v);
              expect(x).toBeCloseTo(200 + dot(from, screen.right) / camera.mmPerPixel, 6);
              expect(y).toBeCloseTo(150 - dot(from, screen.up) / camera.mmPerPixel, 6);
              const back = camera.pixelAt(x, y);
              expect(back.u).toBeCloseTo(u, 6);
              expect(back.v).toBeCloseTo(v, 6);
            }
          }
        }
      }
    });
  }

  it("each plane of the patient is there once, by its own name", () => {
    for (const order of PERMUTATIONS) {
      const { grid } = stored(order, [1, -1, 1]);
      expect(PLANES.map((name) => anatomicalName(grid.planes[name])).sort()).toEqual(["axial", "coronal", "sagittal"]);
    }
  });
});

describe("a slab of maximum intensity", () => {
  it("is the largest value of the slices within it, on every plane, cut off at the ends", () => {
    const { grid, hu } = stored([0, 1, 2], [1, 1, 1]);
    for (const name of PLANES) {
      const frame = grid.planes[name];
      const [width, height] = [grid.size[frame.u], grid.size[frame.v]];
      for (const [index, reach] of [[0, 1], [2, 1], [3, 9]]) {
        const picture = new Uint32Array(width * height);
        shade(hu, grid, frame, index, reach, asTheyAre, picture);
        const expected = new Array<number>(width * height).fill(-Infinity);
        for (let s = Math.max(0, index - reach); s <= Math.min(grid.size[frame.across] - 1, index + reach); s++) {
          for (let at = 0; at < expected.length; at++) {
            const voxel: Vec3 = [0, 0, 0];
            voxel[frame.u] = at % width;
            voxel[frame.v] = Math.floor(at / width);
            voxel[frame.across] = s;
            expected[at] = Math.max(expected[at], hu[voxel[2]][voxel[1] * grid.size[0] + voxel[0]]);
          }
        }
        expect([...picture].map((word) => (word << 16) >> 16)).toEqual(expected);
      }
    }
  });

  it("says when a slice of it is not there yet", () => {
    const { grid, hu } = stored([0, 1, 2], [1, 1, 1]);
    const partial: (Int16Array | null)[] = [...hu];
    partial[4] = null;
    const { axial, coronal } = grid.planes;
    expect(shade(partial, grid, axial, 2, 1, asTheyAre, new Uint32Array(42))).toBe(true);
    expect(shade(partial, grid, axial, 3, 1, asTheyAre, new Uint32Array(42))).toBe(false);
    expect(shade(partial, grid, coronal, 3, 0, asTheyAre, new Uint32Array(30))).toBe(false);
  });
});

describe("columns of the sagittal plane", () => {
  it("are the slice itself, whichever was asked for before, at the last ones too", () => {
    const [nx, ny, nz] = [21, 5, 4];
    const hu: (Int16Array | null)[] = Array.from({ length: nz }, (_, k) => Int16Array.from({ length: nx * ny }, (_, at) => 1000 * k + at));
    const grid = new Grid([nz, ny, nx], [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]);
    const columns = new Columns(grid);
    for (const index of [0, 7, 8, 20, 19, 3, 12]) {
      const wanted = new Uint32Array(ny * nz);
      shade(hu, grid, grid.planes.sagittal, index, 0, asTheyAre, wanted);
      expect([...columns.take(hu, index)!]).toEqual([...wanted].map((word) => (word << 16) >> 16));
    }
    const later = hu[2];
    hu[2] = null;
    const partial = new Columns(grid);
    expect(partial.take(hu, 4)).toBeNull();
    hu[2] = later;
    expect(partial.take(hu, 4)).toBeNull();
    partial.arrived();
    expect(partial.take(hu, 4)![2 * ny]).toBe(2004);
  });
});

describe("the grey of a window", () => {
  it("runs from black to white between its ends, and stays there beyond", () => {
    const { words } = new GreyTable(1500, -600);
    const grey = (hu: number): number => words[hu & 0xffff] & 0xff;
    expect([-32768, -1350, -600, 150, 32767].map(grey)).toEqual([0, 0, 128, 255, 255]);
    expect(grey(-975)).toBe(Math.round(255 * 0.25));
  });
});

describe("lengths and places", () => {
  const c = Math.cos(0.3);
  const s = Math.sin(0.3);
  const oblique = new Grid([40, 512, 512], [
    [0.7, 0, 0, -180],
    [0, 0.7 * c, -5 * s, 20],
    [0, 0.7 * s, 5 * c, -300],
    [0, 0, 0, 1],
  ]);

  it("a length is in millimetres, whatever the shape of the voxels", () => {
    expect(lengthMm(oblique, [10, 10, 3], [20, 10, 3])).toBeCloseTo(7, 9);
    expect(lengthMm(oblique, [10, 10, 3], [10, 10, 7])).toBeCloseTo(20, 9);
    expect(lengthMm(oblique, [0, 0, 0], [30, 0, 4])).toBeCloseTo(Math.hypot(21, 20), 9);
  });

  it("the place of a slice is said with the letter of its side", () => {
    const { grid } = stored([0, 1, 2], [1, 1, 1]);
    expect(placeOfSlice(grid, grid.planes.axial, 4)).toBe("F 380.0");
    expect(placeOfSlice(grid, grid.planes.coronal, 0)).toBe("P 30.0");
    expect(placeOfSlice(grid, grid.planes.sagittal, 0)).toBe("R 12.0");
  });

  it("scans are tied by position: other spacing, other sense, other stacking", () => {
    const now = new Grid([248, 512, 512], [[0.7, 0, 0, -180], [0, 0.7, 0, -180], [0, 0, 1.25, -300], [0, 0, 0, 1]]);
    const flipped = new Grid([60, 400, 400], [[0.9, 0, 0, -170], [0, 0.9, 0, -190], [0, 0, -5, 10], [0, 0, 0, 1]]);
    const along = now.planes.axial.normal;
    for (const slice of [0, 31, 200]) {
      const mm = positionMm(now, now.planes.axial, slice, along);
      const frame = frameAlong(flipped, along);
      expect(frame.name).toBe("axial");
      const other = sliceAtMm(flipped, frame, mm, along);
      expect(10 - 5 * other).toBeCloseTo(-300 + 1.25 * slice, 9);
    }
    const sagittally = new Grid([300, 300, 300], [[0, 0, 1.5, -200], [1, 0, 0, -150], [0, 1, 0, -320], [0, 0, 0, 1]]);
    expect(anatomicalName(frameAlong(sagittally, along))).toBe("axial");
  });
});

describe("a camera", () => {
  const { grid } = stored([0, 1, 2], [1, 1, 1]);

  it("stays fitted when the pane changes its size, and as near as it was once somebody came nearer", () => {
    let pane = { width: 400, height: 300 };
    const camera = new Camera(grid, grid.planes.coronal, () => pane);
    camera.fit();
    pane = { width: 150, height: 600 };
    camera.resized();
    expect(camera.magnification).toBeCloseTo(1, 9);
    camera.zoom(2);
    const near = camera.magnification;
    camera.resized();
    expect(camera.magnification).toBeCloseTo(near, 9);
  });

  it("zooms about the pointer: what lies under it stays there", () => {
    const camera = new Camera(grid, grid.planes.axial, () => ({ width: 400, height: 300 }));
    camera.fit();
    const before = camera.pixelAt(310, 40);
    camera.zoom(1.7, [310, 40]);
    const after = camera.pixelAt(310, 40);
    expect(after.u).toBeCloseTo(before.u, 9);
    expect(after.v).toBeCloseTo(before.v, 9);
  });

  it("places another grid's slice over its own: a preview's block lies over the voxels that it is the mean of", () => {
    const camera = new Camera(grid, grid.planes.coronal, () => ({ width: 400, height: 300 }));
    camera.fit();
    camera.zoom(1.3, [50, 60]);
    camera.show(4);
    // Blocks of 2 x 3 x 1 voxels: centred half a voxel and a voxel in.
    const affine = [[1.4, 0, 0, -12 + 0.35], [0, 2.7, 0, 30 + 0.9], [0, 0, 5, -400], [0, 0, 0, 1]];
    const coarse = new Grid([5, 3, 3], affine);
    const { a, b, c, d, e, f } = camera.mappingOf(coarse, coarse.planes.coronal, [0, 1, 0]);
    for (const [u, v] of [[0, 0], [2, 0], [1, 4]]) {
      const [x, y] = camera.paneAt(2 * u + 0.5, v);
      expect(a * u + c * v + e).toBeCloseTo(x, 9);
      expect(b * u + d * v + f).toBeCloseTo(y, 9);
    }
  });

  it("takes another's look: the same scale, the same shift from the middle", () => {
    const one = new Camera(grid, grid.planes.axial, () => ({ width: 400, height: 300 }));
    const other = stored([1, 0, 2], [-1, 1, 1]).grid;
    const two = new Camera(other, frameAlong(other, grid.planes.axial.normal), () => ({ width: 200, height: 150 }));
    one.fit();
    one.pan(12, -7);
    one.zoom(1.4);
    two.take(one.look);
    expect(two.look.rightMm).toBeCloseTo(one.look.rightMm, 9);
    expect(two.look.upMm).toBeCloseTo(one.look.upMm, 9);
    expect(two.mmPerPixel).toBeCloseTo(one.mmPerPixel, 9);
  });
});
