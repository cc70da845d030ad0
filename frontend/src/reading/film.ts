/** The film on the screen: opened at its end, thrown to any stroke, played; and a past state made the present one. */
import { signal } from "@preact/signals";
import type { HistoryStroke, MaskHistory } from "../api/types";
import * as display from "../display";
import { readContainer } from "../edits/container";
import { Film, nothingChanged, type Changed } from "../edits/film";
import { carryOut } from "../edits/operation";
import { Reel } from "../edits/reel";
import { nextOf, peopleOf, sittingsOf, type Sitting } from "../edits/sittings";
import type { Desk } from "./desk";
import { busy, history, loadHistory, wrong } from "./history";

/** After how many strokes of how many the film is, or will be once it is there; null while none is shown. */
export const film = signal<{ at: number; of: number; there: boolean } | null>(null);
export const filmLoading = signal(false);
export const playing = signal(false);
/** Who worked when, in the film's order. */
export const sittings = signal<readonly Sitting[]>([]);
/** Whose strokes are gone through; null: everyone's. */
export const whose = signal<string | null>(null);

/** Voxels that are gone through in a millisecond; what a stroke, and what a whole state costs to fetch. */
const VOXELS_PER_MS = 1.5e5;
const FETCH_MS_PER_STROKE = 0.3;
const STATE_MS = 350;

interface Shown {
  film: Film;
  reel: Reel;
  said: MaskHistory;
  strokes: readonly HistoryStroke[];
  /** Where the reader wants to be. */
  wanted: number;
  under: Promise<void> | null;
}

let on: Shown | null = null;
/** Which opening is under way: one that was closed meanwhile shows nothing any more. */
let opening = 0;

/** Takes the film out: every stroke since the first state, through all hands. It begins at its end, with the mask as it is now. */
export async function openFilm(desk: Desk): Promise<void> {
  const mine = ++opening;
  filmLoading.value = true;
  try {
    await desk.session.settled();
    const { header, layers } = await readContainer(await desk.session.api.stateMask("head"));
    await loadHistory(desk);
    const said = history.value;
    if (!said || mine !== opening) return;
    const own = said.chapters.find((chapter) => chapter.own)!.mask;
    // What came in between is not in the state.
    const strokes = said.strokes.filter(({ mask, stroke_sequence }) => mask !== own || stroke_sequence <= header.stroke_sequence);
    const reel = new Reel(strokes, (mask, after, limit) => desk.session.api.chapterStrokes(mask, after, limit));
    const shown = { film: new Film(layers, strokes.length, strokes.map(({ voxel_count }) => voxel_count)), reel, said, strokes, wanted: strokes.length, under: null };
    on = shown;
    sittings.value = sittingsOf(strokes);
    if (!peopleOf(sittings.value).includes(whose.value ?? "")) whose.value = null;
    show(desk, shown);
    void reel.fill(() => on === shown).catch(() => undefined);
  } catch (error) {
    wrong("The film was not loaded")(error as Error);
  } finally {
    filmLoading.value = false;
  }
}

export function strokeAt(position: number): HistoryStroke | null {
  return on?.strokes[position - 1] ?? null;
}

function show(desk: Desk, { film: { layers, position, length } }: Shown): void {
  film.value = { at: position, of: length, there: true };
  const stroke = strokeAt(position);
  const title = stroke ? `Stroke ${position} of ${length}, ${stroke.tool}, ${stroke.who}` : "As it began";
  display.shown.value = { kind: "film", layers, title };
  desk.restyle();
}

/** Goes to the state after `position` strokes; asked for another meanwhile, goes on to that one. */
export function seek(desk: Desk, position: number): Promise<void> {
  if (!on) return Promise.resolve();
  const shown = on;
  shown.wanted = Math.max(0, Math.min(shown.film.length, Math.round(position)));
  film.value = { at: shown.wanted, of: shown.film.length, there: false };
  shown.under ??= go(desk, shown)
    .catch((error: Error) => {
      if (on !== shown) return;
      closeFilm(desk);
      wrong("The film broke off")(error);
    })
    .finally(() => (shown.under = null));
  return shown.under;
}

async function go(desk: Desk, shown: Shown): Promise<void> {
  const { film: moving, reel } = shown;
  do {
    const { wanted } = shown;
    const changed = nothingChanged();
    const fetched = await reach(desk, shown, wanted, changed);
    if (moving.needsStrokeOf(wanted)) await reel.need(wanted - 1);
    const slice = await carryOut(moving.sliceOf(wanted, (n) => reel.frame(n)));
    if (on !== shown) return;
    for (const layer of ["anatomy", "findings"] as const) if (changed[layer].size) desk.stage?.maskChanged(layer, [...changed[layer]]);
    if (slice !== null) desk.showSlice("axial", slice);
    if (shown.wanted === wanted) show(desk, shown);
    if (fetched) await carryOut(moving.remember());
  } while (moving.position !== shown.wanted);
}

/** By the shortest way: stroke by stroke, from a mark left before, or to the state as the server has it; whether that was it. */
async function reach(desk: Desk, shown: Shown, wanted: number, changed: Changed): Promise<boolean> {
  const { film: moving, reel } = shown;
  const { from, cost } = moving.wayTo(wanted);
  const named = nameOf(shown, wanted);
  if (named && cost / VOXELS_PER_MS + reel.missing(from, wanted) * FETCH_MS_PER_STROKE > STATE_MS) {
    const { layers } = await readContainer(await desk.session.api.stateMask(named));
    moving.replace(layers, wanted, changed);
    return true;
  }
  if (from !== moving.position) await carryOut(moving.goBack(from, changed));
  while (moving.position !== wanted && on === shown) {
    const backwards = wanted < moving.position;
    const n = backwards ? moving.position - 1 : moving.position;
    await reel.need(n);
    const { first, end } = reel.rangeOf(n);
    await carryOut(moving.travel(backwards ? Math.max(first, wanted) : Math.min(end, wanted), (at) => reel.frame(at), changed));
  }
  return false;
}

/** Where the next stroke of whoever is gone through stands, forth or back; null where there is none. */
export function nextStroke(by: 1 | -1): number | null {
  return on ? nextOf(on.strokes, film.value?.at ?? on.wanted, by, whose.value) : null;
}

const FRAME_MS = 120;

export function play(desk: Desk): void {
  playing.value = !playing.value;
  if (playing.value) void roll(desk);
}

async function roll(desk: Desk): Promise<void> {
  if (nextStroke(1) === null) await seek(desk, 0);
  for (let to = nextStroke(1); playing.value && to !== null; to = nextStroke(1)) {
    const next = new Promise((go) => setTimeout(go, FRAME_MS));
    await seek(desk, to);
    await next;
  }
  playing.value = false;
}

export function closeFilm(desk: Desk): void {
  playing.value = false;
  opening++;
  on = null;
  film.value = null;
  if (display.shown.value.kind === "film") display.shown.value = { kind: "mask" };
  desk.stage?.maskChanged("anatomy", null);
  desk.stage?.maskChanged("findings", null);
  desk.restyle();
}

/** The name of a state for the server: strokes of this mask by number, what was before by the version that it began with. */
function nameOf({ strokes, said }: Shown, position: number): string | null {
  const own = said.chapters.find((chapter) => chapter.own)!;
  const stroke = strokes[position - 1];
  if (stroke?.mask === own.mask) return `stroke:${stroke.stroke_sequence}`;
  return position === strokes.findLastIndex(({ mask }) => mask !== own.mask) + 1 ? "stroke:0" : null;
}

/** The name of the shown state, where it can be restored. */
export function stateOfFilm(): string | null {
  return on && film.value?.there ? nameOf(on, on.film.position) : null;
}

export async function restore(desk: Desk, wanted: string): Promise<void> {
  busy.value = "Restoring";
  try {
    await desk.session.restore(wanted);
    closeFilm(desk);
    await loadHistory(desk);
  } catch (error) {
    wrong("Not restored")(error as Error);
  } finally {
    busy.value = null;
  }
}
