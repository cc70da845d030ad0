import { beforeEach, expect, it, vi } from "vitest";
import { emptyLayers } from "../src/edits/layers";
import { Grid } from "../src/geometry/grid";
import type { Desk } from "../src/reading/desk";
import { LesionBook, lesions, LISTED_MOST, othersLike } from "../src/reading/lesions";
import * as state from "../src/state";

const SHAPE: [number, number, number] = [30, 24, 24];
const [NZ, NY, NX] = SHAPE;

beforeEach(() => void (state.reading.value = { scan: { shape_zyx: SHAPE, voxel_volume_ml: 0.001, has_hu: false, affine_lps: [] } } as never));

function bookOn(layers: ReturnType<typeof emptyLayers>): LesionBook {
  const grid = new Grid(SHAPE, [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]);
  return new LesionBook({ grid, session: { layers, hu: [], editor: null } } as unknown as Desk);
}

async function counted(book: LesionBook): Promise<void> {
  lesions.value = [];
  book.changed(null);
  await vi.waitFor(() => expect(lesions.value.length).toBeGreaterThan(0), 5000);
}

it("to keep one lesion is to take away every other piece of its label, listed or not", async () => {
  const layers = emptyLayers(SHAPE);
  const pieces: [number, number, number][] = [];
  for (let z = 0; z < NZ; z += 3) for (let y = 0; y < NY; y += 4) for (let x = 0; x < NX; x += 4) pieces.push([z, y, x]);
  expect(pieces.length).toBeGreaterThan(LISTED_MOST);
  pieces.forEach(([z, y, x], n) => {
    const slice = layers.findings.writable(z);
    // One piece is larger than all others; one in ten has another label.
    slice[y * NX + x] = n % 10 === 9 ? 2 : 1;
    if (n === 0) slice[y * NX + x + 1] = 1;
  });
  await counted(bookOn(layers));
  expect(lesions.value.length).toBe(LISTED_MOST);
  const [kept] = lesions.value;
  expect(kept.component.voxels).toBe(2);
  const others = othersLike(kept);
  expect(others.length).toBe(pieces.filter((_, n) => n % 10 !== 9).length - 1);
  expect(others.every(({ label, voxels }) => label === 1 && voxels === 1)).toBe(true);
});

it("the thirds of a lung are those of slices that hold lung, not of slices that were once looked at to be painted", async () => {
  const layers = emptyLayers(SHAPE);
  // Lung on slices 18 to 29: a lesion on 19 lies in its lower third, on 28 in its upper one.
  for (let z = 18; z < 30; z++) layers.anatomy.writable(z).fill(2);
  layers.findings.writable(19)[5 * NX + 5] = 1;
  layers.findings.writable(28)[5 * NX + 5] = 1;
  const places = async (): Promise<string[]> => {
    await counted(bookOn(layers));
    return [...lesions.value].sort((a, b) => a.at[2] - b.at[2]).map(({ place }) => place);
  };
  expect(await places()).toEqual(["right lower", "right upper"]);
  // As a brush outside the lung leaves them: with a place in memory, and nothing in it.
  for (const z of [0, 3, 17]) layers.anatomy.writable(z);
  expect(await places()).toEqual(["right lower", "right upper"]);
});
