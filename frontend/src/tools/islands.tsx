/** Whole components: remove the small ones, keep or relabel the clicked one. 26-connected, one label each. */
import { signal } from "@preact/signals";
import type { SliceRuns } from "../edits/delta";
import { DeltaDraft } from "../edits/draft";
import type { Layer, LayerName } from "../edits/layers";
import type { Operation } from "../edits/operation";
import { componentAt, only, RunBook, type Component } from "../edits/regions/components";
import type { Vec3 } from "../geometry/grid";
import type { Desk } from "../reading/desk";
import * as state from "../state";
import { clicked } from "./fill";
import { Numeral } from "./options";
import type { Tool } from "./tool";
import { voxelVolume } from "../units";

const smallestMl = signal(0.1);
const becomes = signal<number | null>(null);

/** Sets a component's voxels, where permitted. */
/** Runs between two looks at the clock. */
const RUNS_A_STEP = 2000;

/** Gives all voxels of components a label, where the draft permits it. */
export function* setAll(draft: DeltaDraft, components: readonly Component[], layer: Layer, value: number): Operation<void> {
  const nx = layer.shapeZyx[2];
  let since = 0;
  for (const [at, { runs }] of components.entries()) {
    for (let n = 0; n < runs.length; n += 4) {
      draft.fill(runs[n], runs[n + 1] * nx + runs[n + 2], runs[n + 1] * nx + runs[n + 3], value);
      if (++since % RUNS_A_STEP === 0) yield at / components.length;
    }
  }
}

export function* removeIslands(layer: Layer, value: number, smallest: number, voxelMl: number, draft: DeltaDraft): Operation<SliceRuns[]> {
  const all = yield* new RunBook(layer, only(value)).components();
  yield* setAll(draft, all.filter(({ voxels }) => voxels * voxelMl < smallest), layer, 0);
  return yield* draft.deltas();
}

const layerAt = (desk: Desk, name: LayerName): Layer => desk.session.layers![name];
const labelAt = (layer: Layer, [i, j, k]: Vec3): number => layer.at(i, j, k);

function* keepClicked(desk: Desk, name: LayerName, voxel: Vec3): Operation<SliceRuns[]> {
  const layer = layerAt(desk, name);
  const all = yield* new RunBook(layer, only(labelAt(layer, voxel))).components();
  const kept = componentAt(all, voxel);
  const draft = new DeltaDraft(layer, desk.permit(name));
  yield* setAll(draft, all.filter((component) => component !== kept), layer, 0);
  return yield* draft.deltas();
}

function* relabelClicked(desk: Desk, name: LayerName, voxel: Vec3, value: number): Operation<SliceRuns[]> {
  const layer = layerAt(desk, name);
  const all = yield* new RunBook(layer, only(labelAt(layer, voxel))).components();
  const one = componentAt(all, voxel);
  const draft = new DeltaDraft(layer, desk.permit(name));
  if (one) yield* setAll(draft, [one], layer, value);
  return yield* draft.deltas();
}

export const islandsTool: Tool = {
  name: "islands",
  title: "Islands",
  does: "Remove the label's islands that are smaller than a volume",
  icon: "islands",
  action: "islands",
  group: "region",
  edits: true,
  Options: ({ desk }) => (
    <>
      <Numeral of={smallestMl} label="Smaller than" unit="mL" min={0.001} max={1000} step={0.05} />
      <div class="option-row">
        <button
          class="go"
          onClick={() => {
            const { layer, value } = state.target.value;
            const draft = new DeltaDraft(layerAt(desk, layer), desk.permit(layer));
            void desk.operate("Removing islands", layer, "islands", "none", removeIslands(layerAt(desk, layer), value, smallestMl.value, voxelVolume.value, draft));
          }}
        >
          Remove them
        </button>
      </div>
    </>
  ),
};

export const keepTool: Tool = {
  name: "keep",
  title: "Keep island",
  does: "Click an island: the other islands of its label go",
  icon: "keep",
  action: "keep",
  group: "region",
  edits: true,
  clicks: true,
  press(desk, at) {
    const { layer } = state.target.value;
    if (at.button !== 0 || !desk.grid!.inside(at.voxel)) return null;
    if (!labelAt(layerAt(desk, layer), at.voxel)) state.notice.value = "No label here: click inside the island that stays.";
    else void desk.operate("Keeping one island", layer, "keep", at.plane, keepClicked(desk, layer, at.voxel));
    return clicked;
  },
};

export const relabelTool: Tool = {
  name: "relabel",
  title: "Relabel",
  does: "Click a lesion: all of it becomes the chosen label, for example an exclusion with its reason",
  icon: "relabel",
  action: "relabel",
  group: "region",
  edits: true,
  clicks: true,
  press(desk, at) {
    const value = becomes.value;
    if (at.button !== 0 || !desk.grid!.inside(at.voxel)) return null;
    if (value === null) state.notice.value = "Choose what it becomes first, in the panel.";
    else if (!labelAt(layerAt(desk, "findings"), at.voxel)) state.notice.value = "No label here: click inside the lesion.";
    else void desk.operate("Relabelling", "findings", "relabel", at.plane, relabelClicked(desk, "findings", at.voxel, value));
    return clicked;
  },
  Options: () => (
    <div class="option-choice" role="group" aria-label="It becomes">
      <span class="dim">It becomes</span>
      {state.reading.value?.label_set.labels.map((label) => (
        <button key={label.value} aria-pressed={becomes.value === label.value} onClick={() => (becomes.value = label.value)}>
          <span class="label-swatch" style={{ "--colour": label.colour }} /> {label.name}
        </button>
      ))}
    </div>
  ),
};
