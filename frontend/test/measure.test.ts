import { expect, it } from "vitest";
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
