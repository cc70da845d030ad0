/**
 * Fill, within one slice of the plane: a click into a hole that the label encloses fills the hole; elsewhere it fills
 * the 4-connected pixels whose Hounsfield value lies within the tolerance of the clicked one.
 */
import { signal } from "@preact/signals";
import type { SliceRuns } from "../edits/delta";
import { DeltaDraft } from "../edits/draft";
import type { Layer, LayerName } from "../edits/layers";
import type { Operation } from "../edits/operation";
import type { Permit } from "../edits/permit";
import { flood, holeAt } from "../edits/regions/flood";
import { huOf, labelsOf, planeSize, runsOf, type HuSlices } from "../edits/regions/plane";
import type { Grid, PlaneFrame } from "../geometry/grid";
import type { Desk } from "../reading/desk";
import * as state from "../state";
import { Choice, guard, Guards, Numeral } from "./options";
import { rowsToRuns } from "./segment";
import type { Drag, Spot, Tool } from "./tool";

const mode = signal<"auto" | "hole" | "alike">("auto");
const toleranceHu = signal(120);

/** A click is all it takes. */
export const clicked: Drag = { move: () => undefined, end: () => undefined, cancel: () => undefined };

/** Clicks come in their order: a quick second one waits until the first has filled. */
let last: Promise<void> = Promise.resolve();

function fill(desk: Desk, at: Spot): void {
  const { layer, value } = state.target.value;
  const { grid, session } = desk;
  if (!grid || !session.layers || !session.editor) return;
  const [width, height] = planeSize(grid, grid.planes[at.plane]);
  const [u, v] = [Math.round(at.point.u), Math.round(at.point.v)];
  if (u < 0 || v < 0 || u >= width || v >= height) return;
  const erases = at.button === 2;
  const where: Place = {
    layer, value, grid, held: session.layers[layer], frame: grid.planes[at.plane], slice: state.slices.value[at.plane], pixel: v * width + u,
    mode: erases ? "erase" : mode.value, toleranceHu: toleranceHu.value, permit: erases ? desk.permit(layer) : guard(desk), hu: session.hu,
  };
  const done = last.then(() => desk.operate("Filling", layer, erases ? "fill_erase" : "fill", at.plane, filling(where)));
  last = done.catch(() => undefined);
}

/** What a click has said. */
interface Place {
  layer: LayerName;
  value: number;
  grid: Grid;
  held: Layer;
  frame: PlaneFrame;
  slice: number;
  pixel: number;
  mode: "auto" | "hole" | "alike" | "erase";
  toleranceHu: number;
  permit: Permit | null;
  hu: HuSlices;
}

function* filling(where: Place): Operation<SliceRuns[]> {
  const { grid, frame, slice, value, permit } = where;
  const labels = yield* labelsOf(where.held, grid, frame, slice);
  const pixels = yield* pixelsToFill(where, labels);
  if (!pixels) return [];
  const draft = new DeltaDraft(where.held, permit);
  const label = where.mode === "erase" ? 0 : value;
  yield* runsOf(pixels, planeSize(grid, frame)[0], rowsToRuns(grid, frame, slice, (z, start, end) => draft.fill(z, start, end, label)));
  return yield* draft.deltas();
}

/** Null where there is nothing to fill: the reader is told why. */
function* pixelsToFill(where: Place, labels: Uint8Array): Operation<Uint8Array | null> {
  const { grid, frame, slice, pixel, mode, value } = where;
  const [width, height] = planeSize(grid, frame);
  const [u, v] = [pixel % width, Math.floor(pixel / width)];
  if (mode === "erase") {
    if (labels[pixel]) return flood(width, height, u, v, (i) => labels[i] === labels[pixel]).pixels;
    state.notice.value = "Nothing to erase here.";
    return null;
  }
  const hole = mode === "alike" ? null : holeAt(labels, width, height, u, v, value);
  if (hole) return hole;
  if (mode === "hole") {
    state.notice.value = "No hole here: the label does not close around this place.";
    return null;
  }
  const hu = yield* huOf(where.hu, grid, frame, slice);
  if (!hu) {
    state.notice.value = "The scan is still loading: fill by Hounsfield value when it is complete.";
    return null;
  }
  // The guard bounds the flood too, so that it cannot run round through forbidden ground.
  const allowed = where.permit && (yield* allowedOn(where, where.permit, labels));
  const centre = hu[pixel];
  return flood(width, height, u, v, (i) => Math.abs(hu[i] - centre) <= where.toleranceHu && (!allowed || allowed[i] === 1)).pixels;
}

function* allowedOn({ grid, frame, slice }: Place, permit: Permit, labels: Uint8Array): Operation<Uint8Array> {
  const [width, height] = planeSize(grid, frame);
  const allowed = new Uint8Array(labels.length);
  const known = new Map<number, ReturnType<Permit>>();
  let pixel = 0;
  const look = rowsToRuns(grid, frame, slice, (z, start, end) => {
    let allow = known.get(z);
    if (allow === undefined) known.set(z, (allow = permit(z)));
    for (let i = start; i < end; i++, pixel++) allowed[pixel] = !allow || allow(i, labels[pixel]) ? 1 : 0;
  });
  for (let v = 0; v < height; v++) {
    look(v, 0, width);
    yield v / height;
  }
  return allowed;
}

export const fillTool: Tool = {
  name: "fill",
  title: "Fill",
  does: "Click: fill a hole, or what looks alike, in this slice; the right button erases the clicked patch",
  icon: "fill",
  action: "fill",
  group: "region",
  edits: true,
  clicks: true,
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
