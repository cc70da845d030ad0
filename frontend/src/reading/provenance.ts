/** Who set each voxel: colours over the picture, and the story of the voxel under the pointer. */
import { effect, signal } from "@preact/signals";
import { Refused } from "../api/client";
import type { Provenance } from "../api/types";
import { readContainer, type ContainerHeader } from "../edits/container";
import type { LayerName } from "../edits/layers";
import * as display from "../display";
import * as state from "../state";
import { onKey } from "./acts";
import type { Desk } from "./desk";

/** The voxel last asked about, and what happened to it, oldest first; null before the first. */
export const story = signal<(Provenance & { layer: LayerName }) | null>(null);
export const tracing = signal(false);

const REST_MS = 250;
const AFTER_STROKE_MS = 600;

let round = 0;
let stale = false;

async function trace(desk: Desk, layer: LayerName): Promise<void> {
  const mine = ++round;
  stale = false;
  tracing.value = true;
  try {
    const { header, layers } = await readContainer(await desk.session.api.provenanceMap(layer));
    if (mine !== round) return;
    const { authors } = header as ContainerHeader & { authors: display.Author[] };
    display.shown.value = { kind: "provenance", layer, map: layers[layer], authors };
  } catch (error) {
    if (mine === round) state.notice.value = `The provenance was not loaded: ${error instanceof Refused ? error.message : "the server cannot be reached."}`;
  } finally {
    if (mine === round) tracing.value = false;
  }
}

export function stopTracing(): void {
  round++;
  tracing.value = false;
  story.value = null;
  if (display.shown.value.kind === "provenance") display.shown.value = { kind: "mask" };
}

async function ask(desk: Desk, layer: LayerName, voxel: [number, number, number]): Promise<void> {
  const told = story.peek();
  if (told?.layer === layer && told.voxel.join() === voxel.join() && !stale) return;
  const mine = round;
  const found = await desk.session.api.provenanceAt(layer, voxel).catch(() => null);
  const at = state.pointer.peek()?.voxel;
  // The pointer may have gone on meanwhile.
  if (found && mine === round && (!at || at.join() === voxel.join())) story.value = { ...found, layer };
}

export function watchProvenance(desk: Desk): void {
  let rest: ReturnType<typeof setTimeout> | undefined;
  effect(() => {
    const shown = display.shown.value;
    const at = state.pointer.value;
    clearTimeout(rest);
    if (shown.kind !== "provenance" || !at) return;
    const { layer } = shown;
    const voxel = at.voxel;
    rest = setTimeout(() => void ask(desk, layer, voxel), REST_MS);
  });
  desk.maskWatchers.add((layer) => {
    const shown = display.shown.peek();
    if (shown.kind === "provenance" && shown.layer === layer) stale = true;
  });
  // What was painted belongs to its painter as soon as the server has it.
  let saved: ReturnType<typeof setTimeout> | undefined;
  effect(() => {
    const { kind } = state.saving.value;
    clearTimeout(saved);
    if (kind !== "saved") return;
    saved = setTimeout(() => {
      const shown = display.shown.peek();
      if (stale && shown.kind === "provenance") void trace(desk, shown.layer);
    }, AFTER_STROKE_MS);
  });
  // The other layer was chosen: its colours.
  effect(() => {
    const { layer } = state.target.value;
    const shown = display.shown.peek();
    if (shown.kind === "provenance" && shown.layer !== layer) void trace(desk, layer);
  });
}

onKey("provenance", (desk) => {
  if (tracing.value || display.shown.value.kind === "provenance") stopTracing();
  else void trace(desk, state.target.value.layer);
});
