/**
 * Painting without a pointer: Alt and the arrows move the crosshair over the active plane, Alt + Enter paints a disc of the
 * brush there as one stroke, Alt + Backspace erases one. A voxel belongs to the disc when its centre lies within the radius
 * of the crosshair's voxel, as for the brush.
 */
import type { PlaneName, Vec3 } from "../geometry/grid";
import * as state from "../state";
import { eraseGuard, guard } from "../tools/options";
import { paintSegment } from "../tools/segment";
import { onKey } from "./acts";
import type { Desk } from "./desk";

/** A key moves the crosshair by a quarter of the brush, by a voxel at least. */
const PART_OF_BRUSH = 1 / 4;

/** The voxel where the three planes meet. */
export const spotVoxel = (): Vec3 => {
  const { sagittal, coronal, axial } = state.slices.value;
  return [sagittal, coronal, axial];
};

/** The crosshair is on by these keys, not held: the pointer puts it away. */
let lit = false;

function light(): void {
  if (state.crosshair.value) return;
  state.crosshair.value = true;
  lit = true;
  const away = (event: Event): void => {
    if (event instanceof KeyboardEvent && event.key !== "Escape") return;
    removeEventListener("pointermove", away);
    removeEventListener("pointerdown", away, true);
    removeEventListener("keydown", away);
    if (lit) state.crosshair.value = false;
    lit = false;
  };
  addEventListener("pointermove", away);
  // Before the plane hears of it: a press paints, it does not jump.
  addEventListener("pointerdown", away, true);
  addEventListener("keydown", away);
}

const ACROSS: readonly PlaneName[] = ["sagittal", "coronal", "axial"];

/** One step on the screen: `right` and `down` are -1, 0 or 1. */
function move(desk: Desk, right: number, down: number): void {
  const view = desk.stage?.views[state.activePlane.value];
  if (!view || desk.session.editor?.painting) return;
  light();
  const { a, b, c, d } = view.mapping;
  // The slice's axis that runs most along the wished direction, and its sense.
  const alongU = right ? Math.abs(a) >= Math.abs(c) : Math.abs(b) >= Math.abs(d);
  const sense = right ? right * Math.sign(alongU ? a : c) : down * Math.sign(alongU ? b : d);
  const axis = alongU ? view.frame.u : view.frame.v;
  const steps = Math.max(1, Math.round((state.brushMm.value * PART_OF_BRUSH) / view.pixelMm[alongU ? 0 : 1]));
  desk.showSlice(ACROSS[axis], spotVoxel()[axis] + sense * steps);
}

function dab(desk: Desk, erase: boolean): void {
  const plane = state.activePlane.value;
  const view = desk.stage?.views[plane];
  if (!view) return;
  if (!desk.mayEdit) return void (state.notice.value = "This mask cannot be painted now.");
  light();
  const voxel = spotVoxel();
  const point = { u: voxel[view.frame.u], v: voxel[view.frame.v] };
  const [clientX, clientY] = view.clientAt(point.u, point.v);
  const trace = desk.beginStroke(plane, erase ? "eraser" : "brush", erase ? 0 : state.target.value.value, erase ? eraseGuard(desk) : guard(desk));
  if (!trace) return;
  desk.paint({ plane, point, voxel, clientX, clientY, button: 0, shift: false }, (fill) => paintSegment(view, point, point, trace.radiusMm, fill));
  desk.endStroke();
}

onKey("spot_left", (desk) => move(desk, -1, 0));
onKey("spot_right", (desk) => move(desk, 1, 0));
onKey("spot_up", (desk) => move(desk, 0, -1));
onKey("spot_down", (desk) => move(desk, 0, 1));
onKey("paint_spot", (desk) => dab(desk, false));
onKey("erase_spot", (desk) => dab(desk, true));
