import { expect, it } from "vitest";
import { SeenStore } from "../src/reading/seenstore";

/** As a browser's: keys are its own enumerable properties. */
function storage(): Storage {
  const methods = {
    getItem(key: string) { return (this as Record<string, unknown>)[key] ?? null; },
    setItem(key: string, text: string) { Object.assign(this, { [key]: text }); },
    removeItem(key: string) { delete (this as Record<string, unknown>)[key]; },
  };
  return Object.create(methods) as Storage;
}

const row = (z: number, dwell_ms = 300) => ({ z, at: "2026-01-01T00:00:00Z", dwell_ms });

it("two tabs keep their rows beside each other, and the next page takes over both", () => {
  const shared = storage();
  const [one, two] = [new SeenStore(shared, "r", "kim", 10), new SeenStore(shared, "r", "kim", 10)];
  one.keep([row(1), row(2, 900)]);
  two.keep([row(2), row(3)]);
  const next = new SeenStore(shared, "r", "kim", 10);
  expect(next.takeOver()).toEqual([row(1), row(2, 900), row(3)]);
  expect(new SeenStore(shared, "r", "kim", 10).takeOver().length, "and so does the one after").toBe(3);
});

it("neither another reader nor another reading is touched", () => {
  const shared = storage();
  new SeenStore(shared, "r", "kim", 10).keep([row(1)]);
  for (const other of [new SeenStore(shared, "r", "lee", 10), new SeenStore(shared, "q", "kim", 10)]) {
    expect(other.takeOver()).toEqual([]);
    other.keep([]);
  }
  expect(new SeenStore(shared, "r", "kim", 10).takeOver()).toEqual([row(1)]);
});

it("what is no row is left out, and no storage is no trouble", () => {
  const shared = storage();
  const store = new SeenStore(shared, "r", "kim", 10);
  store.keep([row(1), row(10), row(-1), row(1.5), { ...row(2), at: 7 as never }, row(3, 0)]);
  shared.setItem("groundglass.seen.r.kim.broken", "{");
  expect(new SeenStore(shared, "r", "kim", 10).takeOver()).toEqual([row(1)]);
  const forbidden = new Proxy({}, { get: () => { throw new Error("forbidden"); }, ownKeys: () => { throw new Error("forbidden"); } }) as Storage;
  const none = new SeenStore(forbidden, "r", "kim", 10);
  none.keep([row(1)]);
  expect(none.takeOver()).toEqual([]);
});
