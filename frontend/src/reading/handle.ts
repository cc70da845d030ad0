/** A small read-only handle for tests and for looking under the bonnet: window.groundglass. */
import type { PlaneName } from "../geometry/grid";
import { shown } from "../display";
import * as state from "../state";
import { layout, narrow, visiblePlanes } from "../layout";
import { lengths, type Length } from "../tools/length";
import { beside, besideInside, besideLoaded, besideSlice, besideView, link } from "./compare";
import { countingLesions } from "./lesions";
import { fetched } from "./prefetch";
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
  /** How many edits this tab has made, undoing and redoing among them. */
  readonly edits: number;
  /** No long work is under way, and lesions and numbers are those of the mask as it is. */
  readonly atRest: boolean;
  readonly numbers: unknown;
  readonly slices: Record<PlaneName, number>;
  readonly brushMm: number;
  readonly tool: string;
  readonly voi: { width: number; level: number };
  readonly layout: { name: string; planes: readonly PlaneName[]; narrow: boolean };
  /** What lies beside: its slice, and how it is tied. */
  readonly beside: { title: string; slice: number; inside: boolean; linked: boolean; offsetMm: number; loaded: number } | null;
  readonly lengths: readonly Length[];
  readonly letters: unknown;
  readonly slabMm: number;
  /** Of the next case, in the browser's cache. */
  readonly prefetched: { slabs: number; bytes: number };
  /** Where a voxel of what lies beside is on the page. */
  besideToClient(i: number, j: number, k: number): [number, number] | null;
  voxelToClient(plane: PlaneName, i: number, j: number, k: number): [number, number];
  voxelAt(layer: "anatomy" | "findings", i: number, j: number, k: number): number;
  /** The same of what is drawn: of a past state while the film shows one. */
  shownAt(layer: "anatomy" | "findings", i: number, j: number, k: number): number;
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
    get edits() {
      return session.editor?.lastSequence ?? 0;
    },
    get atRest() {
      return !state.operation.value && !countingLesions.value && session.counted;
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
    get layout() {
      return { name: layout.value, planes: visiblePlanes.value, narrow: narrow.value };
    },
    get beside() {
      const laid = beside.value;
      return laid && { title: laid.title, slice: besideSlice.value, inside: besideInside.value, ...link.value, loaded: besideLoaded.value };
    },
    get lengths() {
      return lengths.value;
    },
    get letters() {
      return state.lettersOf.value;
    },
    get slabMm() {
      return state.slabMm.value;
    },
    get prefetched() {
      return { ...fetched };
    },
    besideToClient: (i, j, k) => {
      const view = besideView()?.view;
      return view ? view.clientAt([i, j, k][view.frame.u], [i, j, k][view.frame.v]) : null;
    },
    voxelToClient: (plane, i, j, k) => desk.voxelToClient(plane, i, j, k),
    voxelAt: (layer, i, j, k) => session.layers?.[layer].at(i, j, k) ?? 0,
    shownAt: (layer, i, j, k) => (shown.value.kind === "film" ? shown.value.layers : session.layers)?.[layer].at(i, j, k) ?? 0,
    hounsfieldAt: (i, j, k) => session.hu[k]?.[j * (desk.grid?.size[0] ?? 0) + i] ?? null,
    voxelCount: (layer, value) => session.layers?.[layer].count(value) ?? 0,
    allSaved: () => session.allSaved,
  };
  Object.defineProperty(window, "groundglass", { value: Object.freeze(handle), writable: false });
}
