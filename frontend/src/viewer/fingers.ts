/**
 * Fingers on a plane: one turns slices (down is towards the feet, as the wheel), two move the picture and zoom it about
 * their middle. A finger never paints by accident: it draws only with a tool that looks, or when the reader has said that
 * fingers paint; a second finger then drops what the first has begun. While a pen or the mouse draws, fingers are a palm.
 */
import type { Desk } from "../reading/desk";
import * as state from "../state";
import { fingerPaints } from "../tools/options";
import { toolNamed } from "../tools/registry";
import type { PlaneView } from "./planeview";

/** CSS pixels a slice: the whole scan in a pane's height, but neither too nimble nor too slow. */
const LEAST_PX = 4;
const MOST_PX = 20;

interface Place {
  x: number;
  y: number;
}

interface Presses {
  press(event: PointerEvent): void;
  drop(): void;
  busy(): boolean;
}

/** Each answers whether the event was a finger's affair and is done with. */
export interface Fingers {
  down(event: PointerEvent): boolean;
  move(event: PointerEvent): boolean;
  up(event: PointerEvent): boolean;
}

export function attachFingers(view: PlaneView, desk: Desk, { press, drop, busy }: Presses): Fingers {
  const plane = view.frame.name;
  const { element } = view;
  const places = new Map<number, Place>();
  let doing: "nothing" | "drawing" | "turning" | "moving" = "nothing";
  let rest = 0;

  const draws = (): boolean => {
    const tool = toolNamed(state.tool.value);
    if (state.crosshair.value) return true;
    if (!tool) return false;
    return tool.edits ? fingerPaints.value && desk.mayEdit : tool.name !== "window";
  };

  const pxPerSlice = (): number => Math.max(LEAST_PX, Math.min(MOST_PX, element.clientHeight / view.grid.size[view.frame.across]));

  const span = (): Place & { apart: number } => {
    const [a, b] = [...places.values()];
    return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, apart: Math.hypot(a.x - b.x, a.y - b.y) };
  };

  const moving = (id: number, to: Place): void => {
    const before = span();
    places.set(id, to);
    const after = span();
    desk.pan(plane, after.x - before.x, after.y - before.y);
    const box = element.getBoundingClientRect();
    if (before.apart > 0) desk.zoom(plane, after.apart / before.apart, [after.x - box.left, after.y - box.top]);
  };

  const turning = (id: number, to: Place): void => {
    rest += (to.y - places.get(id)!.y) / pxPerSlice();
    places.set(id, to);
    const steps = Math.trunc(rest);
    rest -= steps;
    if (steps) desk.scroll(plane, -steps);
  };

  return {
    down(event) {
      if (event.pointerType !== "touch") return false;
      event.preventDefault();
      state.activePlane.value = plane;
      if (busy() && doing !== "drawing") return true;
      if (places.size === 2) return true;
      places.set(event.pointerId, { x: event.clientX, y: event.clientY });
      if (places.size === 2) {
        if (doing === "drawing") drop();
        doing = "moving";
      } else if (draws()) {
        doing = "drawing";
        press(event);
      } else {
        doing = "turning";
        rest = 0;
        element.setPointerCapture(event.pointerId);
      }
      return true;
    },
    move(event) {
      if (event.pointerType !== "touch" || doing === "drawing") return false;
      if (places.has(event.pointerId)) {
        const to = { x: event.clientX, y: event.clientY };
        if (doing === "moving" && places.size === 2) moving(event.pointerId, to);
        else if (doing === "turning") turning(event.pointerId, to);
      }
      return true;
    },
    up(event) {
      if (event.pointerType !== "touch") return false;
      const drew = doing === "drawing";
      places.delete(event.pointerId);
      // One of two fingers is lifted: the other does nothing until it is lifted, too.
      doing = places.size ? "moving" : "nothing";
      return !drew;
    },
  };
}
