import { signal } from "@preact/signals";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { numberIn, oneOf, Preferences, yesOrNo, type Tree } from "../src/preferences";

function copy(text: string | null = null) {
  return { text, read: () => text, write(next: string) { this.text = next; } };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("the quick copy serves the first paint, and the server's copy wins when it comes", () => {
  const preferences = new Preferences(copy(JSON.stringify({ owner: "kim", unsent: false, tree: { masks: { fill: 50 } } })));
  const fill = signal(30);
  preferences.remember("masks.fill", fill, { valid: numberIn(0, 100) });
  expect(fill.value).toBe(50);
  preferences.opened("kim", { masks: { fill: 70 } }, async () => undefined);
  expect(fill.value).toBe(70);
});

it("what was never sent is kept and sent", async () => {
  const preferences = new Preferences(copy(JSON.stringify({ owner: "kim", unsent: true, tree: { masks: { fill: 50 } } })));
  const fill = signal(30);
  preferences.remember("masks.fill", fill, { valid: numberIn(0, 100) });
  const sent: Tree[] = [];
  preferences.opened("kim", { masks: { fill: 70 } }, async (tree) => void sent.push(tree));
  await vi.advanceTimersByTimeAsync(1100);
  expect(fill.value).toBe(50);
  expect(sent).toEqual([{ masks: { fill: 50 } }]);
});

it("another person on the same machine finds none of it", () => {
  const preferences = new Preferences(copy(JSON.stringify({ owner: "kim", unsent: true, tree: { masks: { fill: 50 } } })));
  const fill = signal(30);
  preferences.remember("masks.fill", fill, { valid: numberIn(0, 100) });
  preferences.opened("lee", {}, async () => undefined);
  expect(fill.value).toBe(30);
});

it("many changes are one message, and a message lost is sent with the next change", async () => {
  const kept = copy();
  const preferences = new Preferences(kept);
  const fill = signal(30);
  const lung = signal(true);
  preferences.remember("masks.fill", fill, { valid: numberIn(0, 100) });
  preferences.remember("masks.lung", lung, { valid: yesOrNo });
  const sent: Tree[] = [];
  let online = false;
  preferences.opened("kim", {}, (tree) => (sent.push(tree), online ? Promise.resolve() : Promise.reject(new Error("offline"))));
  for (let n = 31; n < 60; n++) fill.value = n;
  await vi.advanceTimersByTimeAsync(1100);
  expect(sent).toEqual([{ masks: { fill: 59 } }]);
  expect(JSON.parse(kept.text!).unsent).toBe(true);
  online = true;
  lung.value = false;
  await vi.advanceTimersByTimeAsync(1100);
  expect(sent[1]).toEqual({ masks: { fill: 59, lung: false } });
  expect(JSON.parse(kept.text!)).toEqual({ owner: "kim", unsent: false, tree: { masks: { fill: 59, lung: false } } });
});

it("a stored value that is none is not taken, and a Set is stored as a list", async () => {
  const preferences = new Preferences(copy(JSON.stringify({ owner: "", tree: { masks: { look: "loud" } } })));
  const look = signal<"both" | "fill">("both");
  const hidden = signal<ReadonlySet<string>>(new Set());
  preferences.remember("masks.look", look, { valid: oneOf("both", "fill") });
  preferences.remember("panels.hidden", hidden, {
    valid: (stored) => (Array.isArray(stored) ? new Set(stored.map(String)) : undefined),
    store: (value) => [...value],
  });
  expect(look.value).toBe("both");
  const sent: Tree[] = [];
  preferences.opened("kim", { panels: { hidden: ["a"] } }, async (tree) => void sent.push(tree));
  expect([...hidden.value]).toEqual(["a"]);
  hidden.value = new Set(["a", "b"]);
  await vi.advanceTimersByTimeAsync(1100);
  expect(sent).toEqual([{ panels: { hidden: ["a", "b"] } }]);
});
