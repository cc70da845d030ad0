/** The mask beside another state of it: which state, the three classes and their numbers, from slice to slice. */
import { signal } from "@preact/signals";
import { Refused } from "../api/client";
import { DifferenceBook, nextMarked, type Difference } from "../edits/compare";
import { readContainer } from "../edits/container";
import type { Layers } from "../edits/layers";
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

/** As the reader began: there for everyone, whatever else may be laid beside. */
const BEGUN: Choice = { state: "stroke:0", label: "As this reading began" };

export const choices = signal<readonly Choice[]>([BEGUN]);
export const chosen = signal<string | null>(null);
export const difference = signal<Difference | null>(null);
/** The numbers of the other state. */
export const otherNumbers = signal<Numbers | null>(null);
export const comparing = signal<"no" | "loading" | "counting" | "yes">("no");

const STEP_MS = 10;

let book: DifferenceBook | null = null;
let other: Layers | null = null;
let of: Layers | null = null;
let round = 0;
let timer: ReturnType<typeof setTimeout> | undefined;
let asked = false;

function countedLabels(): Uint8Array {
  const table = new Uint8Array(256);
  for (const label of state.reading.value?.label_set.labels ?? []) if (!label.is_exclusion) table[label.value] = 1;
  return table;
}

/** What may be laid beside: what the server offers, the versions of the lineage, the beginning. */
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

/** Lays a state beside the mask; the picture shows the three classes. */
export async function compareWith(desk: Desk, wanted: string): Promise<void> {
  const mine = ++round;
  chosen.value = wanted;
  comparing.value = "loading";
  try {
    const { layers } = await readContainer(await desk.session.api.stateMask(wanted));
    if (mine !== round || !desk.session.layers) return;
    other = layers;
    const label = choices.value.find((choice) => choice.state === wanted)?.label ?? "another state";
    display.shown.value = { kind: "difference", other, title: label, counted: countedLabels() };
    begin(desk);
  } catch (error) {
    if (mine !== round) return;
    stop();
    state.notice.value = `The other state was not loaded: ${error instanceof Refused ? error.message : "the server cannot be reached."}`;
  }
}

function begin(desk: Desk): void {
  of = desk.session.layers;
  book = new DifferenceBook(of!.findings, other!.findings, countedLabels());
  const { label_set, scan } = state.reading.value!;
  measured = new MeasureBook(other!, usesOf(label_set), scan.voxel_volume_ml, (z) => (scan.has_hu ? (desk.session.hu[z] ?? null) : null));
  otherNumbers.value = null;
  comparing.value = "counting";
  soon(desk, 0);
}

let measured: MeasureBook | null = null;

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
  if (!measured) return;
  // The other state stays as it is: measured once, when the scan is there.
  if (state.loadedSlices.peek() < desk.session.layers!.findings.shapeZyx[0]) return soon(desk, 400);
  if (!measured.refresh(STEP_MS)) return soon(desk, 4);
  otherNumbers.value = measured.numbers();
  measured = null;
}

export function stop(): void {
  round++;
  clearTimeout(timer);
  book = other = of = measured = null;
  difference.value = otherNumbers.value = null;
  comparing.value = "no";
  display.disputedSlices.value = new Uint8Array(0);
  if (display.shown.value.kind === "difference") display.shown.value = { kind: "mask" };
}

async function toggle(desk: Desk): Promise<void> {
  if (comparing.value !== "no") return stop();
  const mine = round;
  await findChoices(desk);
  if (mine === round) await compareWith(desk, choices.value.find((choice) => choice.state === chosen.value)?.state ?? choices.value[0].state);
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
    if (layer !== "findings" || !book) return;
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
