import { describe, expect, it } from "vitest";
import { sliceRuns } from "../src/edits/delta";
import { DeltaDraft } from "../src/edits/draft";
import { Layer, type Shape } from "../src/edits/layers";
import type { Permit } from "../src/edits/permit";

const SHAPE: Shape = [4, 9, 11];
const SIZE = 99;

function dice(seed: number): () => number {
  let state = seed >>> 0;
  return () => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32);
}

describe("an edit worked out beside the layer", () => {
  it.each([null, (z: number) => (z === 2 ? null : (i: number, old: number) => old !== 2 && i % 5 !== z)] as (Permit | null)[])(
    "says the same, wherever it is drawn and in whatever order, as whole slices compared (permit %#)",
    (permit) => {
      const roll = dice(17);
      for (let round = 0; round < 60; round++) {
        const layer = new Layer(SHAPE);
        for (const z of [0, 2, 3]) layer.writable(z).forEach((_, i, slice) => (slice[i] = roll() < 0.4 ? Math.floor(roll() * 4) : 0));
        const plain = layer.slices.map((slice) => slice?.slice() ?? new Uint8Array(SIZE));
        const draft = new DeltaDraft(layer, permit);
        for (let n = 0; n < 1 + round / 3; n++) {
          const z = Math.floor(roll() * 4);
          const from = Math.floor(roll() * SIZE);
          const to = Math.min(SIZE, from + 1 + Math.floor(roll() ** 2 * 40));
          const value = Math.floor(roll() * 4);
          draft.fill(z, from, to, value);
          const allow = permit?.(z) ?? null;
          for (let i = from; i < to; i++) if (!allow || allow(i, layer.slices[z]?.[i] ?? 0)) plain[z][i] = value;
        }
        plain.forEach((slice, z) => slice.forEach((label, i) => expect(draft.at(z, i)).toBe(label)));
        const wanted = plain.flatMap((slice, z) => sliceRuns(z, layer.slices[z] ?? new Uint8Array(SIZE), slice) ?? []);
        expect(draft.delta()).toEqual(wanted);
      }
    },
  );
});
