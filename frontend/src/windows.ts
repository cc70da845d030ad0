/** Windows: the three of the house and those that a reader has saved under a name. */
import { computed, effect, signal } from "@preact/signals";
import { remember } from "./preferences";
import * as state from "./state";

export interface WindowPreset {
  readonly name: string;
  readonly width: number;
  readonly level: number;
}

const NAME_MOST = 24;
const OWN_MOST = 12;

function validVoi(stored: unknown): { width: number; level: number } | undefined {
  const { width, level } = (stored ?? {}) as Record<string, unknown>;
  const fine = typeof width === "number" && typeof level === "number" && width >= 1 && width <= 20000 && Math.abs(level) <= 20000;
  return fine ? { width, level } : undefined;
}

function validOwn(stored: unknown): readonly WindowPreset[] | undefined {
  if (!Array.isArray(stored)) return undefined;
  return stored
    .flatMap((entry: { name?: unknown }) => {
      const voi = validVoi(entry);
      return voi && typeof entry.name === "string" && entry.name.trim() ? [{ name: entry.name.trim().slice(0, NAME_MOST), ...voi }] : [];
    })
    .slice(0, OWN_MOST);
}

export const ownWindows = signal<readonly WindowPreset[]>([]);
remember("windows", ownWindows, { valid: validOwn });
/** Kept for scans in Hounsfield units alone: a window of other values means nothing in the next scan. */
const kept = signal(state.voi.peek());
remember("voi", kept, { valid: validVoi });
const hasHu = (): boolean => state.reading.peek()?.scan.has_hu !== false;
effect(() => {
  const voi = kept.value;
  if (hasHu()) state.voi.value = voi;
});
effect(() => {
  const voi = state.voi.value;
  if (hasHu()) kept.value = voi;
});

export const windows = computed<readonly WindowPreset[]>(() => [...state.WINDOW_PRESETS, ...ownWindows.value]);

/** The preset that is on; null when the window was set by hand. */
export const presentWindow = computed<WindowPreset | null>(
  () => windows.value.find(({ width, level }) => width === state.voi.value.width && level === state.voi.value.level) ?? null,
);

export function nextWindow(desk: { setWindow(width: number, level: number): void }): void {
  const at = presentWindow.value ? windows.value.indexOf(presentWindow.value) : -1;
  const { width, level } = windows.value[(at + 1) % windows.value.length];
  desk.setWindow(width, level);
}

/** Keeps the present window under a name; one of the same name is replaced. Returns what is wrong, or null. */
export function saveWindow(name: string): string | null {
  const wanted = name.trim().slice(0, NAME_MOST);
  if (!wanted) return "Give it a name.";
  const same = (other: { name: string }): boolean => other.name.toLowerCase() === wanted.toLowerCase();
  if (state.WINDOW_PRESETS.some(same)) return `${wanted} is one of the house's.`;
  const others = ownWindows.value.filter((own) => !same(own));
  if (others.length >= OWN_MOST) return `There is room for ${OWN_MOST}.`;
  ownWindows.value = [...others, { name: wanted, ...state.voi.value }];
  return null;
}

export function dropWindow(name: string): void {
  ownWindows.value = ownWindows.value.filter((own) => own.name !== name);
}
