import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { emptyLayers } from "../src/edits/layers";
import { MeasureBook } from "../src/edits/measure";

const LABELS = [
  { value: 1, isExclusion: false, countsAsLung: true },
  { value: 2, isExclusion: true, countsAsLung: true },
  { value: 5, isExclusion: true, countsAsLung: false },
];

it("a 1 mL lesion at -500 HU in 100 mL of lung: 0.5 g and 1 %", () => {
  const layers = emptyLayers([100, 40, 50]);
  for (let z = 0; z < 50; z++) layers.anatomy.writable(z).fill(z < 25 ? 1 : 2);
  for (let z = 0; z < 10; z++) layers.findings.writable(z).fill(1, 0, 100);
  const hu = new Int16Array(2000).fill(-500);
  const book = new MeasureBook(layers, LABELS, 0.001, () => hu);
  expect(book.refresh()).toBe(true);
  const numbers = book.numbers();
  expect(numbers.lungMl).toBeCloseTo(100, 9);
  expect(numbers.lesionMl).toBeCloseTo(1, 9);
  expect(numbers.weightG).toBeCloseTo(0.5, 9);
  expect(numbers.extentPercent).toBeCloseTo(1, 9);
  expect(numbers.left.extentPercent).toBeCloseTo(2, 9);
  expect(numbers.right.weightG).toBe(0);
  expect([...book.slicesWithFindings().subarray(8, 12)]).toEqual([1, 1, 0, 0]);
});

it("padding weighs nothing, lesion outside lung is told apart, effusion is no lung", () => {
  const layers = emptyLayers([1, 10, 10]);
  layers.anatomy.writable(0).fill(1, 0, 50);
  layers.findings.writable(0).fill(1, 0, 10);
  layers.findings.writable(0).fill(5, 10, 20);
  layers.findings.writable(0).fill(2, 20, 30);
  layers.findings.writable(0).fill(1, 90, 95);
  const hu = new Int16Array(100).fill(0);
  hu.fill(-3024, 0, 5);
  const book = new MeasureBook(layers, LABELS, 1, () => hu);
  book.refresh();
  const numbers = book.numbers();
  expect(numbers.weightG).toBe(5);
  expect(numbers.lungMl).toBe(40);
  expect(numbers.extentPercent).toBe(25);
  expect(numbers.lesionOutsideLungMl).toBe(5);
  expect(numbers.byLabel.get(1)).toEqual({ volumeMl: 15, outsideMl: 5, weightG: 5 });
});

it("without lung the extent is undefined, and without Hounsfield values the weight", () => {
  const layers = emptyLayers([1, 2, 2]);
  layers.findings.writable(0)[0] = 1;
  const book = new MeasureBook(layers, LABELS, 1, () => null);
  book.refresh();
  expect(book.numbers().extentPercent).toBeNull();
  expect(book.numbers().weightG).toBeNull();
});

interface SideVector {
  lung_volume_ml: number;
  lesion_volume_ml: number;
  extent_percent: number | null;
  weight_g: number | null;
}

interface Vectors {
  shape_zyx: [number, number, number];
  voxel_volume_ml: number;
  labels: typeof LABELS;
  hu: number[];
  cases: {
    name: string;
    anatomy: number[];
    findings: number[];
    has_hu: boolean;
    numbers: {
      extent_percent: number | null;
      weight_g: number | null;
      lesion_volume_ml: number;
      lesion_outside_lung_ml: number;
      lung_volume_ml: number;
      lung_weight_g: number | null;
      left: SideVector;
      right: SideVector;
      by_label: Record<string, { volume_ml: number; weight_g: number | null }>;
    };
  }[];
}

describe("the numbers of the Python side", () => {
  const vectors = JSON.parse(readFileSync(new URL("../../tests/vectors/measures.json", import.meta.url), "utf8")) as Vectors;
  const same = (ours: number | null | undefined, theirs: number | null): void => {
    if (theirs === null) expect(ours).toBeNull();
    else expect(ours).toBeCloseTo(theirs, 9);
  };

  it.each(vectors.cases.map((vector) => [vector.name, vector] as const))("%s", (_, vector) => {
    const layers = emptyLayers(vectors.shape_zyx);
    const size = layers.findings.sliceSize;
    const hu = Int16Array.from(vectors.hu);
    const fill = (name: "anatomy" | "findings", z: number): void => {
      const slice = vector[name].slice(z * size, (z + 1) * size);
      if (slice.some(Boolean)) layers[name].writable(z).set(slice);
    };
    const book = new MeasureBook(layers, vectors.labels, vectors.voxel_volume_ml, (z) => (vector.has_hu ? hu.subarray(z * size, (z + 1) * size) : null));
    // Slice by slice, as while painting: the end is what counting once would give.
    for (let z = 0; z < vectors.shape_zyx[0]; z++) {
      fill("anatomy", z);
      fill("findings", z);
      book.touch(z);
      book.refresh();
    }
    const [ours, theirs] = [book.numbers(), vector.numbers];
    same(ours.extentPercent, theirs.extent_percent);
    same(ours.weightG, theirs.weight_g);
    same(ours.lesionMl, theirs.lesion_volume_ml);
    same(ours.lesionOutsideLungMl, theirs.lesion_outside_lung_ml);
    same(ours.lungMl, theirs.lung_volume_ml);
    same(ours.lungWeightG, theirs.lung_weight_g);
    for (const side of ["left", "right"] as const) {
      same(ours[side].lungMl, theirs[side].lung_volume_ml);
      same(ours[side].lesionMl, theirs[side].lesion_volume_ml);
      same(ours[side].extentPercent, theirs[side].extent_percent);
      same(ours[side].weightG, theirs[side].weight_g);
    }
    for (const { value } of vectors.labels) {
      const mine = ours.byLabel.get(value)!;
      const there = theirs.by_label[String(value)] ?? { volume_ml: 0, weight_g: vector.has_hu ? 0 : null };
      same(mine.volumeMl - mine.outsideMl, there.volume_ml);
      same(mine.weightG, there.weight_g);
    }
  });
});

it("of a scan whose voxels have no known size, volumes are counts, extent stands, and there is no weight", () => {
  const layers = emptyLayers([1, 2, 4]);
  const hu = Int16Array.of(-800, -800, -800, -800, 0, 0, 0, 0);
  layers.anatomy.slices[0] = Uint8Array.of(1, 1, 1, 1, 0, 0, 0, 0);
  layers.findings.slices[0] = Uint8Array.of(1, 0, 0, 0, 1, 0, 0, 0);
  const book = new MeasureBook(layers, LABELS, null, () => hu);
  book.touchAll();
  book.refresh();
  expect(book.numbers()).toMatchObject({ extentPercent: 25, lungMl: 4, lesionMl: 1, lesionOutsideLungMl: 1, weightG: null, lungWeightG: null });
});
