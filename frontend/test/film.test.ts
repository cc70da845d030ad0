import { describe, expect, it } from "vitest";
import { toBase64 } from "../src/edits/bytes";
import { encodeDelta, packRuns, sliceRuns, type SliceRuns } from "../src/edits/delta";
import { Film, nothingChanged, pack, type Frame } from "../src/edits/film";
import { emptyLayers, type LayerName, type Layers } from "../src/edits/layers";
import { mergeStrokes } from "../src/edits/merge";
import { carryOutAtOnce } from "../src/edits/operation";
import { Reel, type Fetched } from "../src/edits/reel";

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

const COUNT = 60;

/** Strokes on both layers, and the state after each, written down without the film's own code. */
function story(seed: number): { frames: Frame[]; states: string[]; last: Layers; deltas: SliceRuns[][] } {
  const roll = dice(seed);
  const last = emptyLayers([3, 3, 4]);
  const states = [copy(last)];
  const deltas: SliceRuns[][] = [];
  const frames: Frame[] = [];
  while (frames.length < COUNT) {
    const layer: LayerName = roll() < 0.5 ? "anatomy" : "findings";
    const delta = edit(last, layer, roll);
    if (!delta.length) continue;
    last[layer].apply(delta);
    states.push(copy(last));
    deltas.push(delta);
    frames.push({ layer, payload: encodeDelta(delta) });
  }
  return { frames, states, last, deltas };
}

describe("film", () => {
  // So many voxels, it is told, that marks lie after every stroke, after every few, or nowhere.
  it.each([5e6, 1.3e6, 10])("shows at any place what was there, whichever way it came (%d voxels a stroke)", (voxels) => {
    const { frames, states, last } = story(7);
    const roll = dice(11);
    const film = new Film(last, COUNT, new Array<number>(COUNT).fill(voxels));
    expect(film.position).toBe(COUNT);
    for (let n = 0; n < 200; n++) {
      const to = Math.floor(roll() * (COUNT + 1));
      const before = film.layers.findings.slices.map((slice) => slice?.slice() ?? null);
      const changed = nothingChanged();
      const { from, cost } = film.wayTo(to);
      if (voxels > 1e6) expect(cost).toBeLessThanOrEqual(Math.abs(film.position - to) * (voxels + 3000));
      if (from !== film.position) carryOutAtOnce(film.goBack(from, changed));
      carryOutAtOnce(film.travel(to, (at) => frames[at], changed));
      expect(copy(film.layers)).toBe(states[to]);
      before.forEach((slice, z) => {
        const now = film.layers.findings.slices[z];
        if (String(now ?? new Uint8Array(12)) !== String(slice ?? new Uint8Array(12))) expect(changed.findings.has(z), "a slice that changed is told").toBe(true);
      });
    }
  });

  it("goes on from a state that was worked out elsewhere", () => {
    const { frames, states, last } = story(3);
    const film = new Film(last, COUNT, new Array<number>(COUNT).fill(5e6));
    carryOutAtOnce(film.travel(50, (at) => frames[at], nothingChanged()));
    const other = emptyLayers([3, 3, 4]);
    for (let n = 0; n < 20; n++) other[frames[n].layer].apply(story(3).deltas[n]);
    const changed = nothingChanged();
    film.replace(other, 20, changed);
    expect(copy(film.layers)).toBe(states[20]);
    carryOutAtOnce(film.remember());
    for (const to of [21, 50, 0, 20, 60]) {
      const { from } = film.wayTo(to);
      if (from !== film.position) carryOutAtOnce(film.goBack(from, changed));
      carryOutAtOnce(film.travel(to, (at) => frames[at], changed));
      expect(copy(film.layers)).toBe(states[to]);
    }
  });

  it("names the slice on which a stroke changed most", () => {
    const layers = emptyLayers([3, 3, 4]);
    const delta = [
      { z: 0, runs: packRuns([{ start: 0, length: 2, old: 0, new: 1 }]) },
      { z: 2, runs: packRuns([{ start: 1, length: 2, old: 0, new: 1 }, { start: 5, length: 1, old: 0, new: 1 }]) },
    ];
    const frame: Frame = { layer: "findings", payload: encodeDelta(delta) };
    const film = new Film(layers, 0, [5]);
    expect(film.needsStrokeOf(1)).toBe(true);
    expect(carryOutAtOnce(film.sliceOf(1, () => frame))).toBe(2);
    expect(film.needsStrokeOf(1)).toBe(false);
    expect(carryOutAtOnce(film.sliceOf(0, () => frame))).toBeNull();
  });

  it("packs a slice as the places where its label changes, alike for every alignment", () => {
    const roll = dice(5);
    for (let n = 0; n < 50; n++) {
      const raw = new Uint8Array(64 + n).map(() => (roll() < 0.2 ? 1 + Math.floor(roll() * 255) : 0));
      const slice = raw.subarray(n % 4, 60 + (n % 4));
      const packed = pack(slice);
      const back = new Uint8Array(slice.length);
      packed?.forEach((entry) => back.fill(entry & 255, entry >>> 8));
      expect(back).toEqual(new Uint8Array(slice));
    }
    expect(pack(new Uint8Array(16))).toBeNull();
    expect(pack(null)).toBeNull();
  });
});

describe("the strokes of a film", () => {
  const payload = toBase64(Uint8Array.of(1, 2, 3));
  const list = Array.from({ length: 700 }, (_, n) => ({ mask: n < 300 ? "a" : "b", stroke_sequence: n < 300 ? 2 * n + 1 : n - 200 }));

  /** A server that gives 100 strokes at most. */
  function server(asked: string[]): (mask: string, after: number, limit: number) => Promise<Fetched[]> {
    return async (mask, after, limit) => {
      asked.push(`${mask} ${after} ${limit}`);
      const rows = list.filter((row) => row.mask === mask && row.stroke_sequence > after).slice(0, Math.min(limit, 100));
      return rows.map(({ stroke_sequence }) => ({ layer: stroke_sequence % 2 ? "findings" : "anatomy", payload }));
    };
  }

  it("come in blocks of one mask each, asked for once", async () => {
    const asked: string[] = [];
    const reel = new Reel(list, server(asked));
    expect(reel.missing(0, 700)).toBe(700);
    await Promise.all([reel.need(260), reel.need(299)]);
    expect(asked).toEqual(["a 500 50"]);
    expect(reel.rangeOf(260)).toMatchObject({ first: 250, end: 300 });
    expect(reel.missing(0, 700)).toBe(650);
    expect(reel.missing(290, 310)).toBe(10);
    expect(reel.frame(299)).toEqual({ layer: "findings", payload: Uint8Array.of(1, 2, 3) });
    await reel.fill(() => true);
    expect(reel.missing(0, 700)).toBe(0);
    expect(asked.length).toBe(1 + 3 + 3 + 2);
  });

  it("are asked for again where the server could not be reached", async () => {
    const asked: string[] = [];
    let up = false;
    const answer = server(asked);
    const reel = new Reel(list, async (...about) => (up ? answer(...about) : Promise.reject(new Error("away"))));
    await expect(reel.need(3)).rejects.toThrow("away");
    up = true;
    await reel.need(3);
    expect(reel.frame(3).payload.length).toBe(3);
  });

  it("go where they would fill the memory, and come back when they are needed", async () => {
    const asked: string[] = [];
    const large = toBase64(new Uint8Array(2 ** 19));
    const answer = server(asked);
    const reel = new Reel(list, async (...about) => (await answer(...about)).map((row) => ({ ...row, payload: large })));
    for (const n of [0, 260, 310, 560]) await reel.need(n);
    expect(reel.missing(0, 700)).toBeGreaterThan(0);
    expect(reel.frame(560).payload.length, "the last that was asked for is here").toBe(2 ** 19);
    await reel.need(0);
    expect(reel.frame(0).payload.length).toBe(2 ** 19);
  });
});

describe("merging", () => {
  it("takes what fits, leaves what others changed, and counts it", () => {
    const layers = emptyLayers([1, 3, 4]);
    layers.findings.writable(0).set([0, 0, 2, 1]);
    const stroke = (start: number, old: number, now: number) => ({ layer: "findings" as const, delta: [{ z: 0, runs: packRuns([{ start, length: 1, old, new: now }]) }] });
    const { deltas, conflicts } = mergeStrokes(layers, [stroke(0, 0, 1), stroke(0, 1, 3), stroke(1, 0, 1), stroke(2, 0, 1), stroke(3, 0, 1)]);
    layers.findings.apply(deltas.findings!);
    expect([...layers.findings.slices[0]!].slice(0, 4)).toEqual([3, 1, 2, 1]);
    expect(conflicts).toBe(1);
  });

  it("a stroke and its undo amount to nothing", () => {
    const layers = emptyLayers([1, 3, 4]);
    const stroke = { layer: "findings" as const, delta: [{ z: 0, runs: packRuns([{ start: 2, length: 3, old: 0, new: 1 }]) }] };
    const undo = { layer: "findings" as const, delta: [{ z: 0, runs: packRuns([{ start: 2, length: 3, old: 1, new: 0 }]) }] };
    expect(mergeStrokes(layers, [stroke, undo])).toEqual({ deltas: {}, conflicts: 0 });
  });
});
