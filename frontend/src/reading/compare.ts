/**
 * Side by side: the reading's mask and another state of it, or the scan and another scan of the same patient. What lies
 * beside is only looked at. Scans are tied by position: millimetres along the plane's normal, plus an offset that the
 * reader sets by scrolling one alone and linking there.
 */
import { computed, effect, signal } from "@preact/signals";
import { Refused } from "../api/client";
import type { TimelineEntry } from "../api/types";
import { readContainer } from "../edits/container";
import type { Layers } from "../edits/layers";
import { MeasureBook } from "../edits/measure";
import { Grid, type PlaneName } from "../geometry/grid";
import { besidePlane, isVisible } from "../layout";
import * as display from "../display";
import * as state from "../state";
import { BesideView, type Link, type Side } from "../viewer/besideview";
import { SlabLoader, startWorkers } from "../viewer/slabloader";
import { onKey } from "./acts";
import type { Desk } from "./desk";
import { usesOf } from "./uses";
import { slabTrouble } from "./slabtrouble";

export interface BesideChoice {
  /** "case:<uuid>" or a state of the mask. */
  key: string;
  label: string;
  kind: "scan" | "state";
}

export interface Beside extends Side {
  key: string;
  title: string;
  kind: "scan" | "state";
  total: number;
}

const BEGUN: BesideChoice = { key: "stroke:0", label: "As this reading began", kind: "state" };

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

/** "Prior, 2020-03-01, extent 4.2 %" */
export function describeScan({ label, when, case_number, extent_percent }: TimelineEntry): string {
  const parts = [capital(label), when ?? `case ${case_number}`];
  if (extent_percent !== null) parts.push(`extent ${extent_percent.toFixed(1)} %`);
  return parts.join(", ");
}

const isPrior = ({ label }: TimelineEntry): boolean => label === "prior";

/** The last prior first: that is what a reader mostly wants. */
export const besideChoices = computed<readonly BesideChoice[]>(() => {
  const reading = state.reading.value;
  const scans = (reading?.timeline ?? []).filter((entry) => entry.label !== "this");
  return [
    ...[...scans.filter(isPrior).reverse(), ...scans.filter((entry) => !isPrior(entry))].map((entry): BesideChoice => ({ key: `case:${entry.case}`, label: describeScan(entry), kind: "scan" })),
    ...(reading?.comparable ?? []).map(({ state: key, label }): BesideChoice => ({ key, label, kind: "state" })),
    BEGUN,
  ];
});

export const beside = signal<Beside | null>(null);
/** What is being fetched, by its key. */
export const fetching = signal<string | null>(null);
export const linked = signal(true);
/** How far the one beside is moved from the same place, by plane: what was tied along one normal says nothing of another. */
const offsets = signal<Readonly<Record<PlaneName, number>>>({ axial: 0, coronal: 0, sagittal: 0 });
export const link = computed<Link>(() => ({ linked: linked.value, offsetMm: besidePlane.value ? offsets.value[besidePlane.value] : 0 }));
export const besideSlice = signal(0);
export const besideInside = signal(true);
export const besideLoaded = signal(0);
/** Of the mask beside; null until it is counted, and where it has no lung. */
export const besideExtentPercent = signal<number | null>(null);
const STEP_MS = 10;

/** Where the pointer is over one of the two panes, in CSS pixels: the other shows the same place. */
export const twin = signal<{ over: "reading" | "beside"; x: number; y: number } | null>(null);

let chosen: string | null = null;
let loader: SlabLoader | null = null;
let view: BesideView | null = null;
let round = 0;

export const besideView = (): BesideView | null => view;

export function closeBeside(): void {
  round++;
  loader?.stop();
  loader = null;
  fetching.value = beside.value = besidePlane.value = null;
}

export async function layBeside(desk: Desk, key: string): Promise<void> {
  const choice = besideChoices.value.find((one) => one.key === key);
  if (!choice || !desk.grid) return;
  const mine = ++round;
  loader?.stop();
  loader = null;
  fetching.value = key;
  besideExtentPercent.value = null;
  try {
    const laid = choice.kind === "scan" ? await scanBeside(desk, choice, mine) : await stateBeside(desk, choice, mine);
    if (mine !== round) return;
    chosen = key;
    linked.value = true;
    offsets.value = { axial: 0, coronal: 0, sagittal: 0 };
    besideSlice.value = 0;
    beside.value = laid;
    besidePlane.value ??= state.oneUp.value ?? (isVisible(state.activePlane.value) ? state.activePlane.value : "axial");
    state.activePlane.value = besidePlane.value;
  } catch (error) {
    if (mine === round) state.notice.value = `It cannot be laid beside: ${error instanceof Refused ? error.message : "the server cannot be reached."}`;
  } finally {
    if (mine === round) fetching.value = null;
  }
}

/** Counts the extent of the mask beside, a little at a time; it does not change while it lies there. */
function countExtent(layers: Layers, mine: number): void {
  const { label_set, scan } = state.reading.value!;
  // Extent is a ratio of voxels: their size and their Hounsfield values do not matter.
  const book = new MeasureBook(layers, usesOf(label_set), scan.voxel_volume_ml, () => null);
  const step = (): void => {
    if (mine !== round) return;
    if (book.refresh(STEP_MS)) besideExtentPercent.value = book.numbers().extentPercent;
    else setTimeout(step, 4);
  };
  step();
}

async function stateBeside(desk: Desk, { key, label }: BesideChoice, mine: number): Promise<Beside> {
  const { layers } = await readContainer(await desk.session.api.stateMask(key));
  countExtent(layers, mine);
  besideLoaded.value = desk.grid!.size[2];
  return { key, title: label, kind: "state", grid: desk.grid!, total: desk.grid!.size[2], hu: () => desk.session.hu, layers: () => layers };
}

async function scanBeside(desk: Desk, { key, label }: BesideChoice, mine: number): Promise<Beside> {
  const { api } = desk.session;
  const { scan, mask_url } = await api.compareScan(key.slice("case:".length));
  if (mine !== round) throw new Error("Something else was asked for meanwhile.");
  const grid = new Grid(scan.shape_zyx, scan.affine_lps);
  const hu: (Int16Array | null)[] = new Array<Int16Array | null>(grid.size[2]).fill(null);
  let layers: Layers | null = null;
  if (mask_url) {
    void api
      .maskAt(mask_url)
      .then(readContainer)
      .then((read) => {
        layers = read.layers;
        countExtent(layers, mine);
        if (mine === round) view?.view.render();
      })
      .catch(() => void (state.notice.value = "The mask of the other scan was not loaded."));
  }
  const middle = Math.floor(grid.size[2] / 2);
  besideLoaded.value = 0;
  loader = new SlabLoader(startWorkers(), scan.slabs, grid.size[0] * grid.size[1], middle, {
    slice: (z, voxels) => {
      if (mine !== round) return;
      hu[z] = voxels;
      besideLoaded.value++;
      view?.sliceArrived(z);
    },
    complete: () => mine === round && view?.view.render(),
    ...slabTrouble(),
  });
  return { key, title: label, kind: "scan", grid, total: grid.size[2], hu: () => hu, layers: () => layers };
}

/** Ties the two where they are, or lets them go. */
export function toggleLink(): void {
  if (!view) return;
  if (!linked.value) offsets.value = { ...offsets.value, [besidePlane.value!]: view.apartMm };
  linked.value = !linked.value;
}

/** The pane is there: puts the second look into it, anew for another plane or another thing beside. */
export function watchCompare(desk: Desk): void {
  effect(() => {
    const side = beside.value;
    const plane = besidePlane.value;
    const stage = desk.stage;
    view?.dispose();
    view = null;
    if (!side || !plane || !stage) return;
    const place = (): void => {
      const element = document.getElementById("pane-beside");
      if (!element || beside.value !== side || besidePlane.value !== plane || view) return;
      const told = (slice: number, inside: boolean): void => {
        besideSlice.value = slice;
        besideInside.value = inside;
        if (view?.view.frame.name === "axial") loader?.aim(slice);
      };
      view = new BesideView(element, side, stage.views[plane], () => ({ ...desk.marks(plane), style: { ...desk.marks(plane).style, shown: { kind: "mask" }, preview: null }, crosshair: null, lengths: [] }), () => link.peek(), () => stage.table, told);
      stage.views[plane].render();
    };
    linked.value = true;
    // After the pane is on the page.
    requestAnimationFrame(place);
  });
  desk.planeWatchers.add((plane) => {
    if (plane === besidePlane.peek()) view?.follow();
  });
  effect(() => {
    const at = state.hovered.value;
    const place = at && besidePlane.value === at.plane ? state.placeOf.peek() : null;
    if (place && at) twin.value = { over: "reading", ...place(at.plane, at.u, at.v) };
    else if (twin.peek()?.over === "reading") twin.value = null;
  });
  effect(() => {
    void link.value;
    view?.follow();
  });
  effect(() => {
    void [display.look.value, display.fillPercent.value, display.lungShown.value, display.lungLook.value, display.hiddenLabels.value, state.masksHidden.value];
    view?.view.drawOverlay();
  });
}

onKey("compare", (desk) => {
  if (beside.value || fetching.value) return closeBeside();
  void layBeside(desk, besideChoices.value.find(({ key }) => key === chosen)?.key ?? besideChoices.value[0].key);
});
