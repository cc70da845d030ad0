/**
 * Fill, within one slice of the plane: a click into a hole that the label encloses fills the hole; elsewhere it fills
 * the 4-connected pixels whose Hounsfield value lies within the tolerance of the clicked one.
 */
import { signal } from "@preact/signals";
import { DeltaDraft } from "../edits/draft";
import type { Permit } from "../edits/permit";
import { flood, holeAt } from "../edits/regions/flood";
import { eachRun, huOf, labelsOf, planeSize } from "../edits/regions/plane";
import type { Desk } from "../reading/desk";
import * as state from "../state";
import { Choice, guard, Guards, Numeral } from "./options";
import { rowsToRuns } from "./segment";
import type { Drag, Spot, Tool } from "./tool";

const mode = signal<"auto" | "hole" | "alike">("auto");
const toleranceHu = signal(120);

/** A click is all it takes. */
export const clicked: Drag = { move: () => undefined, end: () => undefined, cancel: () => undefined };

function fill(desk: Desk, at: Spot): void {
  const { layer, value } = state.target.value;
  const { grid, session } = desk;
  if (!grid || !session.layers || !session.editor) return;
  const frame = grid.planes[at.plane];
  const slice = state.slices.value[at.plane];
  const [width, height] = planeSize(grid, frame);
  const [u, v] = [Math.round(at.point.u), Math.round(at.point.v)];
  if (u < 0 || v < 0 || u >= width || v >= height) return;
  const labels = labelsOf(session.layers[layer], grid, frame, slice);
  const erases = at.button === 2;
  let pixels: Uint8Array | null = null;
  if (erases) {
    const clickedLabel = labels[v * width + u];
    if (clickedLabel) pixels = flood(width, height, u, v, (i) => labels[i] === clickedLabel).pixels;
  } else if (mode.value !== "alike") pixels = holeAt(labels, width, height, u, v, value);
  if (!pixels && !erases && mode.value !== "hole") {
    const hu = huOf(session.hu, grid, frame, slice);
    if (!hu) return void (state.notice.value = "The scan is still loading: fill by Hounsfield value when it is complete.");
    const centre = hu[v * width + u];
    const tolerance = toleranceHu.value;
    const permit = guard(desk);
    // The guard bounds the flood too, so that it cannot run round through forbidden ground.
    const allowed = new Uint8Array(width * height);
    if (permit) {
      const known = new Map<number, ReturnType<Permit>>();
      let pixel = 0;
      const look = rowsToRuns(grid, frame, slice, (z, start, end) => {
        let allow = known.get(z);
        if (allow === undefined) known.set(z, (allow = permit(z)));
        for (let i = start; i < end; i++, pixel++) allowed[pixel] = !allow || allow(i, labels[pixel]) ? 1 : 0;
      });
      for (let v = 0; v < height; v++) look(v, 0, width);
    }
    pixels = flood(width, height, u, v, (i) => Math.abs(hu[i] - centre) <= tolerance && (!permit || allowed[i] === 1)).pixels;
  }
  if (!pixels) return void (state.notice.value = erases ? "Nothing to erase here." : "No hole here: the label does not close around this place.");
  const draft = new DeltaDraft(session.layers[layer], erases ? desk.permit(layer) : guard(desk));
  const runs = rowsToRuns(grid, frame, slice, (z, start, end) => draft.fill(z, start, end, erases ? 0 : value));
  eachRun(pixels, width, runs);
  desk.perform(layer, erases ? "fill_erase" : "fill", at.plane, draft.delta());
}

export const fillTool: Tool = {
  name: "fill",
  title: "Fill",
  does: "Click: fill a hole, or what looks alike, in this slice; the right button erases the clicked patch",
  icon: "fill",
  action: "fill",
  group: "region",
  edits: true,
  press(desk, at) {
    fill(desk, at);
    return clicked;
  },
  Options: () => (
    <>
      <Choice
        label="Fill"
        of={mode}
        values={[
          ["auto", "Hole, else alike"],
          ["hole", "Hole"],
          ["alike", "Alike HU"],
        ]}
      />
      <Numeral of={toleranceHu} label="Tolerance ±" unit="HU" min={5} max={1000} step={5} />
      <Guards />
    </>
  ),
};
