import { expect, it } from "vitest";
import { DifferenceBook, nextMarked } from "../src/edits/compare";
import { Layer } from "../src/edits/layers";
import { classesOf } from "../src/viewer/maskpainter";

const counted = new Uint8Array(256);
counted[1] = 1;

function pair(): { a: Layer; b: Layer } {
  const [a, b] = [new Layer([5, 10, 10]), new Layer([5, 10, 10])];
  a.writable(1).fill(1, 0, 30);
  b.writable(1).fill(1, 10, 50);
  a.writable(3).fill(1, 0, 5);
  // An exclusion label is no lesion: it is compared with nothing.
  b.writable(4).fill(2, 0, 50);
  return { a, b };
}

it("both, only A, only B and Dice by hand; an exclusion label is no lesion", () => {
  const { a, b } = pair();
  const book = new DifferenceBook(a, b, counted);
  expect(book.refresh()).toBe(true);
  expect(book.result()).toEqual({
    both: 20, onlyA: 15, onlyB: 20, dice: 40 / 75, disputed: Uint8Array.of(0, 1, 0, 1, 0),
    byLabel: [{ value: 1, a: 35, b: 40, dice: 40 / 75 }, { value: 2, a: 0, b: 50, dice: 0 }],
  });
  expect(book.worst()).toBe(1);
});

it("a lesion made an exclusion differs", () => {
  const { a, b } = pair();
  b.writable(3).fill(2, 0, 5);
  const book = new DifferenceBook(a, b, counted);
  book.refresh();
  expect(book.slice(3)).toEqual({ both: 0, onlyA: 5, onlyB: 0 });
});

it("after edits of touched slices it says what a new count says", () => {
  const { a, b } = pair();
  const book = new DifferenceBook(a, b, counted);
  book.refresh();
  let seed = 7;
  const random = (n: number): number => ((seed = (seed * 1103515245 + 12345) % 2147483648), seed % n);
  for (let n = 0; n < 60; n++) {
    const z = random(5);
    const from = random(90);
    a.writable(z).fill(random(3), from, from + 1 + random(10));
    book.touch(z);
    while (!book.refresh(0));
    const anew = new DifferenceBook(a, b, counted);
    anew.refresh();
    expect(book.result()).toEqual(anew.result());
    expect(book.worst()).toBe(anew.worst());
  }
});

it("two empty masks have no Dice and no worst slice", () => {
  const book = new DifferenceBook(new Layer([2, 2, 2]), new Layer([2, 2, 2]), counted);
  book.refresh();
  expect(book.result().dice).toBeNull();
  expect(book.worst()).toBeNull();
});

it("the next marked slice goes round, comes back to its own, and there may be none", () => {
  const marks = [0, 1, 0, 1, 0];
  expect(nextMarked(marks, 4, -1)).toBe(3);
  expect(nextMarked(marks, 3, -1)).toBe(1);
  expect(nextMarked(marks, 1, -1)).toBe(3);
  expect(nextMarked(marks, 3, 1)).toBe(1);
  expect(nextMarked([0, 1], 1, 1)).toBe(1);
  expect(nextMarked([0, 0], 1, 1)).toBeNull();
});

it("the picture's three classes are those of the numbers", () => {
  const { a, b } = pair();
  const book = new DifferenceBook(a, b, counted);
  book.refresh();
  for (let z = 0; z < 5; z++) {
    const [left, right] = [a.slices[z], b.slices[z]];
    if (!left && !right) continue;
    const classes = classesOf(left, right, counted);
    const count = (value: number): number => classes.filter((one) => one === value).length;
    expect({ both: count(1), onlyA: count(2), onlyB: count(3) }).toEqual(book.slice(z));
  }
});
