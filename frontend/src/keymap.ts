/** Keys of a reader's own: which action a key would take from which, and the table with the change made. Pure. */
import { remember } from "./preferences";
import { KEYS, remapped, shownKey, type KeyAction, type KeyBinding } from "./keyboard";

export type OwnKeys = Readonly<Partial<Record<KeyAction, readonly string[]>>>;

/** What the browser, the dialogs or several keys at once need. */
const KEPT = new Set(["escape", "tab", "shift+tab", "f5", "f11", "f12", "ctrl+w", "ctrl+t", "ctrl+n", "ctrl+r", "ctrl+l", "ctrl+shift+n", "ctrl+shift+t", "alt+f4"]);
const FIXED: ReadonlySet<KeyAction> = new Set(["label", "escape"]);

export const mayRemap = (binding: KeyBinding): boolean => binding.keys.length > 0 && !FIXED.has(binding.action);

export const keysIn = (own: OwnKeys, binding: KeyBinding): readonly string[] => own[binding.action] ?? binding.keys;

/** Which action listens to a key now; undefined when it is free. */
export function takenBy(own: OwnKeys, key: string): KeyBinding | undefined {
  return KEYS.find((binding) => keysIn(own, binding).includes(key));
}

export type Verdict = { kind: "free" } | { kind: "same" } | { kind: "taken"; by: KeyBinding; sentence: string } | { kind: "refused"; sentence: string };

/** What giving a key to an action would mean. */
export function judge(own: OwnKeys, action: KeyAction, key: string): Verdict {
  const name = shownKey(key);
  if (KEPT.has(key)) return { kind: "refused", sentence: `${name} belongs to the browser or to dialogs and stays there.` };
  if (/^(ctrl|alt|shift|meta|control|altgraph|capslock|dead|unidentified)$/.test(key.split("+").at(-1)!)) return { kind: "refused", sentence: "Press a key together with Ctrl, Alt or Shift, not one of these alone." };
  const by = takenBy(own, key);
  if (!by) return { kind: "free" };
  if (by.action === action) return { kind: "same" };
  if (FIXED.has(by.action)) return { kind: "refused", sentence: `${name} is “${by.does}”, which always keeps its keys.` };
  const left = keysIn(own, by).filter((other) => other !== key);
  const then = left.length ? `keeps ${left.map(shownKey).join(", ")}` : "is left without a key";
  return { kind: "taken", by, sentence: `${name} is “${by.does}”. If it changes hands, that action ${then}.` };
}

/** The own keys after a key was given to an action, and taken from whichever had it. */
export function give(own: OwnKeys, action: KeyAction, key: string): OwnKeys {
  const by = takenBy(own, key);
  const next: Partial<Record<KeyAction, readonly string[]>> = { ...own };
  if (by && by.action !== action) next[by.action] = keysIn(own, by).filter((other) => other !== key);
  next[action] = [key];
  return withoutDefaults(next);
}

/** One action as it was; its keys are taken back from whichever has them now. */
export function restore(own: OwnKeys, action: KeyAction): OwnKeys {
  const binding = KEYS.find((row) => row.action === action)!;
  const next: Partial<Record<KeyAction, readonly string[]>> = { ...own };
  delete next[action];
  for (const other of KEYS) {
    if (other.action === action || !next[other.action]) continue;
    next[other.action] = next[other.action]!.filter((key) => !binding.keys.includes(key));
  }
  return withoutDefaults(next);
}

function withoutDefaults(own: OwnKeys): OwnKeys {
  return Object.fromEntries(
    Object.entries(own).filter(([action, keys]) => KEYS.find((row) => row.action === action)?.keys.join() !== keys!.join()),
  ) as OwnKeys;
}

/** A stored table, with everything dropped that is none; undefined when it is no table. */
export function validKeys(stored: unknown): OwnKeys | undefined {
  if (typeof stored !== "object" || stored === null || Array.isArray(stored)) return undefined;
  const own: Partial<Record<KeyAction, readonly string[]>> = {};
  const used = new Set<string>();
  for (const [action, keys] of Object.entries(stored)) {
    const binding = KEYS.find((row) => row.action === action);
    if (!binding || !mayRemap(binding) || !Array.isArray(keys)) continue;
    const known = keys.filter((key): key is string => typeof key === "string" && key.length < 24 && !KEPT.has(key) && !used.has(key));
    known.forEach((key) => used.add(key));
    own[binding.action] = known;
  }
  return own;
}

remember("keys", remapped, { valid: validKeys });
