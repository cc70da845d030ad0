/** Looking tools: window, pan, zoom. */
import type { Desk } from "../reading/desk";
import type { Drag, Spot, Tool } from "./tool";

function dragging(at: Spot, step: (dx: number, dy: number) => void): Drag {
  let [x, y] = [at.clientX, at.clientY];
  const move = (to: Spot): void => {
    step(to.clientX - x, to.clientY - y);
    [x, y] = [to.clientX, to.clientY];
  };
  return { move, end: () => undefined, cancel: () => undefined };
}

const WINDOW_PER_PIXEL = 3;

export const windowDrag = (desk: Desk, at: Spot): Drag =>
  dragging(at, (dx, dy) => desk.window(dx * WINDOW_PER_PIXEL, dy * WINDOW_PER_PIXEL));

export const panDrag = (desk: Desk, at: Spot): Drag => dragging(at, (dx, dy) => desk.pan(at.plane, dx, dy));

export const zoomDrag = (desk: Desk, at: Spot): Drag => dragging(at, (_, dy) => desk.zoom(at.plane, Math.exp(-dy / 150)));

export const windowTool: Tool = {
  name: "window",
  title: "Window",
  does: "Drag: across for width, down for level",
  icon: "window",
  hint: "right drag",
  group: "view",
  edits: false,
  press: (desk, at) => (at.button === 0 ? windowDrag(desk, at) : null),
};

export const panTool: Tool = {
  name: "pan",
  title: "Pan",
  does: "Drag the picture",
  icon: "pan",
  hint: "middle drag",
  group: "view",
  edits: false,
  press: (desk, at) => (at.button === 0 ? panDrag(desk, at) : null),
};

export const zoomTool: Tool = {
  name: "zoom",
  title: "Zoom",
  does: "Drag up to come closer",
  icon: "zoom",
  hint: "Ctrl + wheel",
  group: "view",
  edits: false,
  press: (desk, at) => (at.button === 0 ? zoomDrag(desk, at) : null),
};
