/** The vectors that the Python codecs write: both sides agree byte for byte. */
import { readFileSync } from "node:fs";
import { ZSTDDecoder } from "zstddec";
import { describe, expect, it } from "vitest";
import { fromBase64, toBase64 } from "../src/edits/bytes";
import { readContainer } from "../src/edits/container";
import { decodeDelta, DeltaError, encodeDelta, packRuns, sliceRuns, type SliceRuns } from "../src/edits/delta";
import { Layer, type Shape } from "../src/edits/layers";
import { sha256Hex } from "../src/edits/sha256";
import { decodeSlabPayload } from "../src/viewer/slabs";

const read = <T>(name: string): T => JSON.parse(readFileSync(new URL(`../../tests/vectors/${name}.json`, import.meta.url), "utf8")) as T;

interface Columns {
  z: number;
  start: number[];
  length: number[];
  old: number[];
  new: number[];
}

interface Deltas {
  accepted: { name: string; shape_zyx: [number, number, number]; before: number[]; after: number[]; slices: Columns[]; payload: string; payload_sha256: string }[];
  refused: { name: string; shape_zyx: [number, number, number]; payload: string }[];
}

const toRuns = (slices: Columns[]): SliceRuns[] =>
  slices.map((slice) => ({
    z: slice.z,
    runs: packRuns(slice.start.map((start, n) => ({ start, length: slice.length[n], old: slice.old[n], new: slice.new[n] }))),
  }));

function layerOf(shape: Shape, voxels: readonly number[]): Layer {
  const layer = new Layer(shape);
  for (let z = 0; z < shape[0]; z++) layer.slices[z] = Uint8Array.from(voxels.slice(z * layer.sliceSize, (z + 1) * layer.sliceSize));
  return layer;
}

describe("deltas of the Python side", () => {
  const { accepted, refused } = read<Deltas>("deltas");

  it.each(accepted.map((vector) => [vector.name, vector] as const))("%s", (_, vector) => {
    const bytes = fromBase64(vector.payload);
    expect(sha256Hex(bytes)).toBe(vector.payload_sha256);
    const delta = decodeDelta(bytes, vector.shape_zyx);
    expect(delta).toEqual(toRuns(vector.slices));
    expect(toBase64(encodeDelta(delta))).toBe(vector.payload);
    const layer = layerOf(vector.shape_zyx, vector.before);
    const after = layerOf(vector.shape_zyx, vector.after);
    const found = after.slices.flatMap((slice, z) => sliceRuns(z, layer.slices[z]!, slice!) ?? []);
    expect(found).toEqual(delta);
    layer.apply(delta);
    expect(layer.slices).toEqual(after.slices);
  });

  it.each(refused.map((vector) => [vector.name, vector] as const))("refused: %s", (_, vector) => {
    expect(() => decodeDelta(fromBase64(vector.payload), vector.shape_zyx)).toThrow(DeltaError);
  });
});

it("a slab of the Python side", async () => {
  const { shape_zyx, voxels, slab } = read<{ shape_zyx: number[]; voxels: number[]; slab: string }>("slab");
  const decoder = new ZSTDDecoder();
  await decoder.init();
  const payload = decoder.decode(fromBase64(slab), 2 * shape_zyx.reduce((a, b) => a * b));
  expect([...decodeSlabPayload(payload)]).toEqual(voxels);
});

it("a mask of the Python side", async () => {
  const vector = read<{ shape_zyx: Shape; stroke_sequence: number; anatomy: number[]; findings: number[]; container: string }>("mask");
  const { header, layers } = await readContainer(fromBase64(vector.container));
  expect(header.stroke_sequence).toBe(vector.stroke_sequence);
  for (const name of ["anatomy", "findings"] as const) {
    expect(layers[name].slices.flatMap((slice) => [...(slice ?? new Uint8Array(layers[name].sliceSize))])).toEqual(vector[name]);
  }
});
