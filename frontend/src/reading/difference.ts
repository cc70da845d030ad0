/** Two states of the mask compared: which ones and which layer, the three classes and their numbers, from slice to slice. */
import { signal, type Signal } from "@preact/signals";
import { Refused } from "../api/client";
import { DifferenceBook, nextMarked, type Difference } from "../edits/compare";
import { readContainer } from "../edits/container";
import type { LayerName, Layers } from "../edits/layers";
import { MeasureBook, type Numbers } from "../edits/measure";
import * as display from "../display";
import * as state from "../state";
import { onKey } from "./acts";
import type { Desk } from "./desk";
import { usesOf } from "./uses";

export interface Choice {
  state: string;
  label: string;
}

/** The mask under the reader's hands: it goes on changing. */
export const NOW = "now";
/** As the reader began: there for everyone, whatever else may be laid beside. */
const BEGUN: Choice = { state: "stroke:0", label: "As this reading began" };

export const choices = signal<readonly Choice[]>([BEGUN]);
export const chosen = signal<{ a: string; b: string | null; layer: LayerName }>({ a: NOW, b: null, layer: "findings" });
export const difference = signal<Difference | null>(null);
/** The numbers of A, where it is not the mask itself, and of B. */
export const numbersOfA = signal<Numbers | null>(null);
export const numbersOfB = signal<Numbers | null>(null);
export const comparing = signal<"no" | "loading" | "counting" | "yes">("no");

const STEP_MS = 10;

let book: DifferenceBook | null = null;
let compared: { a: Layers | null; b: Layers; layer: LayerName } | null = null;
let of: Layers | null = null;
let measured: { book: MeasureBook; into: Signal<Numbers | null> }[] = [];
let held = new Map<string, Layers>();
let round = 0;
let timer: ReturnType<typeof setTimeout> | undefined;
let asked = false;

/** Of the findings what is lesion; of the lungs every label. */
function countedLabels(layer: LayerName): Uint8Array {
  const table = new Uint8Array(256);
  if (layer === "anatomy") return table.fill(1, 1);
  for (const label of state.reading.value?.label_set.labels ?? []) if (!label.is_exclusion) table[label.value] = 1;
  return table;
}

/** What may be compared: what the server offers, the versions of the lineage, the beginning. */
async function findChoices(desk: Desk): Promise<void> {
  if (asked) return;
  asked = true;
  const offered: Choice[] = [...(state.reading.value?.comparable ?? [])];
  try {
    const { versions } = await desk.session.api.history();
    for (const version of [...versions].reverse()) {
      const name = `version:${version.id}`;
      if (!offered.some((choice) => choice.state === name)) offered.push({ state: name, label: `${version.who}, v${version.number} (${version.reason})` });
    }
  } catch {
    // Without the history there is still the beginning.
    asked = false;
  }
  choices.value = [...offered, BEGUN];
}

async function layersOf(desk: Desk, name: string): Promise<Layers> {
  const layers = held.get(name) ?? (await readContainer(await desk.session.api.stateMask(name))).layers;
  // The two that are compared, and no more.
  held = new Map([...held, [name, layers] as const].filter(([other]) => other === chosen.value.a || other === chosen.value.b));
  return layers;
}

/** Compares what is given, and for the rest what was compared before; the picture shows the three classes. */
export async function compare(desk: Desk, wanted: Partial<{ a: string; b: string; layer: LayerName }>): Promise<void> {
  const mine = ++round;
  chosen.value = { ...chosen.value, b: chosen.value.b ?? BEGUN.state, ...wanted };
  comparing.value = "loading";
  void findChoices(desk);
  try {
    const { a, b, layer } = chosen.value;
    const [inA, inB] = [a === NOW ? null : await layersOf(desk, a), await layersOf(desk, b!)];
    if (mine !== round || !desk.session.layers) return;
    compared = { a: inA, b: inB, layer };
    display.shown.value = { kind: "difference", layer, a: inA, b: inB, counted: countedLabels(layer) };
    begin(desk);
  } catch (error) {
    if (mine !== round) return;
    stop();
    state.notice.value = `The states were not loaded: ${error instanceof Refused ? error.message : "the server cannot be reached."}`;
  }
}

function begin(desk: Desk): void {
  const { a, b, layer } = compared!;
  of = desk.session.layers;
  book = new DifferenceBook((a ?? of!)[layer], b[layer], countedLabels(layer));
  const { label_set, scan } = state.reading.value!;
  const measuring = (layers: Layers): MeasureBook =>
    new MeasureBook(layers, usesOf(label_set), scan.voxel_volume_ml, (z) => (scan.has_hu ? (desk.session.hu[z] ?? null) : null));
  numbersOfA.value = numbersOfB.value = null;
  measured = [...(a ? [{ book: measuring(a), into: numbersOfA }] : []), { book: measuring(b), into: numbersOfB }];
  comparing.value = "counting";
  soon(desk, 0);
}

function soon(desk: Desk, ms: number): void {
  clearTimeout(timer);
  timer = setTimeout(() => count(desk), ms);
}

function count(desk: Desk): void {
  if (!book) return;
  if (!book.refresh(STEP_MS)) return soon(desk, 4);
  difference.value = book.result();
  display.disputedSlices.value = difference.value.disputed;
  comparing.value = "yes";
  const [next] = measured;
  if (!next) return;
  // A state that stays as it is is measured once, when the scan is there.
  if (state.loadedSlices.peek() < desk.session.layers!.findings.shapeZyx[0]) return soon(desk, 400);
  if (!next.book.refresh(STEP_MS)) return soon(desk, 4);
  next.into.value = next.book.numbers();
  measured.shift();
  if (measured.length) soon(desk, 4);
}

export function stop(): void {
  round++;
  clearTimeout(timer);
  book = compared = of = null;
  measured = [];
  held.clear();
  difference.value = numbersOfA.value = numbersOfB.value = null;
  comparing.value = "no";
  display.disputedSlices.value = new Uint8Array(0);
  if (display.shown.value.kind === "difference") display.shown.value = { kind: "mask" };
}

async function toggle(desk: Desk): Promise<void> {
  if (comparing.value !== "no") return stop();
  const mine = round;
  await findChoices(desk);
  if (mine !== round) return;
  const there = (name: string | null): boolean => choices.value.some((choice) => choice.state === name);
  const { a, b } = chosen.value;
  await compare(desk, { a: there(a) ? a : NOW, b: there(b) ? b! : choices.value[0].state });
}

/** Reading goes from head to feet: so do the jumps. */
export function nextDifference(desk: Desk): void {
  if (!difference.value) return void toggle(desk);
  const z = nextMarked(difference.value.disputed, state.slices.value.axial, -desk.grid!.planes.axial.ahead);
  if (z === null) state.notice.value = "The two states agree on every slice.";
  else desk.showSlice("axial", z);
}

export function worstDifference(desk: Desk): void {
  if (!difference.value) return void toggle(desk);
  const z = book?.worst() ?? null;
  if (z === null) state.notice.value = "The two states agree on every slice.";
  else desk.showSlice("axial", z);
}

export function watchDifference(desk: Desk): void {
  desk.maskWatchers.add((layer, slices) => {
    if (!compared || !book || compared.a || layer !== compared.layer) return;
    if (slices === null || of !== desk.session.layers) return begin(desk);
    slices.forEach((z) => book!.touch(z));
    soon(desk, desk.session.editor?.painting ? 160 : 0);
  });
  // Something else is shown now: the comparison is over.
  display.shown.subscribe((shown) => {
    if (shown.kind !== "difference" && book) stop();
  });
}

onKey("difference", (desk) => void toggle(desk));
onKey("next_difference", nextDifference);
onKey("worst_difference", worstDifference);
