import { describe, expect, it } from "vitest";
import { countVoxels, decodeDelta, DeltaConflict, DeltaError, encodeDelta, invertRuns, packRuns, sliceRuns, unpackRuns } from "../src/edits/delta";
import { Layer } from "../src/edits/layers";

const SHAPE = [3, 4, 5] as const;

function random(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 1664525 + 1013904223) % 4294967296) / 4294967296;
}

describe("a stroke's delta", () => {
  it("is written byte for byte as the format says", () => {
    const delta = [
      { z: 1, runs: packRuns([{ start: 3, length: 2, old: 0, new: 1 }]) },
      { z: 2, runs: packRuns([{ start: 0, length: 200, old: 1, new: 0 }]) },
    ];
    const bytes = [0x47, 0x47, 0x44, 0x31, 2, 1, 1, 3, 2, 0, 1, 1, 1, 0, 0xc8, 1, 1, 0];
    expect([...encodeDelta(delta)]).toEqual(bytes);
    expect(decodeDelta(Uint8Array.from(bytes), [3, 20, 20])).toEqual(delta);
  });

  it("merges neighbours of one kind and keeps kinds apart", () => {
    const runs = sliceRuns(0, Uint8Array.from([0, 0, 1, 1, 0]), Uint8Array.from([2, 2, 2, 0, 0]));
    expect(unpackRuns(runs!.runs)).toEqual([
      { start: 0, length: 2, old: 0, new: 2 },
      { start: 2, length: 1, old: 1, new: 2 },
      { start: 3, length: 1, old: 1, new: 0 },
    ]);
    expect(sliceRuns(0, new Uint8Array(4), new Uint8Array(4))).toBeNull();
  });

  it("undone gives back the first mask, for a hundred random pairs", () => {
    const next = random(7);
    for (let round = 0; round < 100; round++) {
      const layer = new Layer(SHAPE);
      for (let z = 0; z < 3; z++) layer.slices[z] = Uint8Array.from({ length: 20 }, () => Math.floor(next() * 3));
      const before = layer.slices.map((slice) => slice!.slice());
      const after = before.map((slice) => slice.map((value) => (next() < 0.5 ? value : Math.floor(next() * 3))));
      const delta = after.flatMap((slice, z) => sliceRuns(z, before[z], slice) ?? []);
      if (!delta.length) continue;
      const read = decodeDelta(encodeDelta(delta), SHAPE);
      layer.apply(read);
      expect(layer.slices).toEqual(after);
      layer.apply(invertRuns(read));
      expect(layer.slices).toEqual(before);
    }
  });

  it("that does not fit changes nothing", () => {
    const layer = new Layer(SHAPE);
    layer.writable(1)[4] = 2;
    const delta = [
      { z: 0, runs: packRuns([{ start: 0, length: 3, old: 0, new: 1 }]) },
      { z: 1, runs: packRuns([{ start: 4, length: 1, old: 0, new: 1 }]) },
    ];
    expect(() => layer.apply(delta)).toThrow(DeltaConflict);
    expect(layer.count(1)).toBe(0);
    expect(countVoxels(delta)).toBe(4);
  });

  it.each([
    ["another magic", [0x47, 0x47, 0x44, 0x32, 1, 0, 1, 0, 1, 0, 1]],
    ["no slices", [0x47, 0x47, 0x44, 0x31, 0]],
    ["a slice outside", [0x47, 0x47, 0x44, 0x31, 1, 3, 1, 0, 1, 0, 1]],
    ["a run outside", [0x47, 0x47, 0x44, 0x31, 1, 0, 1, 19, 2, 0, 1]],
    ["a run of nothing", [0x47, 0x47, 0x44, 0x31, 1, 0, 1, 0, 0, 0, 1]],
    ["no change", [0x47, 0x47, 0x44, 0x31, 1, 0, 1, 0, 1, 1, 1]],
    ["a slice twice", [0x47, 0x47, 0x44, 0x31, 2, 0, 1, 0, 1, 0, 1, 0, 1, 5, 1, 0, 1]],
    ["runs that should be one", [0x47, 0x47, 0x44, 0x31, 1, 0, 2, 0, 1, 0, 1, 0, 1, 0, 1]],
    ["a long number", [0x47, 0x47, 0x44, 0x31, 1, 0x80, 0, 1, 0, 1, 0, 1]],
    ["a count beyond its bytes", [0x47, 0x47, 0x44, 0x31, 1, 0, 0xff, 0xff, 0xff, 0xff, 0x07, 0, 1, 0, 1]],
    ["an early end", [0x47, 0x47, 0x44, 0x31, 1, 0, 1, 0, 1, 0]],
    ["bytes after the end", [0x47, 0x47, 0x44, 0x31, 1, 0, 1, 0, 1, 0, 1, 9]],
  ])("with %s is refused", (_, bytes) => {
    expect(() => decodeDelta(Uint8Array.from(bytes), SHAPE)).toThrow(DeltaError);
  });

  it("of nothing is not written", () => {
    expect(() => encodeDelta([])).toThrow(DeltaError);
  });
});
