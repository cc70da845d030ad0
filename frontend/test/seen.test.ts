import { expect, it } from "vitest";
import { counts, DWELL_MS, Eye, showsLung, type Sight } from "../src/reading/seen";

const SEEING: Sight = { z: 7, loaded: true, fitted: true, width: 1500, level: -600, visible: true, slabMm: 0, covered: false };

it("a slice is seen after 250 ms on the screen, and not before", () => {
  const eye = new Eye(DWELL_MS, () => "then");
  eye.turn(SEEING, 1000);
  expect(eye.remaining(1000)).toBe(250);
  expect(eye.look(1249)).toBeNull();
  expect(eye.look(1250)).toEqual({ z: 7, at: "then", dwellMs: 250 });
  expect(eye.remaining(1250)).toBeNull();
});

it("scrolling past is not seeing, and two short looks are not one long one", () => {
  const eye = new Eye();
  eye.turn(SEEING, 0);
  expect(eye.turn({ ...SEEING, z: 8 }, 200)).toBeNull();
  expect(eye.turn(SEEING, 400)).toBeNull();
  expect(eye.turn({ ...SEEING, z: 8 }, 600)).toBeNull();
});

it("time after the dwell is added once", () => {
  const eye = new Eye(DWELL_MS, () => "then");
  eye.turn(SEEING, 0);
  expect(eye.look(250)?.dwellMs).toBe(250);
  expect(eye.turn({ ...SEEING, z: 8 }, 4000)?.dwellMs).toBe(3750);
  expect(eye.turn(SEEING, 4100)).toBeNull();
});

it.each([
  ["not loaded", { loaded: false }],
  ["smaller than fitted", { fitted: false }],
  ["in a window of the mediastinum", { width: 400, level: 40 }],
  ["in a window of bone", { width: 1800, level: 400 }],
  ["in a slab of 20 mm", { slabMm: 20 }],
  ["under a dialog", { covered: true }],
  ["on a page that is hidden", { visible: false }],
  ["on a plane that is not on the screen", { z: null }],
] as const)("a slice is not seen %s, and the time begins anew when it is well", (_, wrong) => {
  const eye = new Eye();
  eye.turn({ ...SEEING, ...wrong }, 0);
  expect(eye.look(5000)).toBeNull();
  eye.turn(SEEING, 5000);
  expect(eye.look(5100)).toBeNull();
  eye.turn({ ...SEEING, ...wrong }, 5200);
  eye.turn(SEEING, 5210);
  expect(eye.look(5400)).toBeNull();
  expect(eye.look(5460)?.z).toBe(7);
});

it("lung windows of every house count", () => {
  for (const [width, level] of [[1500, -600], [1400, -500], [1600, -600], [1200, -700], [700, -650], [2000, -500]]) {
    expect(showsLung(width, level), `${width} / ${level}`).toBe(true);
  }
  expect(showsLung(4000, -600)).toBe(false);
  expect(counts({ ...SEEING, width: 4000 })).toBe(false);
});

it("any window counts where the values are no Hounsfield units", () => {
  const sight = { ...SEEING, z: 3, width: 255, level: 128 };
  expect(counts({ ...sight, hasHu: true })).toBe(false);
  expect(counts({ ...sight, hasHu: false })).toBe(true);
  expect(counts({ ...sight, hasHu: false, loaded: false })).toBe(false);
});
