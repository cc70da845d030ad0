/**
 * Working without a pointer: Alt and the arrows move the crosshair over the active plane, Alt + Enter is a click of the tool
 * in hand there and Alt + Backspace one with the right button. A tool that is no brush and does not act by a click leaves
 * the brush its place: a disc. Where the crosshair goes by keys, it is the pointer: Hounsfield value, ring and provenance
 * are those of its voxel.
 */
import { effect, untracked } from "@preact/signals";
import type { PlaneName, Vec3 } from "../geometry/grid";
import * as state from "../state";
import { toolNamed } from "../tools/registry";
import type { Spot } from "../tools/tool";
import { onKey } from "./acts";
import type { Desk } from "./desk";

/** A key moves the crosshair by a quarter of the brush, by a voxel at least. */
const PART_OF_BRUSH = 1 / 4;

/** The voxel where the three planes meet. */
export const spotVoxel = (): Vec3 => {
  const { sagittal, coronal, axial } = state.slices.value;
  return [sagittal, coronal, axial];
};

/** The crosshair as a press of the pointer would find it. */
function spotOn(desk: Desk, plane: PlaneName, button: 0 | 2): Spot {
  const view = desk.stage!.views[plane];
  const voxel = spotVoxel();
  const point = { u: voxel[view.frame.u], v: voxel[view.frame.v] };
  const [clientX, clientY] = view.clientAt(point.u, point.v);
  return { plane, point, voxel, clientX, clientY, button, shift: false };
}

/** The crosshair is on by these keys, not held: the pointer puts it away. */
let lit = false;

function light(desk: Desk): void {
  if (state.crosshair.value) return;
  state.crosshair.value = true;
  lit = true;
  const stop = effect(() => {
    const plane = state.activePlane.value;
    void state.slices.value;
    untracked(() => desk.hover(plane, spotOn(desk, plane, 0).point));
  });
  const away = (event: Event): void => {
    if (event instanceof KeyboardEvent && event.key !== "Escape") return;
    removeEventListener("pointermove", away, true);
    removeEventListener("pointerdown", away, true);
    removeEventListener("keydown", away);
    stop();
    desk.hover(state.activePlane.peek(), null);
    if (lit) state.crosshair.value = false;
    lit = false;
  };
  // Before the planes hear of it: what the pointer is over is said by them, and a press paints, it does not jump.
  addEventListener("pointermove", away, true);
  addEventListener("pointerdown", away, true);
  addEventListener("keydown", away);
}

const ACROSS: readonly PlaneName[] = ["sagittal", "coronal", "axial"];

/** One step on the screen: `right` and `down` are -1, 0 or 1. */
function move(desk: Desk, right: number, down: number): void {
  const view = desk.stage?.views[state.activePlane.value];
  if (!view || desk.session.editor?.painting) return;
  light(desk);
  const { a, b, c, d } = view.mapping;
  // The slice's axis that runs most along the wished direction, and its sense.
  const alongU = right ? Math.abs(a) >= Math.abs(c) : Math.abs(b) >= Math.abs(d);
  const sense = right ? right * Math.sign(alongU ? a : c) : down * Math.sign(alongU ? b : d);
  const axis = alongU ? view.frame.u : view.frame.v;
  const steps = Math.max(1, Math.round((state.brushMm.value * PART_OF_BRUSH) / view.pixelMm[alongU ? 0 : 1]));
  desk.showSlice(ACROSS[axis], spotVoxel()[axis] + sense * steps);
}

function act(desk: Desk, button: 0 | 2): void {
  if (!desk.stage) return;
  if (!desk.mayEdit) return void (state.notice.value = desk.whyNot);
  light(desk);
  const spot = spotOn(desk, state.activePlane.value, button);
  const brush = toolNamed("brush")!;
  const held = toolNamed(state.tool.value);
  const tool = held?.clicks || held?.group === "paint" ? held : brush;
  // What knows no right button leaves it to the brush, which erases.
  const begun = tool.press!(desk, spot) ?? (tool === brush ? null : brush.press!(desk, spot));
  begun?.end(spot);
}

onKey("spot_left", (desk) => move(desk, -1, 0));
onKey("spot_right", (desk) => move(desk, 1, 0));
onKey("spot_up", (desk) => move(desk, 0, -1));
onKey("spot_down", (desk) => move(desk, 0, 1));
onKey("paint_spot", (desk) => act(desk, 0));
onKey("erase_spot", (desk) => act(desk, 2));
