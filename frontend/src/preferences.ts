/**
 * What a reader has set and finds again: signals tied to the person's preferences. The server's copy follows the person
 * to every machine; a quick copy in this browser serves the first paint. Without a server they still work, quietly.
 *
 *     remember("masks.look", look, { valid: oneOf("both", "fill", "outline") });
 */
import type { Signal } from "@preact/signals";

/** The keys that the server keeps. A key may name a place inside one: "masks.look". */
export type PreferenceRoot = "layout" | "voi" | "windows" | "keys" | "masks" | "tools" | "strip" | "panels";
export type PreferenceKey = PreferenceRoot | `${PreferenceRoot}.${string}`;
export type Tree = Record<string, unknown>;

export interface Remembering<T> {
  /** The value that was stored, or undefined when it is not one that this signal may hold. */
  valid(stored: unknown): T | undefined;
  /** As JSON, where the value is none itself (a Set, say). */
  store?(value: T): unknown;
}

interface Tied {
  key: PreferenceKey;
  /** As JSON text, to tell a change from a repetition. */
  said: string;
  take(stored: unknown): void;
  reset(): void;
}

export interface QuickCopy {
  read(): string | null;
  write(text: string): void;
}

const DEBOUNCE_MS = 1000;
const LIMIT_BYTES = 16_000;

export class Preferences {
  private tree: Tree = {};
  private owner = "";
  private unsent = false;
  private readonly tied: Tied[] = [];
  private taking = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private send: ((tree: Tree, leaving: boolean) => Promise<unknown>) | null = null;

  constructor(private readonly copy: QuickCopy) {
    try {
      const kept = JSON.parse(copy.read() ?? "null") as { owner?: unknown; unsent?: unknown; tree?: unknown } | null;
      if (isTree(kept?.tree)) this.tree = kept.tree;
      this.owner = String(kept?.owner ?? "");
      this.unsent = kept?.unsent === true;
    } catch {
      // A copy that cannot be read is no copy.
    }
  }

  remember<T>(key: PreferenceKey, signal: Signal<T>, { valid, store = (value) => value }: Remembering<T>): void {
    const initial = signal.peek();
    const text = (value: T): string => JSON.stringify(store(value)) ?? "null";
    const tied: Tied = {
      key,
      said: text(initial),
      take: (stored) => {
        const value = stored === undefined ? undefined : valid(stored);
        if (value === undefined) return;
        tied.said = text(value);
        signal.value = value;
      },
      reset: () => {
        tied.said = text(initial);
        signal.value = initial;
      },
    };
    this.tied.push(tied);
    tied.take(at(this.tree, key));
    signal.subscribe((value) => {
      const said = text(value);
      if (this.taking || said === tied.said) return;
      tied.said = said;
      this.tree = withValue(this.tree, key, JSON.parse(said));
      this.changed();
    });
  }

  /** The server's copy is there. It wins, unless this browser holds changes of the same person that were never sent. */
  opened(owner: string, stored: unknown, send: (tree: Tree, leaving: boolean) => Promise<unknown>): void {
    this.send = send;
    const mine = this.owner === owner;
    const keep = mine && this.unsent;
    this.owner = owner;
    const tree = isTree(stored) ? stored : mine ? this.tree : {};
    if (!keep) {
      this.taking = true;
      this.tree = tree;
      for (const tied of this.tied) {
        const value = at(tree, tied.key);
        if (value !== undefined) tied.take(value);
        // What another person had set on this machine is not this person's.
        else if (!mine) tied.reset();
      }
      this.taking = false;
      this.unsent = false;
      this.write();
    } else this.changed();
  }

  /** Sends what waits, at once. */
  flush(leaving = false): void {
    if (this.timer === undefined) return;
    clearTimeout(this.timer);
    this.timer = undefined;
    const sent = this.tree;
    if (!this.send || JSON.stringify(sent).length > LIMIT_BYTES) return;
    this.send(sent, leaving).then(
      () => {
        if (sent !== this.tree) return;
        this.unsent = false;
        this.write();
      },
      // Kept in this browser, and sent with the next change or the next visit.
      () => undefined,
    );
  }

  private changed(): void {
    this.unsent = true;
    this.write();
    if (!this.send) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.flush(), DEBOUNCE_MS);
  }

  private write(): void {
    this.copy.write(JSON.stringify({ owner: this.owner, unsent: this.unsent, tree: this.tree }));
  }
}

const isTree = (value: unknown): value is Tree => typeof value === "object" && value !== null && !Array.isArray(value);

function at(tree: Tree, key: string): unknown {
  return key.split(".").reduce<unknown>((found, part) => (isTree(found) ? found[part] : undefined), tree);
}

function withValue(tree: Tree, key: string, value: unknown): Tree {
  const [first, ...rest] = key.split(".");
  const inner = tree[first];
  return { ...tree, [first]: rest.length ? withValue(isTree(inner) ? inner : {}, rest.join("."), value) : value };
}

// What signals usually may hold.

export const oneOf = <const T extends string>(...values: readonly T[]) => (stored: unknown): T | undefined => values.find((value) => value === stored);
export const yesOrNo = (stored: unknown): boolean | undefined => (typeof stored === "boolean" ? stored : undefined);
export const numberIn = (low: number, high: number) => (stored: unknown): number | undefined =>
  typeof stored === "number" && stored >= low && stored <= high ? stored : undefined;

const COPY = "groundglass.preferences";

/** Storage may be forbidden or full: then there is no quick copy, and nothing else changes. */
const browserCopy: QuickCopy = {
  read: () => quietly(() => localStorage.getItem(COPY)),
  write: (text) => void quietly(() => localStorage.setItem(COPY, text)),
};

function quietly<T>(work: () => T): T | null {
  try {
    return typeof localStorage === "undefined" ? null : work();
  } catch {
    return null;
  }
}

export const preferences = new Preferences(browserCopy);

/** Ties a signal to a preference: it takes the stored value now, again when the server has answered, and stores changes. */
export function remember<T>(key: PreferenceKey, signal: Signal<T>, options: Remembering<T>): void {
  preferences.remember(key, signal, options);
}
