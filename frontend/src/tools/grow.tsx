/**
 * Grow: from a click, the 6-connected voxels in space whose Hounsfield value lies within the tolerance of the mean of
 * the 3 x 3 x 3 voxels around the click, inside the radius. The region is shown before it becomes a stroke.
 */
import { effect, signal, untracked } from "@preact/signals";
import * as display from "../display";
import { DeltaDraft } from "../edits/draft";
import type { SliceRuns } from "../edits/delta";
import type { Layer } from "../edits/layers";
import { carryOutAtOnce, type Operation } from "../edits/operation";
import { around, grow } from "../edits/regions/grow";
import { eachRun, labelsOf, planeSize } from "../edits/regions/plane";
import type { Vec3 } from "../geometry/grid";
import { acts, onKey } from "../reading/acts";
import type { Desk } from "../reading/desk";
import { shownKeys } from "../keyboard";
import * as state from "../state";
import { Check, guard, Numeral, onlyOver } from "./options";
import { clicked } from "./fill";
import type { Spot, Tool } from "./tool";
import { volume } from "../panels/figures";
import { voxelVolume } from "../units";

const toleranceHu = signal(150);
const radiusMm = signal(40);
const inLung = signal(true);

interface Growth {
  seeds: Vec3[];
  meanHu: number;
  plane: Spot["plane"];
}

/** Enter applies, and otherwise goes to the next case: a second one in haste must not leave this one. */
const HASTE_MS = 1500;
let appliedAt = -Infinity;

const growth = signal<Growth | null>(null);
const grownMl = signal<number | null>(null);
let grown: Layer | null = null;

async function regrow(desk: Desk): Promise<void> {
  const from = growth.value;
  const { layers, hu } = desk.session;
  if (!from || !layers || !desk.grid) return;
  const lung = layers.anatomy;
  const work = grow(hu, layers.findings.shapeZyx, from.seeds, {
    low: from.meanHu - toleranceHu.value,
    high: from.meanHu + toleranceHu.value,
    radiusMm: radiusMm.value,
    spacing: desk.grid.spacing,
    inside: inLung.value ? (z, i) => (lung.slices[z]?.[i] ?? 0) !== 0 : null,
  });
  const result = await desk.compute("Growing the region", work);
  if (!result || growth.value !== from) return;
  grown = result.grown;
  grownMl.value = result.voxels * voxelVolume.value;
  const labels = state.reading.value?.label_set.labels ?? [];
  display.preview.value = { layer: grown, colour: labels.find((label) => label.value === state.target.value.value)?.colour ?? "#E69F00" };
  desk.restyle();
}

function drop(desk: Desk): void {
  growth.value = null;
  grownMl.value = null;
  grown = null;
  display.preview.value = null;
  desk.restyle();
}

function begin(desk: Desk, seeds: Vec3[], plane: Spot["plane"]): void {
  const { session } = desk;
  const near = seeds.map((seed) => around(session.hu, session.layers!.findings.shapeZyx, seed)).filter((one) => one !== null);
  if (!near.length) return void (state.notice.value = "The scan is not loaded here yet.");
  growth.value = { seeds, meanHu: Math.round(near.reduce((sum, one) => sum + one.mean, 0) / near.length), plane };
  void regrow(desk);
}

/** Every voxel of the label on the shown slice of the active plane is a seed. */
export function seedsFromLabel(desk: Desk): void {
  const { layer, value } = state.target.value;
  const plane = state.activePlane.value;
  const held = desk.session.layers?.[layer];
  if (!held || !desk.grid) return;
  const frame = desk.grid.planes[plane];
  const slice = state.slices.value[plane];
  const [width] = planeSize(desk.grid, frame);
  const seeds: Vec3[] = [];
  carryOutAtOnce(labelsOf(held, desk.grid, frame, slice)).forEach((label, i) => {
    if (label !== value) return;
    const seed: Vec3 = [0, 0, 0];
    [seed[frame.u], seed[frame.v], seed[frame.across]] = [i % width, Math.floor(i / width), slice];
    seeds.push(seed);
  });
  if (!seeds.length) return void (state.notice.value = "The label has no voxel on this slice to grow from.");
  begin(desk, seeds, plane);
}

function apply(desk: Desk): boolean {
  const from = growth.value;
  const { session } = desk;
  if (!from || !grown || state.operation.value || !session.layers || !session.editor || !desk.mayEdit) return false;
  const { layer, value } = state.target.value;
  const draft = new DeltaDraft(session.layers[layer], inLung.value && layer === "findings" ? desk.permit(layer, { insideLung: true, onlyOver: onlyOver.value }) : guard(desk));
  const region = grown;
  drop(desk);
  appliedAt = Date.now();
  void desk.operate("Growing", layer, "grow", from.plane, drawn(region, draft, value)).finally(() => (appliedAt = Date.now()));
  return true;
}

function* drawn(region: Layer, draft: DeltaDraft, value: number): Operation<SliceRuns[]> {
  for (const [z, slice] of region.slices.entries()) {
    if (!slice) continue;
    eachRun(slice, slice.length, (_, from, to) => draft.fill(z, from, to, value));
    yield z / region.slices.length;
  }
  return yield* draft.deltas();
}

/** Whether Enter was for the preview. */
export const applyPreview = apply;
onKey("apply", (desk, event) => {
  if (apply(desk) || growth.value || state.operation.value || Date.now() - appliedAt < HASTE_MS) return;
  acts.get("next_case")?.(desk, event);
});

export const growTool: Tool = {
  name: "grow",
  title: "Grow",
  does: "Click a lesion: the region grows in 3D, is shown, and Enter makes it a stroke",
  icon: "grow",
  action: "grow",
  group: "region",
  edits: true,
  clicks: true,
  press(desk, at) {
    if (at.button !== 0 || !desk.grid!.inside(at.voxel)) return null;
    begin(desk, [at.voxel], at.plane);
    return clicked;
  },
  putDown: drop,
  Options({ desk }) {
    const again = (): void => void regrow(desk);
    return (
      <>
        <p class="dim num">
          {growth.value ? `around ${growth.value.meanHu} HU${grownMl.value === null ? "" : `: ${volume(grownMl.value)}`}` : "Click where it shall begin."}
        </p>
        <label class="option-number">
          <span>Tolerance ±</span>
          <input type="range" min={10} max={600} step={5} value={toleranceHu.value} aria-label="Tolerance in HU" onInput={(event) => {
            toleranceHu.value = event.currentTarget.valueAsNumber;
            again();
          }} />
          <span class="num dim">{toleranceHu.value} HU</span>
        </label>
        <Numeral of={radiusMm} label="Within" unit="mm" min={5} max={400} step={5} onInput={again} />
        <Check of={inLung}>Only inside the lung</Check>
        <div class="option-row">
          <button onClick={() => seedsFromLabel(desk)}>From the label on this slice</button>
          <button class="go" disabled={grownMl.value === null} onClick={() => apply(desk)}>
            Apply ({shownKeys("apply")})
          </button>
        </div>
      </>
    );
  },
};

/** A change of the lung setting is a change of the rule: grown again. */
export function watchGrow(desk: Desk): void {
  effect(() => {
    void inLung.value;
    // Growing tells how far it is: what it reads and says on the way must not bring it back here.
    untracked(() => growth.value && void regrow(desk));
  });
}
