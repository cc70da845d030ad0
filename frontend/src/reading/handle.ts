/** A small read-only handle for tests and for looking under the bonnet: window.groundglass. */
import type { PlaneName } from "../geometry/grid";
import * as state from "../state";
import type { Desk, StrokeTrace } from "./desk";

export interface Handle {
  /** The first slice is painted and the planes listen to the mouse. */
  readonly ready: boolean;
  readonly slicesComplete: boolean;
  readonly mayPaint: boolean;
  readonly timings: Record<string, number>;
  readonly strokes: readonly StrokeTrace[];
  readonly saving: unknown;
  readonly writing: unknown;
  readonly mask: { stroke_sequence: number; head_hash: string };
  readonly numbers: unknown;
  readonly slices: Record<PlaneName, number>;
  readonly brushMm: number;
  readonly tool: string;
  readonly voi: { width: number; level: number };
  voxelToClient(plane: PlaneName, i: number, j: number, k: number): [number, number];
  voxelAt(layer: "anatomy" | "findings", i: number, j: number, k: number): number;
  hounsfieldAt(i: number, j: number, k: number): number | null;
  voxelCount(layer: "anatomy" | "findings", value: number): number;
  /** Nothing waits to be written or sent. */
  allSaved(): boolean;
}

export function exposeHandle(desk: Desk): void {
  const { session } = desk;
  const handle: Handle = {
    get ready() {
      return desk.timings.firstSliceMs !== undefined;
    },
    get slicesComplete() {
      return desk.timings.completeMs !== undefined;
    },
    get mayPaint() {
      return state.mayPaint.value;
    },
    get timings() {
      return { ...desk.timings };
    },
    get strokes() {
      return desk.traces;
    },
    get saving() {
      return state.saving.value;
    },
    get writing() {
      return state.writing.value;
    },
    get mask() {
      return session.mask;
    },
    get numbers() {
      return state.numbers.value;
    },
    get slices() {
      return state.slices.value;
    },
    get brushMm() {
      return state.brushMm.value;
    },
    get tool() {
      return state.tool.value;
    },
    get voi() {
      return state.voi.value;
    },
    voxelToClient: (plane, i, j, k) => desk.voxelToClient(plane, i, j, k),
    voxelAt: (layer, i, j, k) => session.layers?.[layer].at(i, j, k) ?? 0,
    hounsfieldAt: (i, j, k) => session.hu[k]?.[j * (desk.grid?.size[0] ?? 0) + i] ?? null,
    voxelCount: (layer, value) => session.layers?.[layer].count(value) ?? 0,
    allSaved: () => session.allSaved,
  };
  Object.defineProperty(window, "groundglass", { value: Object.freeze(handle), writable: false });
}
