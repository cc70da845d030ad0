/**
 * Brushes: circle, sphere, threshold, and the eraser. A voxel is painted when its centre lies within the radius of the
 * pointer's path (in its slice; in space for the sphere) and the settings permit it.
 */
import { signal } from "@preact/signals";
import type { Desk } from "../reading/desk";
import * as state from "../state";
import { BrushSize, Check, guard, Guards, huHigh, huLow, HuRange } from "./options";
import { paintSegment } from "./segment";
import { paintSphere } from "./sphere";
import type { Drag, Spot, Tool } from "./tool";

const thresholdIn3d = signal(false);
const eraseIn3d = signal(false);

interface Brush {
  tool: string;
  erases: boolean;
  sphere: boolean;
  huRange: readonly [number, number] | null;
}

function stroke(desk: Desk, at: Spot, { tool, erases, sphere, huRange }: Brush): Drag | null {
  const permit = erases ? undefined : guard(desk, huRange);
  const trace = desk.beginStroke(at.plane, tool, erases ? 0 : state.target.value.value, permit);
  if (!trace) return null;
  const draw = sphere ? paintSphere : paintSegment;
  let last = at.point;
  const paint = (to: Spot): void => {
    desk.paint(to, (fill) => draw(desk.stage!.views[at.plane], last, to.point, trace.radiusMm, fill));
    last = to.point;
  };
  paint(at);
  return {
    move: paint,
    end(to) {
      if (to.point.u !== last.u || to.point.v !== last.v) paint(to);
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
    if (at.button === 2) return stroke(desk, at, { tool: "eraser", erases: true, sphere, huRange: null });
    return stroke(desk, at, { tool, erases: tool === "eraser", sphere, huRange });
  };

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
  press: press("eraser", () => ({ sphere: eraseIn3d.value, huRange: null })),
  Options: () => (
    <>
      <BrushSize />
      <Check of={eraseIn3d}>Erase a ball across slices</Check>
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
