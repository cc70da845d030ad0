/**
 * Strokes that were kept beside a mask, brought into it: voxel by voxel and in their order, the new label where the
 * mask still holds what the stroke found there. Elsewhere the mask stays, and the voxel counts as a conflict.
 */
import { unpackRuns, type SliceRuns } from "./delta";
import { DeltaDraft } from "./draft";
import type { LayerName, Layers } from "./layers";

export interface Merged {
  deltas: Partial<Record<LayerName, SliceRuns[]>>;
  conflicts: number;
}

export function mergeStrokes(layers: Layers, strokes: readonly { layer: LayerName; delta: readonly SliceRuns[] }[]): Merged {
  const drafts: Partial<Record<LayerName, DeltaDraft>> = {};
  let conflicts = 0;
  for (const { layer, delta } of strokes) {
    const draft = (drafts[layer] ??= new DeltaDraft(layers[layer]));
    for (const { z, runs } of delta) {
      for (const run of unpackRuns(runs)) {
        for (let i = run.start; i < run.start + run.length; i++) {
          const held = draft.at(z, i);
          if (held === run.old) draft.set(z, i, run.new);
          else if (held !== run.new) conflicts++;
        }
      }
    }
  }
  const deltas: Merged["deltas"] = {};
  for (const layer of ["anatomy", "findings"] as const) {
    const delta = drafts[layer]?.delta();
    if (delta?.length) deltas[layer] = delta;
  }
  return { deltas, conflicts };
}
