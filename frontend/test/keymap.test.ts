import { afterEach, expect, it } from "vitest";
import { give, judge, restore, validKeys } from "../src/keymap";
import { bindingOf, KEYS, keyName, remapped } from "../src/keyboard";

const pressed = (key: string, more: Partial<KeyboardEvent> = {}): KeyboardEvent =>
  ({ key, ctrlKey: false, altKey: false, shiftKey: false, metaKey: false, ...more }) as KeyboardEvent;

afterEach(() => void (remapped.value = {}));

it("no key does two things as the table comes", () => {
  const all = KEYS.flatMap((binding) => binding.keys);
  expect(all.filter((key, n) => all.indexOf(key) !== n)).toEqual([]);
});

it("a free key is given, and the old one does nothing any more", () => {
  expect(judge({}, "brush", "ctrl+b")).toEqual({ kind: "free" });
  remapped.value = give({}, "brush", "ctrl+b");
  expect(bindingOf(pressed("b", { ctrlKey: true }))?.action).toBe("brush");
  expect(bindingOf(pressed("b"))).toBeUndefined();
});

it("a taken key changes hands only after a sentence, and the other action keeps the rest of its keys", () => {
  const verdict = judge({}, "brush", "ctrl+z");
  expect(verdict.kind).toBe("taken");
  expect(verdict.kind === "taken" && verdict.sentence).toContain("Undo");
  const own = give({}, "brush", "ctrl+z");
  expect(own.undo).toEqual(["z"]);
  expect(own.brush).toEqual(["ctrl+z"]);
  const lonely = judge({}, "brush", "e");
  expect(lonely.kind === "taken" && lonely.sentence).toContain("without a key");
});

it("Escape, browser keys, labels and lone modifiers stay where they are", () => {
  for (const key of ["escape", "f5", "ctrl+w", "1", "shift"]) expect(judge({}, "brush", key).kind, key).toBe("refused");
  expect(judge({}, "brush", "b").kind).toBe("same");
});

it("one action goes back to its own key, even when another has it now", () => {
  const own = give(give({}, "eraser", "b"), "brush", "e");
  expect(own).toEqual({ eraser: ["b"], brush: ["e"] });
  expect(restore(own, "brush")).toEqual({ eraser: [] });
  expect(restore(restore(own, "brush"), "eraser")).toEqual({});
});

it("after any exchange of keys no key does two things", () => {
  let own = {};
  const actions = KEYS.filter((binding) => binding.keys.length && binding.action !== "label" && binding.action !== "escape");
  for (let n = 0; n < 300; n++) {
    const to = actions[(n * 7) % actions.length].action;
    const from = actions[(n * 13 + 5) % actions.length];
    own = n % 11 === 10 ? restore(own, to) : give(own, to, from.keys[0]);
    remapped.value = own;
    const all = KEYS.flatMap((binding) => remapped.value[binding.action] ?? binding.keys);
    expect(all.filter((key, at) => all.indexOf(key) !== at)).toEqual([]);
  }
});

it("a stored table is taken without what is none", () => {
  expect(validKeys("brush")).toBeUndefined();
  expect(validKeys({ brush: ["p"], nonsense: ["x"], eraser: "p", lasso: ["p", 3, "ctrl+w"], escape: ["a"] })).toEqual({ brush: ["p"], lasso: [] });
});

it("labels are the keys of the digits' row, whatever sign a layout puts on them", () => {
  // AZERTY without Shift.
  const signs = ["&", "é", '"', "'", "(", "-", "è", "_", "ç"];
  signs.forEach((key, n) => {
    const event = pressed(key, { code: `Digit${n + 1}` });
    expect(bindingOf(event)?.action, key).toBe("label");
    expect(keyName(event)).toBe(String(n + 1));
  });
  expect(bindingOf(pressed("à", { code: "Digit0" }))?.action).toBe("reset");
  expect(bindingOf(pressed("3", { code: "Digit3" }))?.action).toBe("label");
  expect(bindingOf(pressed("3", { code: "Numpad3" }))?.action).toBe("label");
  // The list of lesions, on AZERTY and on QWERTY.
  expect(bindingOf(pressed("1", { code: "Digit1", shiftKey: true }))?.action).toBe("lesions");
  expect(bindingOf(pressed("!", { code: "Digit1", shiftKey: true }))?.action).toBe("lesions");
  // A layout that has a sign of the table in that row keeps it.
  expect(bindingOf(pressed("[", { code: "Digit2" }))?.action).toBe("smaller");
  // Such a key cannot be given away either: it is a label's.
  expect(judge({}, "brush", keyName(pressed("&", { code: "Digit1" }))).kind).toBe("refused");
});

it("what AltGr writes is that sign, though systems tell of Ctrl and Alt", () => {
  const altGr = { ctrlKey: true, altKey: true, getModifierState: (key: string) => key === "AltGraph" } as Partial<KeyboardEvent>;
  for (const [key, code, action] of [["[", "Digit8", "smaller"], ["]", "Digit9", "larger"], ["\\", "Minus", "compare"]]) {
    expect(bindingOf(pressed(key, { ...altGr, code }))?.action, key).toBe(action);
  }
  expect(bindingOf(pressed("Delete", { ...altGr, code: "Delete" }))).toBeUndefined();
  const held = { ctrlKey: true, getModifierState: () => false } as Partial<KeyboardEvent>;
  expect(bindingOf(pressed("z", { ...held, code: "KeyZ" }))?.action).toBe("undo");
});
