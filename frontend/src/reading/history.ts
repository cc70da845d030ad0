/** What the history panel shows and does: versions, the film, restore, branches. */
import { signal } from "@preact/signals";
import type { Branch, HistoryStroke, MaskHistory, StoredStroke } from "../api/types";
import * as display from "../display";
import { fromBase64 } from "../edits/bytes";
import { readContainer } from "../edits/container";
import { decodeDelta, type SliceRuns } from "../edits/delta";
import { Film, type Frame } from "../edits/film";
import { emptyLayers, type LayerName, type Shape } from "../edits/layers";
import { mergeStrokes } from "../edits/merge";
import * as state from "../state";
import type { Desk } from "./desk";

export const history = signal<MaskHistory | null>(null);
export const branches = signal<readonly Branch[]>([]);
/** The film as it stands: after how many strokes of how many; null while none is shown. */
export const film = signal<{ at: number; of: number } | null>(null);
export const filmLoading = signal(false);
export const playing = signal(false);
export const busy = signal<string | null>(null);

let reel: Film | null = null;

const wrong = (what: string) => (error: Error): void => {
  state.notice.value = `${what}: ${error.message}`;
};

/** Asks the server anew; what was there stays until the answer. */
export async function loadHistory(desk: Desk): Promise<void> {
  await Promise.all([
    desk.session.api.history().then((said) => (history.value = said)),
    desk.session.api.branches().then((said) => (branches.value = said)),
  ]).catch(wrong("The history was not loaded"));
}

async function strokesOf(desk: Desk, said: MaskHistory): Promise<StoredStroke[]> {
  const all: StoredStroke[] = [];
  for (const chapter of said.chapters) {
    for (let after = 0; ; ) {
      const page = await desk.session.api.chapterStrokes(chapter.mask, after);
      if (!page.length) break;
      all.push(...page);
      after = page[page.length - 1].stroke_sequence;
    }
  }
  return all;
}

/** Takes the film out: the first state and every stroke since, through all hands. It begins at its end. */
export async function openFilm(desk: Desk): Promise<void> {
  filmLoading.value = true;
  try {
    await desk.session.settled();
    await loadHistory(desk);
    const said = history.value;
    if (!said) return;
    const shape = state.reading.value!.scan.shape_zyx as Shape;
    const first = said.chapters[0].base_version;
    const [base, strokes] = await Promise.all([
      first ? desk.session.api.stateMask(`version:${first}`).then(readContainer) : { layers: emptyLayers(shape) },
      strokesOf(desk, said),
    ]);
    const frames: Frame[] = strokes.map((stroke) => {
      let delta: SliceRuns[] | null = null;
      return { layer: stroke.layer as LayerName, delta: () => (delta ??= decodeDelta(fromBase64(stroke.payload), shape)) };
    });
    reel = new Film(base.layers, frames);
    reel.seek(frames.length);
    show(desk);
  } catch (error) {
    wrong("The film was not loaded")(error as Error);
  } finally {
    filmLoading.value = false;
  }
}

export function strokeAt(position: number): HistoryStroke | null {
  return history.value?.strokes[position - 1] ?? null;
}

function show(desk: Desk): void {
  if (!reel) return;
  film.value = { at: reel.position, of: reel.length };
  const stroke = strokeAt(reel.position);
  const title = stroke ? `Stroke ${reel.position} of ${reel.length}, ${stroke.tool}, ${stroke.who}` : "As it began";
  display.shown.value = { kind: "film", layers: reel.layers, title };
  desk.restyle();
}

export function seek(desk: Desk, position: number): void {
  if (!reel) return;
  const changed = reel.seek(position);
  for (const layer of ["anatomy", "findings"] as const) if (changed[layer].length) desk.stage?.maskChanged(layer, changed[layer]);
  const slice = reel.sliceOf(reel.position);
  if (slice !== null) desk.showSlice("axial", slice);
  show(desk);
}

const FRAME_MS = 120;

export function play(desk: Desk): void {
  playing.value = !playing.value;
  if (!playing.value || !reel) return;
  if (reel.position === reel.length) seek(desk, 0);
  const step = (): void => {
    if (!playing.value || !reel) return;
    if (reel.position >= reel.length) return void (playing.value = false);
    seek(desk, reel.position + 1);
    setTimeout(step, FRAME_MS);
  };
  step();
}

export function closeFilm(desk: Desk): void {
  playing.value = false;
  reel = null;
  film.value = null;
  if (display.shown.value.kind === "film") display.shown.value = { kind: "mask" };
  desk.stage?.maskChanged("anatomy", null);
  desk.stage?.maskChanged("findings", null);
  desk.restyle();
}

/** The name of the shown state for the server: strokes of this mask by number, earlier hands by their version. */
export function stateOfFilm(): string | null {
  const said = history.value;
  if (!reel || !said) return null;
  const own = said.chapters.find((chapter) => chapter.own)!;
  const stroke = strokeAt(reel.position);
  if (stroke?.mask === own.mask) return `stroke:${stroke.stroke_sequence}`;
  const before = said.strokes.filter((one) => one.mask !== own.mask).length;
  return reel.position === before ? "stroke:0" : null;
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

const decoded = (branch: Branch): { layer: LayerName; delta: SliceRuns[] }[] =>
  branch.strokes.map((stroke) => ({
    layer: stroke.layer,
    delta: decodeDelta(fromBase64(stroke.payload), state.reading.value!.scan.shape_zyx),
  }));

/** What merging the branch would change, drawn over the mask; a second time takes it away. */
export function lookAt(desk: Desk, branch: Branch): void {
  if (display.preview.value || !desk.session.layers) return void ((display.preview.value = null), desk.restyle());
  const marks = emptyLayers(state.reading.value!.scan.shape_zyx as Shape).findings;
  let first: number | null = null;
  for (const { delta } of decoded(branch)) {
    for (const { z, runs } of delta) {
      first ??= z;
      for (const run of runs) marks.writable(z).fill(1, run.start, run.start + run.length);
    }
  }
  display.preview.value = { layer: marks, colour: "#56B4E9" };
  if (first !== null) desk.showSlice("axial", first);
  desk.restyle();
}

export async function merge(desk: Desk, branch: Branch): Promise<void> {
  const { layers, editor } = desk.session;
  if (!layers || !editor || !desk.mayEdit) return;
  display.preview.value = null;
  busy.value = "Merging";
  try {
    const { deltas, conflicts } = mergeStrokes(layers, decoded(branch));
    const strokes = Object.entries(deltas).flatMap(([layer, delta]) => desk.perform(layer as LayerName, "merge", "none", delta));
    const ids = strokes.map(({ id }) => id);
    await desk.session.settled();
    await desk.session.api.settleBranch(branch, "merged", ids);
    if (conflicts) state.notice.value = `${conflicts} voxels had been changed here since: they stay as they are.`;
    await loadHistory(desk);
  } catch (error) {
    wrong("Not merged")(error as Error);
  } finally {
    busy.value = null;
  }
}

export async function setAside(desk: Desk, branch: Branch): Promise<void> {
  display.preview.value = null;
  await desk.session.api.settleBranch(branch, "set_aside", []).catch(wrong("Not set aside"));
  await loadHistory(desk);
}
