/** Undoes the slab payload: low bytes, high bytes, zigzag, running sum modulo 2^16; gives int16 voxels, flat zyx. */
export function decodeSlabPayload(payload: Uint8Array): Int16Array {
  if (payload.length % 2) throw new Error("A slab with half a voxel.");
  const count = payload.length / 2;
  const voxels = new Int16Array(count);
  let value = 0;
  for (let i = 0; i < count; i++) {
    const zigzag = payload[i] | (payload[count + i] << 8);
    value = (value + ((zigzag >>> 1) ^ -(zigzag & 1))) | 0;
    voxels[i] = value;
  }
  return voxels;
}
