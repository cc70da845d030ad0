import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { SlabInfo } from "../src/api/types";
import { slabTrouble } from "../src/reading/slabtrouble";
import * as state from "../src/state";
import { SlabLoader } from "../src/viewer/slabloader";
import type { SlabDone } from "../src/viewer/slabworker";

const SLABS = [0, 1, 2].map((z_start) => ({ z_start, z_count: 1, url: `/slab/${z_start}`, bytes: 2 })) as unknown as SlabInfo[];

/** What the server answers for each slab: a status, or its voxels. */
let answers: Record<number, number | "voxels">;

function worker(): Worker {
  const self = {
    onmessage: null as ((event: { data: SlabDone }) => void) | null,
    postMessage: ({ index }: { index: number }) => {
      const answer = answers[index];
      const data = answer === "voxels" ? { index, voxels: new Int16Array(1) } : { index, error: `The server answered ${answer}.`, status: answer };
      setTimeout(() => self.onmessage?.({ data }), 10);
    },
    terminate: () => undefined,
  };
  return self as unknown as Worker;
}

const loader = (): { arrived: number[]; done: boolean; stop(): void } => {
  const seen = { arrived: [] as number[], done: false, stop: () => loading.stop() };
  const loading = new SlabLoader([worker(), worker()], SLABS, 1, 1, { slice: (z) => void seen.arrived.push(z), complete: () => void (seen.done = true), ...slabTrouble() });
  return seen;
};

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("location", { href: "http://here/" });
  state.notice.value = null;
  state.dialog.value = "none";
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it("what is said of slices that do not load goes when they are there, and not before", async () => {
  answers = { 0: 503, 1: "voxels", 2: 502 };
  const seen = loader();
  await vi.advanceTimersByTimeAsync(6000);
  expect(state.notice.value).toContain("do not load");
  answers = { 0: 503, 1: "voxels", 2: "voxels" };
  await vi.advanceTimersByTimeAsync(20_000);
  expect(seen.arrived).toEqual([1, 2]);
  expect(state.notice.value).toContain("Slices 1 onwards do not load");
  answers[0] = "voxels";
  await vi.advanceTimersByTimeAsync(20_000);
  expect(seen.done).toBe(true);
  expect(state.notice.value).toBeNull();
});

it("another notice that came meanwhile stays, and what is not wanted any more is not spoken of", async () => {
  answers = { 0: 503, 1: "voxels", 2: "voxels" };
  const seen = loader();
  await vi.advanceTimersByTimeAsync(6000);
  state.notice.value = "Nothing to erase here.";
  answers[0] = "voxels";
  await vi.advanceTimersByTimeAsync(20_000);
  expect([seen.done, state.notice.value]).toEqual([true, "Nothing to erase here."]);
  answers = { 0: 503, 1: 503, 2: 503 };
  const other = loader();
  await vi.advanceTimersByTimeAsync(20_000);
  expect(state.notice.value).toContain("do not load");
  other.stop();
  expect(state.notice.value).toBeNull();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(state.notice.value).toBeNull();
});

it("an ended session asks to sign in, and the scan goes on loading after that", async () => {
  answers = { 0: 401, 1: 401, 2: 401 };
  const seen = loader();
  await vi.advanceTimersByTimeAsync(50);
  expect(state.dialog.value).toBe("signin");
  await vi.advanceTimersByTimeAsync(30_000);
  expect(state.notice.value).toBeNull();
  answers = { 0: "voxels", 1: "voxels", 2: "voxels" };
  state.dialog.value = "none";
  await vi.advanceTimersByTimeAsync(10_000);
  expect([seen.done, state.dialog.value]).toEqual([true, "none"]);
});
