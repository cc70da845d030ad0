/** What an adjudicator settles: the readings side by side without names, why they are disputed, and what to begin from. */
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Settles } from "../api/types";
import { shownKeys } from "../keyboard";
import type { Desk } from "../reading/desk";
import { openComments } from "../reading/comments";
import { compare, comparing, stop } from "../reading/difference";
import { differing, openForms } from "../reading/forms";
import { restore } from "../reading/film";
import { inWords } from "../reading/verdicts";
import * as state from "../state";
import { fixed, volume } from "./figures";

const RULES: Record<string, string> = { intersection: "what all marked", union: "what any marked", majority: "what most marked", staple: "STAPLE of all" };
const start = signal("");
/** The readings are laid side by side once, when the case is opened. */
let laid = false;

export function Settle({ desk }: { desk: Desk }) {
  const settles = state.reading.value?.settles;
  const ready = !!settles && state.writing.value.kind === "writing" && comparing.value === "no";
  useEffect(() => {
    if (!ready || laid || settles.candidates.length < 2) return;
    laid = true;
    void between(desk, settles);
  }, [ready]);
  if (!settles) return null;
  const pair = settles.pairs[0];
  const open = comparing.value !== "no";
  const said = settles.comments?.length ?? 0;
  return (
    <section class="overlay-panel settle" aria-label="Readings to settle">
      <div class="side-heading">
        <h2>To settle</h2>
        <button class="compact" aria-pressed={open} onClick={() => (open ? stop() : void between(desk, settles))}>
          {open ? "Back to the mask" : "A against B"}
        </button>
      </div>
      <table class="pair">
        <thead>
          <tr>
            <th scope="col">
              Dice <b class="num">{pair ? (pair.dice === null ? "none" : fixed(pair.dice, 3)) : "–"}</b>
            </th>
            {settles.candidates.map(({ letter }) => (
              <th scope="col" key={letter} data-letter={letter}>
                {letter}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">Extent</th>
            {settles.candidates.map(({ letter, extent_percent }) => (
              <td class="num" key={letter}>
                {fixed(extent_percent, 2)} %
              </td>
            ))}
          </tr>
          <tr>
            <th scope="row">Lesion</th>
            {settles.candidates.map(({ letter, lesion_volume_ml }) => (
              <td class="num" key={letter}>
                {volume(lesion_volume_ml)}
              </td>
            ))}
          </tr>
        </tbody>
      </table>
      <ul class="reasons">
        {settles.reasons.map((reason) => (
          <li key={reason}>{reason}</li>
        ))}
      </ul>
      {pair && pair.contradicting_slices.length > 0 && (
        <p class="dim num">
          Verdicts contradict on slices {inWords(pair.contradicting_slices)}.{" "}
          <button class="compact" onClick={() => desk.showSlice("axial", pair.contradicting_slices[0])}>
            Go
          </button>
        </p>
      )}
      {(differing.value || said > 0) && (
        <p class="settle-more num">
          {differing.value && (
            <button class="compact" title={`The scores side by side (${shownKeys("scores")})`} onClick={openForms}>
              {differing.value.differ ? `Scores differ in ${differing.value.differ} of ${differing.value.of}` : "Scores all alike"}
            </button>
          )}
          {said > 0 && (
            <button class="compact" title={`What was said in the readings (${shownKeys("comments")})`} onClick={openComments}>
              {said} {said === 1 ? "comment" : "comments"}
            </button>
          )}
        </p>
      )}
      <div class="start-from">
        <select aria-label="Start from" value={start.value} onChange={(event) => (start.value = event.currentTarget.value)}>
          <option value="">Start from …</option>
          {settles.candidates.map(({ letter, state: name }) => (
            <option key={name} value={name}>
              Reading {letter}
            </option>
          ))}
          {settles.consensus.map(({ rule, state: name }) => (
            <option key={name} value={name}>
              {RULES[rule] ?? rule}
            </option>
          ))}
        </select>
        <button disabled={!start.value || !state.mayPaint.value} title="Puts it in the mask's place; undo takes it back" onClick={() => void begin(desk)}>
          Start
        </button>
      </div>
    </section>
  );
}

function between(desk: Desk, settles: Settles): Promise<void> {
  const [a, b] = settles.candidates;
  return compare(desk, { a: a.state, b: b.state });
}

async function begin(desk: Desk): Promise<void> {
  const wanted = start.value;
  // At once: whoever chooses the next one meanwhile keeps their choice.
  start.value = "";
  stop();
  await restore(desk, wanted);
}
