/** Smoothing of the chosen label: median, opening, closing, holes; on this slice or in space on the whole label. */
import { signal } from "@preact/signals";
import type { SliceRuns } from "../edits/delta";
import { DeltaDraft } from "../edits/draft";
import type { Layer } from "../edits/layers";
import type { Operation } from "../edits/operation";
import { componentAt, only, RunBook, type Component } from "../edits/regions/components";
import type { Box } from "../edits/regions/distance";
import { labelsOf, planeSize } from "../edits/regions/plane";
import { smooth, type SmoothKind } from "../edits/regions/smooth";
import type { Grid, PlaneName, Vec3 } from "../geometry/grid";
import type { Desk } from "../reading/desk";
import * as state from "../state";
import { clicked } from "./fill";
import { Choice, guard, Numeral } from "./options";
import { rowsToRuns } from "./segment";
import type { Spot, Tool } from "./tool";

const kind = signal<SmoothKind>("median");
const radiusMm = signal(1.5);

function* onSlice(desk: Desk, plane: PlaneName): Operation<SliceRuns[]> {
  const { layer, value } = state.target.value;
  const grid = desk.grid!;
  const frame = grid.planes[plane];
  const held = desk.session.layers![layer];
  const slice = state.slices.value[plane];
  const [width, height] = planeSize(grid, frame);
  const box: Box = {
    size: [width, height, 1],
    spacing: [grid.spacing[frame.u], grid.spacing[frame.v], 1],
    data: (yield* labelsOf(held, grid, frame, slice)).map((label) => (label === value ? 1 : 0)),
  };
  const smoothed = yield* smooth(box, kind.value, radiusMm.value);
  const draft = new DeltaDraft(held, permits(desk));
  for (let v = 0; v < height; v++) {
    for (let u = 0; u < width; u++) {
      const [was, is] = [box.data[v * width + u], smoothed.data[v * width + u]];
      if (was !== is) rowsToRuns(grid, frame, slice, (z, i) => draft.set(z, i, is ? value : 0))(v, u, u + 1);
    }
  }
  return yield* draft.deltas();
}

const permits = (desk: Desk): ReturnType<typeof guard> => {
  const allow = guard(desk);
  const { layer, value } = state.target.value;
  const locks = desk.permit(layer);
  if (!allow) return null;
  // Growing follows the settings; shrinking the label itself only needs that it is not locked.
  return (z) => {
    const [grows, shrinks] = [allow(z), locks?.(z) ?? null];
    return (i, old) => (old === value ? !shrinks || shrinks(i, old) : !grows || grows(i, old));
  };
};

interface Cut {
  /** The voxel of the scan where the box begins, and of the box where its core begins and ends. */
  low: readonly number[];
  core: readonly (readonly [from: number, to: number])[];
  box: Box;
}

/**
 * A box around a component, of its voxels alone or, with `all`, of every voxel of the label in it. Smoothing changes
 * nothing farther than the radius from a component (the core), and a voxel's outcome hangs on what lies within two radii
 * of it: so the boxes of a whole label agree where they meet.
 */
function cutAround({ runs, zFirst, zLast }: Component, { size, spacing }: Grid, radiusMm: number, all: { held: Layer; value: number } | null): Cut {
  let [x0, x1, y0, y1] = [Infinity, 0, Infinity, 0];
  for (let n = 0; n < runs.length; n += 4) {
    x0 = Math.min(x0, runs[n + 2]);
    x1 = Math.max(x1, runs[n + 3] - 1);
    y0 = Math.min(y0, runs[n + 1]);
    y1 = Math.max(y1, runs[n + 1]);
  }
  const reach = spacing.map((mm) => Math.ceil(radiusMm / mm) + 1);
  const [first, last] = [[x0, y0, zFirst], [x1, y1, zLast]];
  const low = first.map((n, axis) => Math.max(0, n - 3 * reach[axis]));
  const count = last.map((n, axis) => Math.min(size[axis] - 1, n + 3 * reach[axis]) - low[axis] + 1) as Vec3;
  const core = first.map((n, axis) => [Math.max(0, n - reach[axis] - low[axis]), Math.min(count[axis], last[axis] + reach[axis] + 1 - low[axis])] as const);
  const data = new Uint8Array(count[0] * count[1] * count[2]);
  if (all) {
    for (let z = 0; z < count[2]; z++) {
      const slice = all.held.slices[low[2] + z];
      for (let y = 0; slice && y < count[1]; y++) {
        const [from, to] = [(low[1] + y) * size[0] + low[0], (z * count[1] + y) * count[0]];
        for (let x = 0; x < count[0]; x++) if (slice[from + x] === all.value) data[to + x] = 1;
      }
    }
  } else {
    for (let n = 0; n < runs.length; n += 4) {
      const at = ((runs[n] - low[2]) * count[1] + (runs[n + 1] - low[1])) * count[0] - low[0];
      data.fill(1, at + runs[n + 2], at + runs[n + 3]);
    }
  }
  return { low, core, box: { size: count, spacing, data } };
}

function* inSpace(desk: Desk, at: Spot | null): Operation<SliceRuns[]> {
  const { layer, value } = state.target.value;
  const grid = desk.grid!;
  const held = desk.session.layers![layer];
  const all = yield* new RunBook(held, only(value)).components();
  const one = at && componentAt(all, at.voxel);
  const chosen = at ? (one ? [one] : []) : all;
  if (at && !one) state.notice.value = "Nothing of the label here.";
  const draft = new DeltaDraft(held, permits(desk));
  for (const component of chosen) {
    const { low, core, box } = cutAround(component, grid, radiusMm.value, at ? null : { held, value });
    const smoothed = yield* smooth(box, kind.value, radiusMm.value);
    const [nx, ny] = box.size;
    const [[fromX, toX], [fromY, toY], [fromZ, toZ]] = core;
    for (let z = fromZ; z < toZ; z++) {
      for (let y = fromY; y < toY; y++) {
        for (let x = fromX; x < toX; x++) {
          const n = (z * ny + y) * nx + x;
          if (box.data[n] !== smoothed.data[n]) draft.set(low[2] + z, (low[1] + y) * grid.size[0] + low[0] + x, smoothed.data[n] ? value : 0);
        }
      }
      yield 0.9;
    }
  }
  return yield* draft.deltas();
}

export const smoothTool: Tool = {
  name: "smooth",
  title: "Smooth",
  does: "Click a lesion to smooth it in 3D; or this slice, or the whole label",
  icon: "smooth",
  action: "smooth",
  group: "region",
  edits: true,
  clicks: true,
  press(desk, at) {
    if (at.button !== 0 || !desk.grid!.inside(at.voxel)) return null;
    void desk.operate("Smoothing", state.target.value.layer, "smooth", at.plane, inSpace(desk, at));
    return clicked;
  },
  Options: ({ desk }) => (
    <>
      <Choice
        label="How"
        of={kind}
        values={[
          ["median", "Median"],
          ["open", "Open"],
          ["close", "Close"],
          ["holes", "Fill holes"],
        ]}
      />
      <Numeral of={radiusMm} label="Radius" unit="mm" min={0.5} max={15} step={0.5} />
      <div class="option-row">
        <button
          onClick={() => {
            const plane = state.activePlane.value;
            void desk.operate("Smoothing", state.target.value.layer, "smooth", plane, onSlice(desk, plane));
          }}
        >
          This slice
        </button>
        <button onClick={() => void desk.operate("Smoothing", state.target.value.layer, "smooth", "none", inSpace(desk, null))}>Whole label</button>
      </div>
    </>
  ),
};
