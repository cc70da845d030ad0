/** The circle brush and its eraser: a voxel is painted when its centre lies within the radius of the pointer's path. */
import type { Desk } from "../reading/desk";
import * as state from "../state";
import { paintSegment } from "./segment";
import type { Drag, Spot, Tool } from "./tool";

function stroke(desk: Desk, at: Spot, tool: "brush" | "eraser"): Drag | null {
  const trace = desk.beginStroke(at.plane, tool, tool === "eraser" ? 0 : state.target.value.value);
  if (!trace) return null;
  let last = at.point;
  const paint = (to: Spot): void => {
    desk.paint(to, (fill) => paintSegment(desk.stage!.views[at.plane], last, to.point, trace.radiusMm, fill));
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

export const brushTool: Tool = {
  name: "brush",
  title: "Brush",
  does: "Paint the label; the right button erases",
  icon: "brush",
  action: "brush",
  group: "paint",
  edits: true,
  ring: () => state.brushMm.value,
  press: (desk, at) => stroke(desk, at, at.button === 2 ? "eraser" : "brush"),
};

export const eraserTool: Tool = {
  name: "eraser",
  title: "Eraser",
  does: "Erase every label of the layer that is not locked",
  icon: "eraser",
  action: "eraser",
  group: "paint",
  edits: true,
  ring: () => state.brushMm.value,
  press: (desk, at) => stroke(desk, at, "eraser"),
};
