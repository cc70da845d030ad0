/**
 * Lasso and scissors: a shape drawn on a plane is filled with the label on release; the right button erases inside it.
 * A pixel belongs to the shape when its centre lies inside (geometry/shapes.ts). The circle has the press as its
 * centre and is round in mm. Depth takes the same shape through neighbouring slices.
 */
import type { SliceRuns } from "../edits/delta";
import { DeltaDraft } from "../edits/draft";
import type { Operation } from "../edits/operation";
import { sweepDisc, type Point } from "../geometry/disc";
import type { Grid, PlaneFrame } from "../geometry/grid";
import { polygonRows, rectangleRows, type Row } from "../geometry/shapes";
import { onKey } from "../reading/acts";
import type { Desk } from "../reading/desk";
import * as state from "../state";
import type { PlaneView } from "../viewer/planeview";
import { Depth, depthRange, eraseGuard, guard, Guards } from "./options";
import { rowsToRuns, throughSlices } from "./segment";
import type { Drag, Spot, Tool } from "./tool";

interface Shape {
  /** The outline in pixels of the slice image, to be drawn while it is dragged. */
  outline(points: readonly Point[], view: PlaneView): readonly Point[];
  rows(points: readonly Point[], view: PlaneView, row: Row): void;
}

const radiusMm = (a: Point, b: Point, [su, sv]: readonly [number, number]): number => Math.hypot((a.u - b.u) * su, (a.v - b.v) * sv);

export const SHAPES: Record<"lasso" | "rectangle" | "circle", Shape> = {
  lasso: {
    outline: (points) => points,
    rows: (points, view, row) => polygonRows(points, view.imageSize, row),
  },
  rectangle: {
    outline: (points) => {
      const [a, b] = [points[0], points[points.length - 1]];
      return [a, { u: b.u, v: a.v }, b, { u: a.u, v: b.v }];
    },
    rows: (points, view, row) => rectangleRows(points[0], points[points.length - 1], view.imageSize, row),
  },
  circle: {
    outline: (points, view) => {
      const [a, b] = [points[0], points[points.length - 1]];
      const r = radiusMm(a, b, view.pixelMm);
      const [su, sv] = view.pixelMm;
      return Array.from({ length: 72 }, (_, n) => ({
        u: a.u + (r * Math.cos((n * Math.PI) / 36)) / su,
        v: a.v + (r * Math.sin((n * Math.PI) / 36)) / sv,
      }));
    },
    rows: (points, view, row) => {
      const [a, b] = [points[0], points[points.length - 1]];
      sweepDisc(a, a, radiusMm(a, b, view.pixelMm), view.pixelMm, view.imageSize, row);
    },
  },
};

const NEAR_PX = 0.25;

/** What a shape was begun with: release finds it as the press left it. */
interface Begun {
  view: PlaneView;
  slice: number;
  target: state.Target;
}

/** Drags a shape out; `done` gets its points. Escape drops it. */
export function dragShape(desk: Desk, at: Spot, name: keyof typeof SHAPES, done: (points: readonly Point[], begun: Begun) => void): Drag {
  const view = desk.stage!.views[at.plane];
  const begun: Begun = { view, slice: view.slice, target: state.target.value };
  const shape = SHAPES[name];
  const points: Point[] = [at.point];
  const show = (): void => view.sketch(points.length > 1 ? shape.outline(points, view) : null);
  const add = (point: Point): void => {
    const last = points[points.length - 1];
    if (Math.abs(point.u - last.u) + Math.abs(point.v - last.v) >= NEAR_PX || name !== "lasso") points.push(point);
  };
  let dropped = false;
  const drop = (): void => {
    dropped = true;
    view.sketch(null);
  };
  desk.onCancel = drop;
  return {
    move(to) {
      if (dropped) return;
      add(to.point);
      show();
    },
    end(to) {
      if (dropped) return;
      add(to.point);
      drop();
      desk.onCancel = null;
      if (points.length > 1) done(points, begun);
    },
    cancel: drop,
  };
}

/** A shape through slices of a plane, as an edit. */
export function* drawnThrough(draft: DeltaDraft, value: number, grid: Grid, frame: PlaneFrame, depth: readonly [number, number], rows: (row: Row) => void): Operation<SliceRuns[]> {
  yield* throughSlices(grid, frame, depth, rows, (z, start, end) => draft.fill(z, start, end, value));
  return yield* draft.deltas();
}

function shapePress(name: "lasso" | "rectangle" | "circle"): NonNullable<Tool["press"]> {
  return (desk, at) => {
    const erases = at.button === 2;
    if (!desk.mayEdit) return null;
    return dragShape(desk, at, name, (points, { view, slice, target }) => {
      const { layer } = target;
      const value = erases ? 0 : target.value;
      const tool = erases ? `${name}_erase` : name;
      const allowed = erases ? eraseGuard(desk, layer) : guard(desk, null, layer);
      // What was drawn must not vanish without a word.
      const undrawn = (): void => void (state.notice.value = "The mask cannot be changed now: this shape was not drawn.");
      const { grid, frame } = view;
      const depth = depthRange(slice, grid.size[frame.across], grid.spacing[frame.across]);
      const onPage = points.map((point) => {
        const [clientX, clientY] = view.clientAt(point.u, point.v);
        return { ...point, clientX, clientY };
      });
      if (depth[0] < depth[1]) {
        if (!desk.session.layers || !desk.mayEdit) return undrawn();
        const draft = new DeltaDraft(desk.session.layers[layer], allowed);
        const trace = { ...desk.traceOf(at.plane, tool, value, layer), slice, depth, path: onPage };
        const work = drawnThrough(draft, value, grid, frame, depth, (row) => SHAPES[name].rows(points, view, row));
        return void desk.operate("Cutting", layer, tool, at.plane, work, trace);
      }
      const trace = desk.beginStroke(at.plane, tool, value, allowed, layer);
      if (!trace) return undrawn();
      const { u, v, ...end } = onPage.pop()!;
      trace.path.push(...onPage);
      trace.depth = depth;
      trace.slice = slice;
      desk.paint({ ...at, ...end, point: { u, v } }, (fill) => SHAPES[name].rows(points, view, rowsToRuns(grid, frame, slice, fill)));
      desk.endStroke();
    });
  };
}

onKey("scissors", (desk) => desk.takeUp(state.tool.value === "rectangle" ? "circle" : "rectangle"));

const Options = () => (
  <>
    <Depth />
    <Guards />
    <p class="dim">The right button, or Alt, erases inside.</p>
  </>
);

export const lassoTool: Tool = {
  name: "lasso",
  title: "Lasso",
  does: "Draw around what gets the label; the right button erases inside",
  icon: "lasso",
  action: "lasso",
  group: "shape",
  edits: true,
  press: shapePress("lasso"),
  Options,
};

export const rectangleTool: Tool = {
  name: "rectangle",
  title: "Rectangle",
  does: "Drag a rectangle; the right button erases inside",
  icon: "rectangle",
  action: "scissors",
  group: "shape",
  edits: true,
  press: shapePress("rectangle"),
  Options,
};

export const circleTool: Tool = {
  name: "circle",
  title: "Circle",
  does: "Drag a circle from its centre; the right button erases inside",
  icon: "circle",
  hint: "R again",
  group: "shape",
  edits: true,
  press: shapePress("circle"),
  Options,
};
