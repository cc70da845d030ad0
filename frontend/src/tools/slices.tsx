/** From slice to slice: interpolation between drawn slices, and a copy of a slice onto the next one. */
import { signal } from "@preact/signals";
import type { SliceRuns } from "../edits/delta";
import { DeltaDraft } from "../edits/draft";
import { carryOutAtOnce, type Operation } from "../edits/operation";
import { fillGap, gapsIn } from "../edits/regions/interpolate";
import { eachRun, labelsOf, planeSize, runsOf, slicesWith } from "../edits/regions/plane";
import type { PlaneName } from "../geometry/grid";
import { shownKeys } from "../keyboard";
import { onKey } from "../reading/acts";
import type { Desk } from "../reading/desk";
import * as state from "../state";
import { Choice, guard, Numeral } from "./options";
import { rowsToRuns } from "./segment";
import type { Tool } from "./tool";

const where = signal<"here" | "all">("here");
const widest = signal(20);

const isValue = (pixels: Uint8Array, value: number): Uint8Array => pixels.map((label) => (label === value ? 1 : 0));

function* interpolate(desk: Desk, plane: PlaneName): Operation<SliceRuns[]> {
  const { layer, value } = state.target.value;
  const grid = desk.grid!;
  const held = desk.session.layers![layer];
  const frame = grid.planes[plane];
  const [width, height] = planeSize(grid, frame);
  const count = grid.size[frame.across];
  const drawn = yield* slicesWith(held, value, grid, frame);
  const shown = state.slices.value[plane];
  const gaps = gapsIn(drawn, where.value === "all" ? widest.value : count).filter(([a, b]) => where.value === "all" || (a <= shown && shown <= b));
  if (!gaps.length) state.notice.value = "No gap between drawn slices here: draw the label on two slices of this plane first.";
  const draft = new DeltaDraft(held, guard(desk));
  const size = { width, height, spacing: [grid.spacing[frame.u], grid.spacing[frame.v]] as const };
  const slice = function* (n: number): Operation<Uint8Array> {
    return isValue(yield* labelsOf(held, grid, frame, n), value);
  };
  for (const [a, b] of gaps) {
    const ends = { a, b, below: yield* slice(a), above: yield* slice(b) };
    yield* fillGap(size, ends, (n, pixels) => runsOf(pixels, width, rowsToRuns(grid, frame, n, (z, start, end) => draft.fill(z, start, end, value))));
  }
  return yield* draft.deltas();
}

const runInterpolation = (desk: Desk): void => {
  const plane = state.activePlane.value;
  void desk.operate("Filling between slices", state.target.value.layer, "interpolate", plane, interpolate(desk, plane));
};

export const interpolateTool: Tool = {
  name: "interpolate",
  title: "Between slices",
  does: "Fill between the drawn slices of the plane under the pointer, by their shapes",
  icon: "interpolate",
  action: "interpolate",
  group: "slices",
  edits: true,
  run: runInterpolation,
  Options: () => (
    <>
      <Choice
        label="Gaps"
        of={where}
        values={[
          ["here", "Around this slice"],
          ["all", "All"],
        ]}
      />
      <Numeral of={widest} label="All gaps up to" unit="slices" min={1} max={200} />
      <p class="dim">{shownKeys("interpolate")} fills them again; what bounds painting bounds it too.</p>
    </>
  ),
};

/** The label's pixels of the shown slice, onto the next slice; what the label has there already stays. */
function copySlice(desk: Desk, by: 1 | -1): void {
  const { layer, value } = state.target.value;
  const { session } = desk;
  if (!desk.mayEdit) return void (state.notice.value = desk.whyNot);
  if (!desk.grid || !session.layers || !session.editor) return;
  const plane = state.activePlane.value;
  const frame = desk.grid.planes[plane];
  const from = state.slices.value[plane];
  const to = from + by * frame.ahead;
  if (to < 0 || to >= desk.grid.size[frame.across]) return;
  const [width] = planeSize(desk.grid, frame);
  const draft = new DeltaDraft(session.layers[layer], guard(desk));
  const pixels = isValue(carryOutAtOnce(labelsOf(session.layers[layer], desk.grid, frame, from)), value);
  eachRun(pixels, width, rowsToRuns(desk.grid, frame, to, (z, start, end) => draft.fill(z, start, end, value)));
  desk.perform(layer, "copy", plane, draft.delta());
  desk.showSlice(plane, to);
}

onKey("copy_up", (desk) => copySlice(desk, 1));
onKey("copy_down", (desk) => copySlice(desk, -1));

export const copyTool: Tool = {
  name: "copy",
  title: "Copy up",
  does: "Copy the label of this slice onto the next slice up (Shift + Down: down)",
  icon: "copy",
  action: "copy_up",
  group: "slices",
  edits: true,
  run: (desk) => copySlice(desk, 1),
};
