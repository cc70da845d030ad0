import { expect, it } from "vitest";
import { bandsOf, describeSlice, partOf, sliceAtPart, type SliceFacts } from "../src/panels/strip";

function facts(total: number, marks: Partial<Record<keyof Omit<SliceFacts, "total">, number[]>> = {}): SliceFacts {
  const of = (name: keyof typeof marks): Uint8Array => {
    const out = new Uint8Array(total);
    marks[name]?.forEach((z) => (out[z] = 1));
    return out;
  };
  const every = Array.from({ length: total }, (_, z) => z);
  return {
    total,
    lung: marks.lung ? of("lung") : Uint8Array.from(every, () => 1),
    seen: of("seen"),
    lesion: of("lesion"),
    edited: of("edited"),
    disputed: of("disputed"),
    undecided: of("undecided"),
    contradicted: of("contradicted"),
    verdicts: of("verdicts"),
  };
}

it.each([
  [60, 700],
  [248, 728],
  [600, 728],
  [600, 500],
  [1500, 728],
  [1500, 1000],
])("%i slices on %i pixels: the bands cover the strip, each slice belongs to one, the head is at the top", (total, height) => {
  for (let z = 0; z < total; z += 7) {
    const bands = bandsOf(facts(total, { lesion: [z] }), height);
    const marked = bands.filter((band) => band.lesion);
    expect(marked.length).toBe(1);
    const { from, to } = partOf(z, total);
    const middle = ((from + to) / 2) * height;
    expect(marked[0].top - 1).toBeLessThanOrEqual(middle);
    expect(marked[0].top + marked[0].height + 1).toBeGreaterThanOrEqual(middle);
    expect(sliceAtPart((from + to) / 2, total)).toBe(z);
  }
  const bands = bandsOf(facts(total), height);
  expect(bands[0].top).toBe(0);
  bands.slice(1).forEach((band, n) => expect(band.top).toBeGreaterThan(bands[n].top));
  const last = bands[bands.length - 1];
  expect(height - last.top - last.height).toBeLessThanOrEqual(1);
});

it("one unseen slice among its seen neighbours keeps their band unseen; a slice without lung does not", () => {
  const all = Array.from({ length: 1500 }, (_, z) => z);
  const bands = (seen: number[], lung = all): boolean[] => bandsOf(facts(1500, { seen, lung }), 500).map((band) => band.seen);
  expect(bands(all).every(Boolean)).toBe(true);
  expect(bands(all.filter((z) => z !== 700)).filter((seen) => !seen).length).toBe(1);
  const without700 = all.filter((z) => z !== 700);
  expect(bands(without700, without700).every(Boolean)).toBe(true);
});

it("places beyond the strip are its ends", () => {
  expect(sliceAtPart(-0.2, 248)).toBe(247);
  expect(sliceAtPart(1.2, 248)).toBe(0);
});

it("a slice is named with its facts", () => {
  const known = facts(248, { lesion: [142], edited: [142], seen: [142], lung: [142, 143] });
  expect(describeSlice(142, known)).toBe("Slice 143 of 248: lesion, edited, seen");
  expect(describeSlice(143, known)).toBe("Slice 144 of 248: not seen");
  expect(describeSlice(0, known)).toBe("Slice 1 of 248: no lung");
});
