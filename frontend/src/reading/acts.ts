/** What each action of the table of keys does: modules of the viewer enter their own here. */
import type { KeyAction } from "../keyboard";
import type { Desk } from "./desk";

export type Act = (desk: Desk, event: KeyboardEvent) => void;

export const acts = new Map<KeyAction, Act>();
export const releases = new Map<KeyAction, (desk: Desk) => void>();

/** What a key does; `release` when it is let go, for keys that are held. */
export function onKey(action: KeyAction, act: Act, release?: (desk: Desk) => void): void {
  acts.set(action, act);
  if (release) releases.set(action, release);
}
