/**
 * Lengths in millimetres on a slice of any plane: the distance between two places of the scan's grid, through its affine.
 * They belong to the visit, never to the mask. A drag draws one; its ends can be moved; Delete removes the chosen one.
 */
import { effect, signal } from "@preact/signals";
import type { Point } from "../geometry/disc";
import type { PlaneName } from "../geometry/grid";
import { lengthMm } from "../geometry/planes";
import { onKey } from "../reading/acts";
import type { Desk } from "../reading/desk";
import type { ShownLength } from "../viewer/planeview";
import type { Drag, Spot, Tool } from "./tool";
import { lengthUnit } from "../units";

export interface Length {
  id: number;
  plane: PlaneName;
  slice: number;
  /** Pixels of the slice image, fractions kept. */
  a: Point;
  b: Point;
  mm: number;
}

export const lengths = signal<readonly Length[]>([]);
export const chosenLength = signal<number | null>(null);

/** How near the pointer must be, in CSS pixels. */
const NEAR_PX = 8;
/** A click is no length. */
const LEAST_MM = 0.5;
const MOST = 100;

let nextId = 1;

const mmOf = (desk: Desk, plane: PlaneName, a: Point, b: Point): number => {
  const view = desk.stage!.views[plane];
  return lengthMm(desk.grid!, view.voxelOf(a.u, a.v), view.voxelOf(b.u, b.v));
};

export const lengthsOn = (plane: PlaneName, slice: number): readonly ShownLength[] =>
  lengths.value
    .filter((length) => length.plane === plane && length.slice === slice)
    .map(({ a, b, mm, id }) => ({ a, b, text: `${mm.toFixed(1)} ${lengthUnit.value}`, chosen: id === chosenLength.value }));

function change(id: number, change: Partial<Length>): void {
  lengths.value = lengths.value.map((length) => (length.id === id ? { ...length, ...change } : length));
}

function remove(id: number | null): void {
  lengths.value = lengths.value.filter((length) => length.id !== id);
  if (chosenLength.value === id) chosenLength.value = null;
}

/** Distance in CSS pixels from a place to the segment from one point to another. */
function farFrom(x: number, y: number, [ax, ay]: readonly [number, number], [bx, by]: readonly [number, number]): number {
  const squared = (bx - ax) ** 2 + (by - ay) ** 2;
  const t = squared ? Math.max(0, Math.min(1, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / squared)) : 0;
  return Math.hypot(x - ax - t * (bx - ax), y - ay - t * (by - ay));
}

/** The length under the pointer, and which of its ends; "line" for what lies between. */
function under(desk: Desk, at: Spot): { length: Length; part: "a" | "b" | "line" } | null {
  const view = desk.stage!.views[at.plane];
  for (const length of [...lengths.value].reverse()) {
    if (length.plane !== at.plane || length.slice !== view.slice) continue;
    const [a, b] = [view.clientAt(length.a.u, length.a.v), view.clientAt(length.b.u, length.b.v)];
    const [toA, toB] = [a, b].map(([x, y]) => Math.hypot(at.clientX - x, at.clientY - y));
    if (Math.min(toA, toB) <= NEAR_PX) return { length, part: toA < toB ? "a" : "b" };
    if (farFrom(at.clientX, at.clientY, a, b) <= NEAR_PX / 2) return { length, part: "line" };
  }
  return null;
}

function moveEnd(desk: Desk, at: Spot, length: Length, end: "a" | "b"): Drag {
  const before = { a: length.a, b: length.b, mm: length.mm };
  return {
    move(to) {
      const ends = { a: length.a, b: length.b, [end]: to.point };
      length = { ...length, ...ends, mm: mmOf(desk, at.plane, ends.a, ends.b) };
      change(length.id, length);
    },
    end: () => length.mm < LEAST_MM && remove(length.id),
    cancel: () => change(length.id, before),
  };
}

function moveWhole(at: Spot, length: Length): Drag {
  return {
    move(to) {
      const [du, dv] = [to.point.u - at.point.u, to.point.v - at.point.v];
      change(length.id, { a: { u: length.a.u + du, v: length.a.v + dv }, b: { u: length.b.u + du, v: length.b.v + dv } });
    },
    end: () => undefined,
    cancel: () => change(length.id, length),
  };
}

export const lengthTool: Tool = {
  name: "length",
  title: "Length",
  does: "Drag from end to end; drag an end to mend it; Delete removes the blue one",
  icon: "length",
  action: "length",
  group: "view",
  edits: false,
  press(desk, at) {
    if (at.button !== 0) return null;
    const found = under(desk, at);
    if (found) {
      chosenLength.value = found.length.id;
      return found.part === "line" ? moveWhole(at, found.length) : moveEnd(desk, at, found.length, found.part);
    }
    const fresh: Length = { id: nextId++, plane: at.plane, slice: desk.stage!.views[at.plane].slice, a: at.point, b: at.point, mm: 0 };
    lengths.value = [...lengths.value, fresh].slice(-MOST);
    chosenLength.value = fresh.id;
    return { ...moveEnd(desk, at, fresh, "b"), cancel: () => remove(fresh.id) };
  },
};

onKey("remove_length", () => remove(chosenLength.value));

/** Lengths outlast a reload of the page, and end with the tab. */
export function watchLengths(desk: Desk): void {
  const key = `groundglass.lengths.${desk.session.id}`;
  try {
    const kept = JSON.parse(sessionStorage.getItem(key) ?? "[]") as Length[];
    if (Array.isArray(kept)) lengths.value = kept;
    nextId = 1 + Math.max(0, ...lengths.value.map(({ id }) => id));
  } catch {
    // What cannot be read is measured again.
  }
  let last = lengths.value;
  effect(() => {
    const now = [lengths.value, chosenLength.value] as const;
    const planes = new Set([...last, ...now[0]].map(({ plane }) => plane));
    planes.forEach((plane) => desk.stage?.overlay(plane));
    last = now[0];
    try {
      sessionStorage.setItem(key, JSON.stringify(now[0]));
    } catch {
      // Without storage they live as long as the page.
    }
  });
}
