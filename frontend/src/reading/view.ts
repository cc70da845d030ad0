/** Layout, window and slab: what their keys do, and what is drawn again when they change. */
import { effect } from "@preact/signals";
import { layout, nextLayout, nextPlane, panelFolded, surfaceWanted, visiblePlanes, watchWidth } from "../layout";
import * as state from "../state";
import { nextWindow } from "../windows";
import { onKey } from "./acts";
import type { Desk } from "./desk";

const SLABS_MM = [0, 5, 10, 20];

onKey("layout", nextLayout);
onKey("next_plane", () => {
  nextPlane();
  // Focus goes with it where it lies on a plane.
  if (!document.activeElement?.matches(".pane")) return;
  requestAnimationFrame(() => document.querySelector<HTMLElement>(`.pane.${state.activePlane.value}`)?.focus());
});
onKey("one_up", (desk) => desk.toggleOneUp(state.activePlane.value));
onKey("fold", () => (panelFolded.value = !panelFolded.value));
onKey("presets", (desk) => nextWindow(desk));
onKey("slab", (desk) => {
  state.slabMm.value = SLABS_MM[(SLABS_MM.indexOf(state.slabMm.value) + 1) % SLABS_MM.length];
  desk.stage?.redraw();
});

let before = layout.peek();

/** The surface stands in the fourth place; asked for again, the layout is what it was. */
export function toggleSurface(): void {
  if (surfaceWanted.value) {
    surfaceWanted.value = false;
    if (before !== "four") layout.value = before;
    return;
  }
  before = layout.value;
  state.oneUp.value = null;
  surfaceWanted.value = true;
  layout.value = "four";
}

onKey("surface", toggleSurface);

export function watchView(desk: Desk): void {
  watchWidth();
  effect(() => {
    const active = state.activePlane.value;
    if (desk.stage) desk.stage.lead = active;
  });
  effect(() => {
    void visiblePlanes.value;
    // After the panes have their new sizes.
    requestAnimationFrame(() => desk.stage?.redraw());
  });
  effect(() => {
    const voi = state.voi.value;
    desk.stage?.setWindow(voi, state.activePlane.peek());
  });
}
