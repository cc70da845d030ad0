/** Mouse and pen on a plane: painting, erasing, scrolling, panning, zooming, windowing, crosshair. */
import { sweepDisc, type Point } from "../geometry/disc";
import type { PlaneName } from "../geometry/grid";
import * as state from "../state";
import type { PlaneView } from "./planeview";

export interface GestureTarget {
  /** Slice of the plane moves by whole steps. */
  scroll(plane: PlaneName, by: number): void;
  jump(plane: PlaneName, point: Point): void;
  window(dWidth: number, dLevel: number): void;
  resizeBrush(steps: number): void;
  hover(plane: PlaneName, point: Point | null): void;
  toggleOneUp(plane: PlaneName): void;
  redraw(plane: PlaneName): void;
  beginStroke(plane: PlaneName, erase: boolean): boolean;
  paint(plane: PlaneName, from: Point, to: Point, sample: { clientX: number; clientY: number }): void;
  endStroke(): void;
  cancelStroke(): void;
}

type Drag = "paint" | "pan" | "zoom" | "window" | "jump";

export function attachGestures(view: PlaneView, target: GestureTarget): void {
  const plane = view.frame.name;
  const element = view.element;
  let drag: Drag | null = null;
  let button = -1;
  let last: Point = { u: 0, v: 0 };
  let x = 0;
  let y = 0;
  let wheelRest = 0;

  const chooseDrag = (event: PointerEvent): Drag | null => {
    if (event.button === 1) return "pan";
    if (event.button === 0 && state.crosshair.value) return "jump";
    if (state.paintTool.value && (event.button === 0 || event.button === 2)) {
      const erase = event.button === 2 || state.tool.value === "eraser";
      return target.beginStroke(plane, erase) ? "paint" : null;
    }
    if (event.button === 2) return "window";
    return state.tool.value === "brush" || state.tool.value === "eraser" ? null : state.tool.value;
  };

  element.addEventListener("pointerdown", (event) => {
    state.activePlane.value = plane;
    if (drag) return;
    event.preventDefault();
    (document.activeElement as HTMLElement | null)?.blur?.();
    drag = chooseDrag(event);
    if (!drag) return;
    element.setPointerCapture(event.pointerId);
    button = event.button;
    [x, y] = [event.clientX, event.clientY];
    last = view.pixelAt(x, y);
    if (drag === "paint") target.paint(plane, last, last, event);
    if (drag === "jump") target.jump(plane, last);
  });

  const move = (event: PointerEvent): void => {
    const point = view.pixelAt(event.clientX, event.clientY);
    const dx = event.clientX - x;
    const dy = event.clientY - y;
    if (drag === "paint") target.paint(plane, last, point, event);
    else if (drag === "pan") view.pan(dx, dy);
    else if (drag === "zoom") view.zoom(Math.exp(-dy / 150));
    else if (drag === "window") target.window(dx * 3, dy * 3);
    else if (drag === "jump") target.jump(plane, point);
    if (drag === "pan" || drag === "zoom") target.redraw(plane);
    last = point;
    [x, y] = [event.clientX, event.clientY];
  };

  element.addEventListener("pointermove", (event) => {
    state.activePlane.value = plane;
    if (drag) {
      const between = drag === "paint" ? event.getCoalescedEvents?.() ?? [] : [];
      (between.length ? between : [event]).forEach(move);
    }
    target.hover(plane, view.pixelAt(event.clientX, event.clientY));
  });

  const finish = (event: PointerEvent): void => {
    if (!drag || (event.type === "pointerup" && event.button !== button)) return;
    const ended = drag;
    if (ended === "paint" && event.type === "pointerup" && (event.clientX !== x || event.clientY !== y)) move(event);
    drag = null;
    if (ended === "paint") target.endStroke();
  };
  element.addEventListener("pointerup", finish);
  element.addEventListener("pointercancel", finish);
  element.addEventListener("lostpointercapture", finish);
  element.addEventListener("pointerleave", () => target.hover(plane, null));
  element.addEventListener("contextmenu", (event) => event.preventDefault());
  element.addEventListener("auxclick", (event) => event.preventDefault());
  element.addEventListener("dblclick", () => {
    if (!state.paintTool.value) target.toggleOneUp(plane);
  });

  element.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      state.activePlane.value = plane;
      const amount = event.deltaY || event.deltaX;
      if (event.shiftKey) {
        target.resizeBrush(amount < 0 ? 1 : -1);
      } else if (drag === "paint") {
        return;
      } else if (event.ctrlKey) {
        const box = element.getBoundingClientRect();
        view.zoom(Math.exp(-amount / 400), [event.clientX - box.left, event.clientY - box.top]);
        target.redraw(plane);
      } else {
        wheelRest += event.deltaMode === 0 ? amount / 100 : amount / 3;
        const steps = Math.abs(amount) >= 50 ? Math.sign(amount) * Math.max(1, Math.abs(Math.trunc(wheelRest))) : Math.trunc(wheelRest);
        if (!steps) return;
        wheelRest = 0;
        target.scroll(plane, -steps);
      }
    },
    { passive: false },
  );
}

/** Paints the part of a stroke between two points on the plane's slice, as runs of voxels of axial slices. */
export function paintSegment(
  view: PlaneView,
  from: Point,
  to: Point,
  radiusMm: number,
  fill: (z: number, start: number, end: number) => void,
): void {
  const [nx] = view.grid.size;
  const { slice } = view;
  sweepDisc(from, to, radiusMm, view.pixelMm, view.imageSize, (v, start, end) => {
    if (view.frame.name === "axial") fill(slice, v * nx + start, v * nx + end);
    else if (view.frame.name === "coronal") fill(v, slice * nx + start, slice * nx + end);
    else for (let u = start; u < end; u++) fill(v, u * nx + slice, u * nx + slice + 1);
  });
}
