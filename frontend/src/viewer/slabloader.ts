/** Fetches the scan's slabs, the one with the shown slice first and then outward; two workers undo them. */
import type { SlabInfo } from "../api/types";
import type { SlabDone } from "./slabworker";

const WORKERS = 2;
/** One more request than a worker can undo keeps the line busy while it works. */
const IN_FLIGHT_PER_WORKER = 2;
const RETRY_MS = [500, 1000, 2000, 4000, 8000];

/** Workers start slowly on a cold page: they are made while the reading is still being asked for. */
export function startWorkers(): Worker[] {
  return Array.from({ length: WORKERS }, () => new Worker(new URL("./slabworker.ts", import.meta.url), { type: "module" }));
}

/** The preview's job: no slab has this number. */
const PREVIEW = -1;

export interface SlabEvents {
  /** The low-resolution copy, when one was asked for and came. */
  preview?(voxels: Int16Array): void;
  slice(z: number, voxels: Int16Array): void;
  complete(): void;
  failed(sentence: string): void;
  /** Everything that had failed is there, or is not wanted any more. */
  mended(): void;
  /** The server asks who this is; slabs are asked for on and on meanwhile. */
  signedOut(): void;
}

export class SlabLoader {
  private readonly waiting: Set<number>;
  private readonly tries: number[];
  /** Slabs that the reader was told of. */
  private readonly failing = new Set<number>();
  private missing: number;
  private stopped = false;

  constructor(
    private readonly workers: Worker[],
    private readonly slabs: readonly SlabInfo[],
    private readonly sliceSize: number,
    private centre: number,
    private readonly events: SlabEvents,
    preview: { url: string } | null = null,
  ) {
    this.waiting = new Set(slabs.keys());
    this.tries = slabs.map(() => 0);
    this.missing = slabs.length;
    workers.forEach((worker, w) => (worker.onmessage = (event: MessageEvent<SlabDone>) => this.done(w, event.data)));
    // The shown slice's slab has the line and the machine to itself; the others follow when it is there.
    this.next(0);
    if (preview) this.ask(workers.length - 1, PREVIEW, preview.url);
  }

  private ask(w: number, index: number, url: string): void {
    this.workers[w].postMessage({ index, url: new URL(url, location.href).href });
  }

  /** The shown slice moved: what is still to come comes in the order of distance from it. */
  aim(slice: number): void {
    this.centre = slice;
  }

  /** What is still to come is not wanted any more. */
  stop(): void {
    this.stopped = true;
    if (this.failing.size) this.events.mended();
    this.workers.forEach((worker) => worker.terminate());
  }

  private nearest(): number | undefined {
    let best: number | undefined;
    let distance = Infinity;
    for (const index of this.waiting) {
      const { z_start, z_count } = this.slabs[index];
      const away = Math.max(z_start - this.centre, this.centre - (z_start + z_count - 1), 0);
      if (away < distance) {
        distance = away;
        best = index;
      }
    }
    return best;
  }

  private next(w: number): void {
    const index = this.nearest();
    if (index === undefined) return;
    this.waiting.delete(index);
    this.ask(w, index, this.slabs[index].url);
  }

  private done(w: number, { index, voxels, error, status }: SlabDone): void {
    // Without a preview the slabs serve: it is asked for once.
    if (index === PREVIEW) return voxels && this.missing ? this.events.preview?.(voxels) : undefined;
    const slab = this.slabs[index];
    if (!voxels || voxels.length !== slab.z_count * this.sliceSize) {
      this.again(w, index, error ?? "A part of the scan has the wrong size.", status);
      return;
    }
    if (this.failing.delete(index) && !this.failing.size) this.events.mended();
    const first = this.missing === this.slabs.length;
    for (let s = 0; s < slab.z_count; s++) {
      this.events.slice(slab.z_start + s, voxels.subarray(s * this.sliceSize, (s + 1) * this.sliceSize));
    }
    const lanes = first ? this.workers.flatMap((_, n) => new Array<number>(IN_FLIGHT_PER_WORKER).fill(n)) : [w];
    lanes.forEach((lane) => this.next(lane));
    if (--this.missing === 0) {
      this.workers.forEach((worker) => worker.terminate());
      this.events.complete();
    }
  }

  private again(w: number, index: number, error: string, status?: number): void {
    const wait = RETRY_MS[Math.min(this.tries[index]++, RETRY_MS.length - 1)];
    if (this.stopped) return;
    if (status === 401) this.events.signedOut();
    else if (this.tries[index] > 2) {
      this.failing.add(index);
      this.events.failed(`Slices ${this.slabs[index].z_start + 1} onwards do not load (${error}); trying again.`);
    }
    setTimeout(() => {
      if (this.stopped) return;
      this.waiting.add(index);
      this.next(w);
    }, wait);
  }
}
