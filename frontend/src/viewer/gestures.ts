/**
 * Mouse, pen and fingers on a plane. What a press means is the tool's affair; wheel, middle button, crosshair and fingers
 * are the same always. A pen is a mouse whose barrel button and whose eraser are the right button; its pressure counts for
 * nothing. Alt with the left button is the right button of a tool that edits.
 */
import type { Point } from "../geometry/disc";
import type { PlaneName } from "../geometry/grid";
import type { Desk } from "../reading/desk";
import * as state from "../state";
import { toolNamed } from "../tools/registry";
import type { Drag, Spot } from "../tools/tool";
import { panDrag, windowDrag } from "../tools/view";
import { attachFingers } from "./fingers";
import type { PlaneView } from "./planeview";

const PEN_ERASER = 5;

export function attachGestures(view: PlaneView, desk: Desk): void {
  const plane: PlaneName = view.frame.name;
  const element = view.element;
  let drag: Drag | null = null;
  let painting = false;
  let drawing = false;
  let button = -1;
  let wheelRest = 0;
  let last: Spot | null = null;

  const spotOf = (event: MouseEvent): Spot => {
    const point: Point = view.pixelAt(event.clientX, event.clientY);
    const voxel = view.voxelOf(Math.round(point.u), Math.round(point.v));
    return { plane, point, voxel, clientX: event.clientX, clientY: event.clientY, button, shift: event.shiftKey };
  };

  const jumping = (at: Spot): Drag => {
    desk.jump(plane, at.point);
    return { move: (to) => desk.jump(plane, to.point), end: () => undefined, cancel: () => undefined };
  };

  const begin = (at: Spot): Drag | null => {
    painting = drawing = false;
    if (at.button === 1) return panDrag(desk, at);
    if (at.button === 0 && state.crosshair.value) return jumping(at);
    const tool = toolNamed(state.tool.value);
    const taken = tool && (!tool.edits || desk.mayEdit) ? tool.press?.(desk, at) : null;
    painting = !!taken && !!tool?.edits;
    drawing = painting || (!!taken && tool?.name === "length");
    if (taken) return taken;
    if (tool?.edits && !desk.mayEdit && at.button === 0) desk.refusePress();
    return at.button === 2 && !(tool?.edits && desk.mayEdit) ? windowDrag(desk, at) : null;
  };

  /** Which pointer drags, and which of its buttons will end it. */
  let dragging = { pointer: -1, button: -1 };

  const meaningOf = (event: PointerEvent): number => {
    if (event.button === PEN_ERASER) return 2;
    return event.button === 0 && event.altKey && toolNamed(state.tool.value)?.edits ? 2 : event.button;
  };

  const press = (event: PointerEvent): void => {
    state.activePlane.value = plane;
    if (drag || desk.hand !== "free") return;
    event.preventDefault();
    (document.activeElement as HTMLElement | null)?.blur?.();
    button = meaningOf(event);
    dragging = { pointer: event.pointerId, button: event.button };
    last = spotOf(event);
    drag = begin(last);
    if (!drag) return;
    desk.hand = drawing ? "drawing" : "looking";
    element.setPointerCapture(event.pointerId);
  };

  const drop = (): void => {
    const dropped = drag;
    drag = null;
    if (dropped) desk.hand = "free";
    desk.onCancel = null;
    dropped?.cancel();
  };

  const fingers = attachFingers(view, desk, { press, drop, busy: () => desk.hand !== "free" });

  element.addEventListener("pointerdown", (event) => fingers.down(event) || press(event));

  element.addEventListener("pointermove", (event) => {
    if (fingers.move(event) || (drag && event.pointerId !== dragging.pointer)) return;
    state.activePlane.value = plane;
    if (drag) {
      const between = painting ? (event.getCoalescedEvents?.() ?? []) : [];
      (between.length ? between : [event]).forEach((sample) => drag?.move((last = spotOf(sample))));
    }
    const at = spotOf(event);
    desk.hover(plane, at.point);
    if (!drag) toolNamed(state.tool.value)?.hover?.(desk, at);
  });

  const finish = (event: PointerEvent): void => {
    if (fingers.up(event) || !drag || event.pointerId !== dragging.pointer) return;
    if (event.type === "pointerup" && event.button !== dragging.button) return;
    const ended = drag;
    drag = null;
    desk.hand = "free";
    // A pointer that was taken away has no place of its own: what was drawn up to there stands.
    ended.end(event.type === "pointerup" ? spotOf(event) : last!);
  };
  element.addEventListener("pointerup", finish);
  element.addEventListener("pointercancel", finish);
  element.addEventListener("lostpointercapture", finish);
  element.addEventListener("pointerleave", () => {
    desk.hover(plane, null);
    toolNamed(state.tool.value)?.hover?.(desk, null);
  });
  element.addEventListener("contextmenu", (event) => event.preventDefault());
  element.addEventListener("auxclick", (event) => event.preventDefault());
  element.addEventListener("dblclick", () => {
    if (!toolNamed(state.tool.value)?.edits) desk.toggleOneUp(plane);
  });

  element.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      if (desk.hand !== "free") return;
      state.activePlane.value = plane;
      const amount = event.deltaY || event.deltaX;
      if (event.shiftKey) {
        desk.resizeBrush(amount < 0 ? 1 : -1);
      } else if (event.ctrlKey) {
        const box = element.getBoundingClientRect();
        desk.zoom(plane, Math.exp(-amount / 400), [event.clientX - box.left, event.clientY - box.top]);
      } else {
        wheelRest += event.deltaMode === 0 ? amount / 100 : amount / 3;
        const steps = Math.abs(amount) >= 50 ? Math.sign(amount) * Math.max(1, Math.abs(Math.trunc(wheelRest))) : Math.trunc(wheelRest);
        if (!steps) return;
        wheelRest = 0;
        desk.scroll(plane, -steps);
      }
    },
    { passive: false },
  );
}
