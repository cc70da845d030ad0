/** The list of lesions: the largest first; go there, delete, relabel, keep only this one. */
import { useSignal } from "@preact/signals";
import { DeltaDraft } from "../edits/draft";
import type { SliceRuns } from "../edits/delta";
import type { Operation } from "../edits/operation";
import type { Component } from "../edits/regions/components";
import { shownKeys } from "../keyboard";
import type { Desk } from "../reading/desk";
import { countingLesions, currentLesion, goToLesion, lesions, LISTED_MOST, othersLike } from "../reading/lesions";
import * as state from "../state";
import { setAll } from "../tools/islands";
import { inVolume, volume } from "./figures";
import { volumeUnit } from "../units";
import "./lesions.css";

function* set(desk: Desk, chosen: readonly Component[], value: number): Operation<SliceRuns[]> {
  const layer = desk.session.layers!.findings;
  const draft = new DeltaDraft(layer, desk.permit("findings"));
  yield* setAll(draft, chosen, layer, value);
  return yield* draft.deltas();
}

/** What the list knows may be older than the mask: a component is changed only while the list is fresh. */
function change(desk: Desk, tool: string, title: string, chosen: readonly Component[], value: number): void {
  if (countingLesions.value) return void (state.notice.value = "The lesions are being counted: once more in a moment.");
  void desk.operate(title, "findings", tool, "none", set(desk, chosen, value));
}

export function Lesions({ desk }: { desk: Desk }) {
  const all = lesions.value;
  const labels = new Map(state.reading.value?.label_set.labels.map((label) => [label.value, label]));
  const open = useSignal(-1);
  const move = (event: KeyboardEvent, index: number): void => {
    const to = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    (event.currentTarget as HTMLElement).closest("ol")?.querySelectorAll<HTMLElement>(".lesion-go")[to]?.focus();
  };
  return (
    <section class="lesions" aria-label="Lesions">
      <h2>
        Lesions <span class="num dim">{countingLesions.value ? "…" : all.length === LISTED_MOST ? `${LISTED_MOST} largest` : all.length}</span>
      </h2>
      {!all.length && !countingLesions.value && (
        <p class="dim">No lesion in this mask yet. What is painted with a label appears here, piece by piece, the largest first.</p>
      )}
      {all.length > 0 && (
        <p class="lesion-heads dim" aria-hidden="true">
          <span />
          <span>{volumeUnit}</span>
          <span>where</span>
          <span>slices</span>
        </p>
      )}
      <ol>
        {all.map((lesion, index) => (
          <li key={`${lesion.label}:${lesion.at.join()}`} class={index === currentLesion.value ? "current" : ""}>
            <button class="lesion-go" title={`${volume(lesion.volumeMl)}, ${lesion.place} third, slices ${lesion.component.zFirst + 1} to ${lesion.component.zLast + 1}${lesion.meanHu === null ? "" : `, mean ${Math.round(lesion.meanHu)} HU`}`} tabIndex={index === Math.max(0, currentLesion.value) ? 0 : -1} onClick={() => goToLesion(desk, index)} onKeyDown={(event) => move(event, index)}>
              <span class="label-swatch" style={{ "--colour": labels.get(lesion.label)?.colour }} title={labels.get(lesion.label)?.name} />
              <b class="num lesion-volume">{inVolume(lesion.volumeMl)}</b>
              <span class="ellipsis">{lesion.place}</span>
              <span class="num dim lesion-slices">
                {lesion.component.zFirst + 1}–{lesion.component.zLast + 1}
              </span>
            </button>
            <button class="lesion-more" aria-expanded={open.value === index} aria-label="What to do with it" disabled={!desk.mayEdit} onClick={() => (open.value = open.value === index ? -1 : index)}>
              ⋯
            </button>
            {open.value === index && (
              <div class="lesion-acts">
                <button onClick={() => change(desk, "delete_lesion", "Deleting a lesion", [lesion.component], 0)}>Delete</button>
                <button title="Every other piece of this label goes, also those that are too small to be listed" onClick={() => change(desk, "keep", "Keeping one lesion", othersLike(lesion), 0)}>
                  Keep only this
                </button>
                <select
                  aria-label="Relabel it"
                  value=""
                  onChange={(event) => change(desk, "relabel", "Relabelling", [lesion.component], Number(event.currentTarget.value))}
                >
                  <option value="">Relabel …</option>
                  {[...labels.values()]
                    .filter((label) => label.value !== lesion.label)
                    .map((label) => (
                      <option key={label.value} value={String(label.value)}>
                        {label.name}
                        {label.is_exclusion ? " (exclusion)" : ""}
                      </option>
                    ))}
                </select>
              </div>
            )}
          </li>
        ))}
      </ol>
      <p class="dim">
        {shownKeys("next_lesion")} next, {shownKeys("previous_lesion")} previous
      </p>
    </section>
  );
}
