import { expect, it } from "vitest";
import { RowStore } from "../src/reading/rowstore";
import { applied, contradictedOf, derived, inWords, undecidedOf, type VerdictRow } from "../src/reading/verdicts";
import { PlanesViewed, spent, Worktime } from "../src/reading/working";

const of = (...marks: number[]): Uint8Array => Uint8Array.from(marks);

it("the last word on a slice counts, by range or by key", () => {
  const rows: VerdictRow[] = [
    { z_first: 0, z_last: 3, verdict: "absent", how: "range" },
    { z_first: 2, z_last: 2, verdict: "present", how: "key" },
    { z_first: 3, z_last: 3, verdict: "indeterminate", how: "key" },
  ];
  expect([...applied(of(0, 0, 0, 0, 1), rows)]).toEqual([2, 2, 1, 3, 1]);
});

it("open are slices with lung without a verdict, or with one that decides nothing", () => {
  expect([...undecidedOf(of(1, 1, 1, 1, 0), of(0, 1, 2, 3, 0))]).toEqual([1, 0, 0, 1, 0]);
});

it("a verdict contradicts the mask in both directions, and undecided never does", () => {
  expect([...contradictedOf(of(1, 1, 0, 0, 1, 0), of(1, 2, 1, 2, 3, 0))]).toEqual([0, 1, 1, 0, 0, 0]);
});

it("verdicts from the mask are ranges of one verdict, of marked slices alone", () => {
  expect(derived(of(1, 1, 1, 0, 1, 1), of(0, 0, 1, 1, 1, 1))).toEqual([
    { z_first: 0, z_last: 1, verdict: "absent", how: "derived" },
    { z_first: 2, z_last: 2, verdict: "present", how: "derived" },
    { z_first: 4, z_last: 5, verdict: "present", how: "derived" },
  ]);
});

it("slices in words are the numbers that people see", () => {
  expect(inWords([2, 3, 4, 8])).toBe("3 to 5, 9");
  expect(inWords([0, 2, 4, 6], 2)).toBe("1, 3 and 2 more");
});

it("time counts while somebody is there, and not while they are idle, away or asleep", () => {
  const time = new Worktime();
  time.touch(0);
  for (let now = 0; now <= 60_000; now += 1000) time.tick(now, true);
  expect(time.take()).toBe(29_000);
  time.touch(61_000);
  expect(time.tick(61_000, true)).toBe(1000);
  expect(time.tick(62_000, false)).toBe(0);
  time.touch(3_600_000);
  expect(time.tick(3_600_000, true)).toBe(0);
  expect(time.take()).toBe(1000);
  expect(time.take()).toBe(0);
  expect([spent(0), spent(250_000), spent(3_900_000)]).toEqual(["0:00", "4:10", "1:05 h"]);
});

it("a plane was viewed once ten of its slices were, or all where it has fewer", () => {
  const planes = new PlanesViewed();
  const coronal = Array.from({ length: 10 }, (_, slice) => planes.saw("coronal", slice, 512));
  expect(coronal).toEqual([...Array<boolean>(9).fill(false), true]);
  expect([planes.saw("sagittal", 3, 2), planes.saw("sagittal", 3, 2), planes.saw("sagittal", 4, 2)]).toEqual([false, false, true]);
});

it("rows that were not sent go over to the next page in order, and nonsense does not", () => {
  const kept = new Map<string, string>();
  const storage = new Proxy({} as Storage, {
    get: (_, name) => ({ setItem: (k: string, v: string) => kept.set(k, v), removeItem: (k: string) => kept.delete(k), getItem: (k: string) => kept.get(k) ?? null })[name as string],
    ownKeys: () => [...kept.keys()],
    getOwnPropertyDescriptor: (_, key) => ({ value: kept.get(String(key)), enumerable: true, configurable: true }),
  });
  const valid = (row: { z: number }): boolean => Number.isInteger(row.z);
  const first = new RowStore<{ z: number }>(storage, "verdicts", "r", "me", valid);
  first.keep([{ z: 1 }, { z: 2 }, { z: 1 }, { z: "x" } as unknown as { z: number }]);
  new RowStore<{ z: number }>(storage, "verdicts", "r", "somebody else", valid).keep([{ z: 9 }]);
  const second = new RowStore<{ z: number }>(storage, "verdicts", "r", "me", valid);
  expect(second.takeOver()).toEqual([{ z: 1 }, { z: 2 }, { z: 1 }]);
  expect(first.takeOver()).toEqual([{ z: 1 }, { z: 2 }, { z: 1 }]);
  second.keep([]);
  expect(kept.size).toBe(2);
});
