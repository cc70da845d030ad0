import { expect, it } from "vitest";
import { readContainer } from "../src/edits/container";

/** A zstd frame that holds its content as it is: magic, content size, one raw block. */
function zstdFrame(content: Uint8Array): Buffer {
  const head = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 0, 0, 0, 0]);
  head.writeUInt32LE(content.length, 5);
  head.writeUIntLE((content.length << 3) | 1, 9, 3);
  return Buffer.concat([head, content]);
}

/** Bytes of a GGM1 container as the server writes them. */
function container(frames: { layer: string; z: number; slice: Uint8Array }[]): Uint8Array {
  const bodies = frames.map(({ slice }) => zstdFrame(slice));
  let offset = 0;
  const listed = frames.map(({ layer, z }, n) => {
    const entry = { layer, z, offset, length: bodies[n].length };
    offset += bodies[n].length;
    return entry;
  });
  const header = Buffer.from(JSON.stringify({ shape_zyx: [3, 4, 5], stroke_sequence: 7, head_hash: "h", frames: listed }));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(header.length);
  return new Uint8Array(Buffer.concat([Buffer.from("GGM1"), length, header, ...bodies]));
}

it("a mask is read slice by slice; what is not listed is empty", async () => {
  const slice = Uint8Array.from({ length: 20 }, (_, i) => i % 3);
  const { header, layers } = await readContainer(container([{ layer: "findings", z: 1, slice }, { layer: "anatomy", z: 2, slice }]));
  expect(header.stroke_sequence).toBe(7);
  expect(layers.findings.slices).toEqual([null, slice, null]);
  expect(layers.anatomy.slices).toEqual([null, null, slice]);
  await expect(readContainer(container([{ layer: "findings", z: 3, slice }]))).rejects.toThrow();
});

it("other bytes are refused", async () => {
  await expect(readContainer(new Uint8Array(40))).rejects.toThrow("GGM1");
});
