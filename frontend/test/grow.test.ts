import { afterEach, beforeEach, expect, it, vi } from "vitest";
import * as display from "../src/display";
import { emptyLayers } from "../src/edits/layers";
import { carryOutAtOnce, type Operation } from "../src/edits/operation";
import { Grid } from "../src/geometry/grid";
import { acts, onKey } from "../src/reading/acts";
import type { Desk } from "../src/reading/desk";
import * as state from "../src/state";
import { growTool, seedsFromLabel } from "../src/tools/grow";

const SHAPE: [number, number, number] = [6, 8, 10];
const [NZ, NY, NX] = SHAPE;

let left: number;
let grown: string[];
let desk: Desk;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: 1_000_000 });
  state.reading.value = { scan: { shape_zyx: SHAPE, voxel_volume_ml: 0.001, has_hu: true }, label_set: { labels: [{ value: 1, colour: "#fff" }] } } as never;
  state.target.value = { layer: "findings", value: 1 };
  state.notice.value = null;
  left = 0;
  grown = [];
  onKey("next_case", () => void left++);
  const layers = emptyLayers(SHAPE);
  layers.anatomy.slices.forEach((_, z) => layers.anatomy.writable(z).fill(1));
  desk = {
    grid: new Grid(SHAPE, [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]),
    session: { layers, hu: Array.from({ length: NZ }, () => new Int16Array(NY * NX).fill(-500)), editor: {} },
    mayEdit: true,
    permit: () => null,
    restyle: () => undefined,
    compute: async (_: string, work: Operation<unknown>) => carryOutAtOnce(work),
    operate: async (title: string) => void grown.push(title),
  } as unknown as Desk;
});

afterEach(() => {
  growTool.putDown!(desk);
  acts.delete("next_case");
  vi.useRealTimers();
});

const enter = (): void => acts.get("apply")!(desk, {} as KeyboardEvent);
const settled = (): Promise<void> => new Promise((go) => setImmediate(go));
const press = (): unknown => growTool.press!(desk, { plane: "axial", point: { u: 3, v: 3 }, voxel: [3, 3, 3], clientX: 0, clientY: 0, button: 0, shift: false });

it("a second Enter in haste after a growth was applied does not leave the case", async () => {
  press();
  await settled();
  expect(display.preview.value).not.toBeNull();
  enter();
  expect(grown).toEqual(["Growing"]);
  enter();
  await settled();
  vi.setSystemTime(1_001_400);
  enter();
  expect(left).toBe(0);
  // Another growth is applied as fast as a reader likes.
  press();
  await settled();
  enter();
  await settled();
  expect([grown.length, left]).toEqual([2, 0]);
  vi.setSystemTime(1_002_800);
  enter();
  expect(left).toBe(0);
  vi.setSystemTime(1_003_000);
  enter();
  expect([grown.length, left]).toEqual([2, 1]);
});

it.each(["axial", "coronal", "sagittal"] as const)("what is painted on the active plane (%s) is what the region grows from", async (plane) => {
  const { findings } = desk.session.layers!;
  // One voxel on each plane's slice through (7, 5, 2), on none of the other two.
  const places = { axial: [1, 1, 2], coronal: [2, 5, 4], sagittal: [7, 3, 0] } as const;
  for (const [x, y, z] of Object.values(places)) findings.writable(z)[y * NX + x] = 1;
  state.slices.value = { axial: 2, coronal: 5, sagittal: 7 };
  state.activePlane.value = plane;
  // Alike nowhere but around this plane's voxel.
  const [x, y, z] = places[plane];
  (desk.session.hu as Int16Array[]).forEach((slice, at) => slice.forEach((_, i) => (slice[i] = Math.max(Math.abs(at - z), Math.abs(Math.floor(i / NX) - y), Math.abs((i % NX) - x)) <= 1 ? -500 : 3000)));
  seedsFromLabel(desk);
  await settled();
  expect(state.notice.value).toBeNull();
  expect(display.preview.value!.layer.at(x, y, z)).toBe(1);
  state.slices.value = { axial: 5, coronal: 0, sagittal: 0 };
  seedsFromLabel(desk);
  expect(state.notice.value).toContain("no voxel on this slice");
});
