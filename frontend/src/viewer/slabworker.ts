/** Undoes one slab at a time, off the main thread. */
import { decodeSlabPayload } from "./slabs";

export interface SlabJob {
  index: number;
  url: string;
}

export interface SlabDone {
  index: number;
  voxels?: Int16Array;
  error?: string;
  status?: number;
}

self.onmessage = async (event: MessageEvent<SlabJob>) => {
  const { index, url } = event.data;
  try {
    const answer = await fetch(url, { credentials: "same-origin" });
    if (!answer.ok) {
      self.postMessage({ index, error: `The server answered ${answer.status}.`, status: answer.status } satisfies SlabDone);
      return;
    }
    const voxels = decodeSlabPayload(new Uint8Array(await answer.arrayBuffer()));
    (self as unknown as Worker).postMessage({ index, voxels } satisfies SlabDone, [voxels.buffer]);
  } catch (error) {
    self.postMessage({ index, error: String(error) } satisfies SlabDone);
  }
};
