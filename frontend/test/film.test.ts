import { describe, expect, it } from "vitest";
import { sliceRuns, type SliceRuns } from "../src/edits/delta";
import { Film } from "../src/edits/film";
import { emptyLayers, type LayerName, type Layers } from "../src/edits/layers";
import { mergeStrokes } from "../src/edits/merge";

function dice(seed: number): () => number {
  let state = seed >>> 0;
  return () => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32);
}

const copy = (layers: Layers): string => JSON.stringify([layers.anatomy, layers.findings].map((layer) => layer.slices.map((slice) => (slice ? [...slice] : new Array(12).fill(0)))));

function edit(layers: Layers, layer: LayerName, roll: () => number): SliceRuns[] {
  const delta: SliceRuns[] = [];
  for (let z = 0; z < 3; z++) {
    const before = layers[layer].slices[z] ?? new Uint8Array(12);
    const runs = sliceRuns(z, before, before.map((label) => (roll() < 0.3 ? Math.floor(roll() * 3) : label)));
    if (runs) delta.push(runs);
  }
  return delta;
}

describe("film", () => {
  it("shows at any place what was there, whichever way it came", () => {
    const roll = dice(7);
    const now = emptyLayers([3, 3, 4]);
    const states = [copy(now)];
    const frames = Array.from({ length: 60 }, () => {
      const layer: LayerName = roll() < 0.5 ? "anatomy" : "findings";
      const delta = edit(now, layer, roll);
      now[layer].apply(delta);
      states.push(copy(now));
      return { layer, delta: () => delta };
    });
    const film = new Film(emptyLayers([3, 3, 4]), frames);
    for (let n = 0; n < 100; n++) {
      const to = Math.floor(roll() * 61);
      film.seek(to);
      expect(copy(film.layers)).toBe(states[to]);
    }
  });
});

describe("merging", () => {
  it("takes what fits, leaves what others changed, and counts it", () => {
    const layers = emptyLayers([1, 3, 4]);
    layers.findings.writable(0).set([0, 0, 2, 1]);
    const stroke = (start: number, old: number, now: number) => ({ layer: "findings" as const, delta: [{ z: 0, runs: [{ start, length: 1, old, new: now }] }] });
    const { deltas, conflicts } = mergeStrokes(layers, [stroke(0, 0, 1), stroke(0, 1, 3), stroke(1, 0, 1), stroke(2, 0, 1), stroke(3, 0, 1)]);
    layers.findings.apply(deltas.findings!);
    expect([...layers.findings.slices[0]!].slice(0, 4)).toEqual([3, 1, 2, 1]);
    expect(conflicts).toBe(1);
  });

  it("a stroke and its undo amount to nothing", () => {
    const layers = emptyLayers([1, 3, 4]);
    const stroke = { layer: "findings" as const, delta: [{ z: 0, runs: [{ start: 2, length: 3, old: 0, new: 1 }] }] };
    const undo = { layer: "findings" as const, delta: [{ z: 0, runs: [{ start: 2, length: 3, old: 1, new: 0 }] }] };
    expect(mergeStrokes(layers, [stroke, undo])).toEqual({ deltas: {}, conflicts: 0 });
  });
});
