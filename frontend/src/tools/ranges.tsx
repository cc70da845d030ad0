/** Over a range at once: replace a label inside a box; threshold everything in the lung as a start. */
import { computed, signal } from "@preact/signals";
import type { SliceRuns } from "../edits/delta";
import { DeltaDraft } from "../edits/draft";
import { Layer } from "../edits/layers";
import type { Operation } from "../edits/operation";
import { only, RunBook } from "../edits/regions/components";
import type { Desk } from "../reading/desk";
import * as state from "../state";
import { setAll } from "./islands";
import { Depth, depthRange, huHigh, huLow, HuRange, Numeral } from "./options";
import { dragShape, drawnThrough, SHAPES } from "./shapes";
import type { Tool } from "./tool";
import { voxelVolume } from "../units";

const wanted = signal<number>(1);
const labelsNow = (): readonly { value: number; name: string }[] => {
  const reading = state.reading.value;
  return (state.target.value.layer === "findings" ? reading?.label_set.labels : reading?.anatomy_labels) ?? [];
};
/** The label that is replaced: lungs and findings have labels of their own. */
const replaced = computed(() => (labelsNow().some(({ value }) => value === wanted.value) ? wanted.value : (labelsNow()[0]?.value ?? 1)));
const smallestMl = signal(0.05);

export const replaceTool: Tool = {
  name: "replace",
  title: "Replace in box",
  does: "Drag a box: inside it, one label becomes the chosen label (right button: is erased)",
  icon: "replace",
  action: "replace",
  group: "region",
  edits: true,
  press(desk, at) {
    const erases = at.button === 2;
    return dragShape(desk, at, "rectangle", (points, { view, slice, target: { layer, value } }) => {
      const { session } = desk;
      if (!desk.mayEdit || !session.layers || !session.editor) return;
      const { grid, frame } = view;
      const draft = new DeltaDraft(session.layers[layer], desk.permit(layer, { onlyOver: replaced.value }));
      const depth = depthRange(slice, grid.size[frame.across], grid.spacing[frame.across]);
      void desk.operate("Replacing", layer, "replace", at.plane, drawnThrough(draft, erases ? 0 : value, grid, frame, depth, (row) => SHAPES.rectangle.rows(points, view, row)));
    });
  },
  Options: () => {
    const labels = labelsNow();
    return (
      <>
        <label class="option-select">
          <span>Replace</span>
          <select value={String(replaced.value)} onChange={(event) => (wanted.value = Number(event.currentTarget.value))}>
            {labels.map((label) => (
              <option key={label.value} value={String(label.value)}>
                {label.name}
              </option>
            ))}
          </select>
        </label>
        <p class="dim">by {labels.find((label) => label.value === state.target.value.value)?.name ?? "the chosen label"}</p>
        <Depth />
      </>
    );
  },
};

/** Every voxel of the lung between the ends that holds nothing yet; islands smaller than `smallest` mL are left out. */
export function* thresholdLung(
  layers: { anatomy: Layer; findings: Layer },
  hu: readonly (Int16Array | null)[],
  value: number,
  [low, high]: readonly [number, number],
  smallest: number,
  voxelMl: number,
  draft: DeltaDraft,
): Operation<SliceRuns[]> {
  const shape = layers.findings.shapeZyx;
  const found = new Layer(shape);
  for (let z = 0; z < shape[0]; z++) {
    const [lung, values, held] = [layers.anatomy.slices[z], hu[z], layers.findings.slices[z]];
    if (lung && values) {
      let slice: Uint8Array | null = null;
      for (let i = 0; i < lung.length; i++) {
        if (lung[i] && values[i] >= low && values[i] <= high && !held?.[i]) (slice ??= found.writable(z))[i] = 1;
      }
    }
    yield (0.4 * z) / shape[0];
  }
  const all = yield* new RunBook(found, only(1)).components();
  const small = all.findIndex((component) => component.voxels * voxelMl < smallest);
  yield* setAll(draft, small < 0 ? all : all.slice(0, small), found, value);
  return yield* draft.deltas();
}

function startByThreshold(desk: Desk): void {
  const { session } = desk;
  const { value, layer } = state.target.value;
  if (!session.layers || layer !== "findings") return void (state.notice.value = "Choose a label of the findings first.");
  if (state.loadedSlices.value < session.layers.findings.shapeZyx[0]) return void (state.notice.value = "The scan is still loading.");
  const draft = new DeltaDraft(session.layers.findings, desk.permit("findings", { onlyOver: 0, insideLung: true }));
  const work = thresholdLung(session.layers, session.hu, value, [huLow.value, huHigh.value], smallestMl.value, voxelVolume.value, draft);
  void desk.operate("Thresholding the lung", "findings", "threshold_lung", "none", work);
}

export const thresholdLungTool: Tool = {
  name: "threshold_lung",
  title: "Threshold lung",
  does: "As a start: everything in the lung within a Hounsfield window gets the label",
  icon: "threshold_lung",
  action: "threshold_lung",
  group: "region",
  edits: true,
  Options: ({ desk }) => (
    <>
      <HuRange />
      <Numeral of={smallestMl} label="Leave out islands under" unit="mL" min={0} max={100} step={0.05} />
      <div class="option-row">
        <button class="go" onClick={() => startByThreshold(desk)}>
          Threshold the lung
        </button>
      </div>
    </>
  ),
};
