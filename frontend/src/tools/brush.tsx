/**
 * Brushes: circle, sphere, threshold, and the eraser. A voxel is painted when its centre lies within the radius of the
 * pointer's path (in its slice; in space for the sphere) and the settings permit it. The path is made of straight
 * segments between the places where the pointer was seen; with Shift it begins where the last stroke ended.
 */
import { signal } from "@preact/signals";
import type { Point } from "../geometry/disc";
import type { PlaneName } from "../geometry/grid";
import { remember, yesOrNo } from "../preferences";
import type { Desk } from "../reading/desk";
import * as state from "../state";
import { BrushSize, Check, eraseGuard, Finger, guard, Guards, huHigh, huLow, HuRange, OnlyOver } from "./options";
import { paintSegment } from "./segment";
import { paintSphere } from "./sphere";
import type { Drag, Spot, Tool } from "./tool";

const thresholdIn3d = signal(false);
const eraseIn3d = signal(false);
remember("tools.threshold_ball", thresholdIn3d, { valid: yesOrNo });
remember("tools.eraser_ball", eraseIn3d, { valid: yesOrNo });

interface Brush {
  tool: string;
  erases: boolean;
  sphere: boolean;
  huRange: readonly [number, number] | null;
}

/** Where the last stroke ended: Shift draws a straight line from there, on the same slice. */
let lastEnd: { plane: PlaneName; slice: number; point: Point } | null = null;

function lineFrom(desk: Desk, at: Spot): Spot | null {
  const view = desk.stage!.views[at.plane];
  if (!at.shift || lastEnd?.plane !== at.plane || lastEnd.slice !== view.slice) return null;
  const [clientX, clientY] = view.clientAt(lastEnd.point.u, lastEnd.point.v);
  return { ...at, point: lastEnd.point, clientX, clientY };
}

function stroke(desk: Desk, at: Spot, { tool, erases, sphere, huRange }: Brush): Drag | null {
  const start = lineFrom(desk, at) ?? at;
  const trace = desk.beginStroke(at.plane, tool, erases ? 0 : state.target.value.value, erases ? eraseGuard(desk) : guard(desk, huRange));
  if (!trace) return null;
  const view = desk.stage!.views[at.plane];
  const draw = sphere ? paintSphere : paintSegment;
  let last = start.point;
  const paint = (to: Spot): void => {
    desk.paint(to, (fill) => draw(view, last, to.point, trace.radiusMm, fill));
    last = to.point;
  };
  paint(start);
  if (start !== at) paint(at);
  return {
    move: paint,
    end(to) {
      if (to.point.u !== last.u || to.point.v !== last.v) paint(to);
      lastEnd = { plane: at.plane, slice: view.slice, point: last };
      desk.endStroke();
    },
    cancel: () => desk.cancelStroke(),
  };
}

/** The right button erases with the shape of the brush in hand. */
const press =
  (tool: string, shape: () => { sphere: boolean; huRange: readonly [number, number] | null }): NonNullable<Tool["press"]> =>
  (desk, at) => {
    const { sphere, huRange } = shape();
    straighten(desk, null);
    if (at.button === 2) return stroke(desk, at, { tool: "eraser", erases: true, sphere, huRange: null });
    return stroke(desk, at, { tool, erases: tool === "eraser", sphere, huRange });
  };

let straight: PlaneName | null = null;

/** While Shift is held, the line that a press would draw is shown. */
function straighten(desk: Desk, at: Spot | null): void {
  const start = at && desk.mayEdit ? lineFrom(desk, at) : null;
  if (straight && straight !== (start && at!.plane)) desk.stage!.views[straight].sketch(null);
  straight = start && at!.plane;
  if (start) desk.stage!.views[at!.plane].sketch([start.point, at!.point]);
}

const hover = straighten;
const putDown = (desk: Desk): void => straighten(desk, null);
const ring = (): number => state.brushMm.value;

export const brushTool: Tool = {
  name: "brush",
  title: "Brush",
  does: "Paint the label; the right button erases",
  icon: "brush",
  action: "brush",
  group: "paint",
  edits: true,
  ring,
  hover,
  putDown,
  press: press("brush", () => ({ sphere: false, huRange: null })),
  Options: () => (
    <>
      <BrushSize />
      <Guards />
    </>
  ),
};

export const sphereTool: Tool = {
  name: "sphere",
  title: "Sphere brush",
  does: "Paint a ball across slices; the right button erases one",
  icon: "sphere",
  action: "sphere",
  group: "paint",
  edits: true,
  ring,
  hover,
  putDown,
  press: press("sphere", () => ({ sphere: true, huRange: null })),
  Options: () => (
    <>
      <BrushSize />
      <Guards />
    </>
  ),
};

export const eraserTool: Tool = {
  name: "eraser",
  title: "Eraser",
  does: "Erase every label of the layer that is not locked",
  icon: "eraser",
  action: "eraser",
  group: "paint",
  edits: true,
  ring,
  hover,
  putDown,
  press: press("eraser", () => ({ sphere: eraseIn3d.value, huRange: null })),
  Options: () => (
    <>
      <BrushSize />
      <Check of={eraseIn3d}>Erase a ball across slices</Check>
      <OnlyOver erases />
      <Finger />
    </>
  ),
};

export const thresholdTool: Tool = {
  name: "threshold",
  title: "Threshold brush",
  does: "Paint only voxels within a Hounsfield window",
  icon: "threshold",
  action: "threshold",
  group: "paint",
  edits: true,
  ring,
  hover,
  putDown,
  press: press("threshold", () => ({ sphere: thresholdIn3d.value, huRange: [huLow.value, huHigh.value] })),
  Options: () => (
    <>
      <HuRange />
      <BrushSize />
      <Check of={thresholdIn3d}>A ball across slices</Check>
      <Guards />
    </>
  ),
};
