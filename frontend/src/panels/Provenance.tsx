/** Whose voxels these are: the authors' colours, and the story of the voxel under the pointer. */
import { shownKeys } from "../keyboard";
import { stopTracing, story, tracing } from "../reading/provenance";
import * as display from "../display";
import * as state from "../state";

const WHAT: Record<string, string> = { draft: "drafted", import: "imported", undo: "undid", redo: "redid", restore: "restored" };

export function Provenance() {
  const shown = display.shown.value;
  if (shown.kind !== "provenance" && !tracing.value) return null;
  return (
    <section class="overlay-panel" aria-label="Provenance">
      <div class="side-heading">
        <h2>Provenance</h2>
        <button class="compact" title={`Close (${shownKeys("provenance")})`} onClick={stopTracing}>
          Close <kbd>{shownKeys("provenance")}</kbd>
        </button>
      </div>
      {shown.kind === "provenance" ? (
        <>
          <ul class="legend authors">
            {shown.authors.map((author, index) => (
              <li key={index}>
                <span class="label-swatch" style={{ "--colour": author.colour }} />
                <span class="ellipsis">{author.who}</span>
                <span class="dim">{author.stage}</span>
              </li>
            ))}
          </ul>
          <Story />
        </>
      ) : (
        <p class="dim">Asking who set each voxel</p>
      )}
    </section>
  );
}

function Story() {
  const told = story.value;
  if (!told) return <div class="story dim">Rest the pointer on a voxel: who set it, when, with what.</div>;
  const [i, j, k] = told.voxel;
  return (
    <div class="story" aria-live="polite">
      <p class="dim num">
        Voxel {i + 1}, {j + 1}, slice {k + 1}
      </p>
      {!told.events.length && <p>Nobody has touched it.</p>}
      <ol>
        {told.events.slice(-6).map((event, index) => (
          <li key={index}>
            <b>{event.who}</b> <span class="dim">{WHAT[event.what] ?? event.what.replaceAll("_", " ")}</span> {nameOf(told.layer, event.from)} → {nameOf(told.layer, event.to)}
            <span class="dim num"> {moment(event.when)}</span>
          </li>
        ))}
      </ol>
    </div>
  );
}

function nameOf(layer: string, value: number): string {
  if (!value) return "nothing";
  const reading = state.reading.value;
  const labels = layer === "findings" ? reading?.label_set.labels : reading?.anatomy_labels;
  return labels?.find((label) => label.value === value)?.name ?? `label ${value}`;
}

function moment(iso: string): string {
  const time = new Date(iso);
  return Number.isNaN(time.getTime()) ? "" : time.toLocaleString("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
}
