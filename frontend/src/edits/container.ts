/** GGM1, the whole mask in one answer: a JSON header and one zstd frame for each slice that is not empty. */
import { ZSTDDecoder } from "zstddec";
import { carryOut, type Operation } from "./operation";
import { emptyLayers, type LayerName, type Layers, type Shape } from "./layers";

export interface ContainerHeader {
  shape_zyx: [number, number, number];
  stroke_sequence: number;
  head_hash: string;
  frames: { layer: LayerName; z: number; offset: number; length: number }[];
}

const MAGIC = 0x314d4747;

export function readHeader(bytes: Uint8Array): { header: ContainerHeader; framesAt: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 8 || view.getUint32(0, true) !== MAGIC) throw new Error("Not a GGM1 mask.");
  const length = view.getUint32(4, true);
  if (8 + length > bytes.length) throw new Error("The mask ends too early.");
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))) as ContainerHeader;
  return { header, framesAt: 8 + length };
}

const decoder = new ZSTDDecoder();

/** Slice by slice, in turns with whatever else the page has to do: a full mask of 600 slices is 300 MB unpacked. */
export async function readContainer(bytes: Uint8Array): Promise<{ header: ContainerHeader; layers: Layers }> {
  await decoder.init();
  const { header, framesAt } = readHeader(bytes);
  return { header, layers: await carryOut(unpack(bytes, header, framesAt)) };
}

function* unpack(bytes: Uint8Array, header: ContainerHeader, framesAt: number): Operation<Layers> {
  const shape: Shape = header.shape_zyx;
  const layers = emptyLayers(shape);
  for (const [n, frame] of header.frames.entries()) {
    const layer = layers[frame.layer];
    if (!layer || frame.z < 0 || frame.z >= shape[0]) throw new Error("A mask slice outside the volume.");
    const from = framesAt + frame.offset;
    if (from + frame.length > bytes.length) throw new Error("The mask ends too early.");
    const slice = decoder.decode(bytes.subarray(from, from + frame.length), layer.sliceSize);
    if (slice.length !== layer.sliceSize) throw new Error("A mask slice of the wrong size.");
    layer.slices[frame.z] = slice;
    yield n / header.frames.length;
  }
  return layers;
}
