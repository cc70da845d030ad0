import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Refused, SignedOut } from "../src/api/client";
import { RowQueue } from "../src/reading/rowqueue";
import type { RowStore } from "../src/reading/rowstore";
import * as state from "../src/state";

let online: () => void = () => undefined;
let kept: number[][] = [];
const store = (left: number[]): RowStore<number> => ({ keep: (rows: readonly number[]) => void kept.push([...rows]), takeOver: () => left }) as unknown as RowStore<number>;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("addEventListener", (kind: string, act: () => void) => kind === "online" && (online = act));
  kept = [];
  state.dialog.value = "none";
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** A server that answers with `answers` in turn: nothing, or what it throws. */
function queueOf(answers: (unknown | null)[], left: number[] = []) {
  const sent: number[][] = [];
  const refused: string[] = [];
  const moved: [number, boolean][] = [];
  const queue = new RowQueue<number>(store(left), {
    send: (rows) => {
      sent.push([...rows]);
      const answer = answers.shift() ?? null;
      return answer === null ? Promise.resolve() : Promise.reject(answer as Error);
    },
    refused: (error) => void refused.push(error.message),
    moved: (waiting, retrying) => void moved.push([waiting, retrying]),
  });
  return { queue, sent, refused, moved };
}

it("what an earlier page left goes first, and stays kept until the server has it", async () => {
  const { queue, sent } = queueOf([], [1, 2]);
  queue.add(3);
  expect(kept).toEqual([[1, 2, 3]]);
  await vi.advanceTimersByTimeAsync(0);
  expect(sent).toEqual([[1, 2, 3]]);
  expect(kept[kept.length - 1]).toEqual([]);
});

it("without a network rows wait in order, and go at once when it is back", async () => {
  const { queue, sent, moved } = queueOf([new TypeError("Failed to fetch")]);
  queue.add(1);
  await vi.advanceTimersByTimeAsync(0);
  expect(moved[moved.length - 1]).toEqual([1, true]);
  expect(queue.waiting).toEqual([1]);
  online();
  await vi.advanceTimersByTimeAsync(0);
  expect(sent).toEqual([[1], [1]]);
  expect(await queue.flushed()).toBe(true);
});

it("is tried again by itself after a while", async () => {
  const { queue, sent } = queueOf([new Refused(503, "", "Busy")]);
  queue.add(1);
  await vi.advanceTimersByTimeAsync(9_000);
  expect(sent.length).toBe(1);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(sent.length).toBe(2);
  expect(queue.waiting).toEqual([]);
});

it("what the server will never take is dropped and told, and what came after it is sent", async () => {
  const { queue, refused, sent } = queueOf([new Refused(409, "signed", "This reading is signed.")]);
  queue.add(1);
  await vi.advanceTimersByTimeAsync(0);
  queue.add(2);
  expect(await queue.flushed()).toBe(true);
  expect([refused, sent]).toEqual([["This reading is signed."], [[1], [2]]]);
});

it("a session that ended asks to sign in and loses nothing", async () => {
  const { queue } = queueOf([new SignedOut()]);
  queue.add(1);
  expect(await queue.flushed()).toBe(false);
  expect([state.dialog.value, queue.waiting]).toEqual(["signin", [1]]);
});

it("hundreds go in turns", async () => {
  const { queue, sent } = queueOf([]);
  queue.add(...Array.from({ length: 450 }, (_, n) => n));
  await queue.flushed();
  expect(sent.map((rows) => rows.length)).toEqual([200, 200, 50]);
});
