/** What the history panel shows and does: the list of strokes and versions, branches. The film is in film.ts. */
import { signal } from "@preact/signals";
import type { Branch, MaskHistory } from "../api/types";
import * as display from "../display";
import { fromBase64 } from "../edits/bytes";
import { decodeDelta, type SliceRuns } from "../edits/delta";
import { emptyLayers, type LayerName, type Shape } from "../edits/layers";
import { mergeStrokes } from "../edits/merge";
import * as state from "../state";
import type { Desk } from "./desk";

export const history = signal<MaskHistory | null>(null);
export const branches = signal<readonly Branch[]>([]);
export const busy = signal<string | null>(null);

export const wrong = (what: string) => (error: Error): void => {
  state.notice.value = `${what}: ${error.message}`;
};

/** Asks the server anew; what was there stays until the answer. */
export async function loadHistory(desk: Desk): Promise<void> {
  await Promise.all([
    desk.session.api.history().then((said) => (history.value = said)),
    desk.session.api.branches().then((said) => (branches.value = said)),
  ]).catch(wrong("The history was not loaded"));
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
      for (let n = 0; n < runs.length; n += 3) marks.writable(z).fill(1, runs[n], runs[n] + runs[n + 1]);
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
    const ids: string[] = [];
    for (const [layer, delta] of Object.entries(deltas)) {
      const made = desk.perform(layer as LayerName, "merge", "none", delta);
      // Why not is said by then; a branch counts as merged only when all of it is in.
      if (delta.length && !made.length) return;
      ids.push(...made.map(({ id }) => id));
    }
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
