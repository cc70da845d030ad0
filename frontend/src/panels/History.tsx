/** History of the mask: strokes kept beside it, the film, versions. */
import { useEffect } from "preact/hooks";
import type { Branch, HistoryVersion } from "../api/types";
import * as display from "../display";
import * as state from "../state";
import type { Desk } from "../reading/desk";
import { compare, NOW } from "../reading/difference";
import { closeFilm, film, filmLoading, nextStroke, openFilm, play, playing, restore, seek, sittings, stateOfFilm, strokeAt, whose } from "../reading/film";
import { peopleOf } from "../edits/sittings";
import { branches, busy, history, loadHistory, lookAt, merge, setAside } from "../reading/history";
import { clock } from "./App";
import "./history.css";

const REASONS: Record<string, string> = { draft: "Draft", submit: "Submitted", return: "Returned", sign: "Signed", restore: "Restored" };

export function History({ desk }: { desk: Desk }) {
  const beside = state.keptBeside.value;
  useEffect(() => void loadHistory(desk), [beside]);
  useEffect(() => () => closeFilm(desk), []);
  const open = branches.value.filter((branch) => !branch.settled);
  const settled = branches.value.filter((branch) => branch.settled);
  return (
    <section class="history" aria-label="History">
      {open.length > 0 && <h2>Kept beside the mask</h2>}
      {open.map((branch) => (
        <BranchRow key={`${branch.tab}${branch.epoch}`} desk={desk} branch={branch} />
      ))}
      <h2>Film</h2>
      <FilmBar desk={desk} />
      <h2>Versions</h2>
      {history.value && !history.value.versions.length && <p class="dim">No version has been cut yet: one is cut when you sign or restore.</p>}
      <ol class="versions">
        {history.value?.versions
          .slice()
          .reverse()
          .map((version) => <VersionRow key={version.id} desk={desk} version={version} />)}
      </ol>
      {settled.map((branch) => (
        <p class="dim" key={`${branch.tab}${branch.epoch}${branch.settled!.at}`}>
          {strokes(branch.strokes.length)} of {clock(branch.from)} {branch.strokes.length === 1 ? "was" : "were"} {branch.settled!.decision === "merged" ? "merged" : "set aside"} by {branch.settled!.who}.{" "}
          <button class="compact" aria-pressed={display.preview.value !== null} onClick={() => lookAt(desk, branch)}>
            Look
          </button>
        </p>
      ))}
    </section>
  );
}

/** The slider's own keys, which the planes would take. */
function ownKeys(event: KeyboardEvent): void {
  if (/^(Home|End|PageUp|PageDown|Arrow(Left|Right|Up|Down))$/.test(event.key)) event.stopPropagation();
}

const strokes = (count: number): string => `${count} ${count === 1 ? "stroke" : "strokes"}`;

function FilmBar({ desk }: { desk: Desk }) {
  const at = film.value;
  if (!at) {
    const count = history.value?.strokes.length ?? 0;
    return (
      <p class="history-row">
        <button disabled={filmLoading.value || !history.value} onClick={() => void openFilm(desk)}>
          {filmLoading.value ? "Loading the film" : "Look at the film"}
        </button>
        <span class="num dim">{strokes(count)}</span>
      </p>
    );
  }
  const stroke = strokeAt(at.at);
  const named = stateOfFilm();
  const [back, on] = [nextStroke(-1), nextStroke(1)];
  return (
    <div class="film" aria-busy={!at.there}>
      <input
        type="range"
        min={0}
        max={at.of}
        value={at.at}
        aria-label="Stroke of the film"
        aria-valuetext={stroke ? `stroke ${at.at} of ${at.of}, ${stroke.tool} by ${stroke.who}` : "as it began"}
        onInput={(event) => void seek(desk, event.currentTarget.valueAsNumber)}
        onKeyDown={ownKeys}
      />
      <Sittings desk={desk} at={at.at} of={at.of} />
      <p class="num">
        {at.at} / {at.of} {stroke ? `${clock(stroke.server_time, true)} ${stroke.tool}` : "as it began"}
      </p>
      <p class="dim ellipsis">{stroke ? `${stroke.who}, ${stroke.voxel_count} voxels, ${stroke.layer}` : "before the first stroke"}</p>
      <p class="history-row">
        <button onClick={() => void seek(desk, back!)} aria-label="One stroke back" disabled={back === null}>
          ‹
        </button>
        <button class="film-play" onClick={() => play(desk)}>{playing.value ? "Pause" : "Play"}</button>
        <button onClick={() => void seek(desk, on!)} aria-label="One stroke on" disabled={on === null}>
          ›
        </button>
        <button disabled={!named || at.at === at.of || !!busy.value || !state.mayPaint.value} onClick={() => named && void restore(desk, named)} title="As a new version; nothing is taken out of the history">
          Restore
        </button>
        <button onClick={() => closeFilm(desk)}>Now</button>
      </p>
    </div>
  );
}

/** As in provenance: apart for every kind of colour vision. */
const COLOURS = ["#56B4E9", "#E69F00", "#CC79A7", "#F0E442", "#009E73", "#0072B2", "#D55E00", "#E8ECEF"];

/** By reader and time: who worked when, a way to each sitting, and whose strokes are gone through. */
function Sittings({ desk, at, of }: { desk: Desk; at: number; of: number }) {
  const people = peopleOf(sittings.value);
  const now = sittings.value.findLast(({ first }) => first <= Math.max(1, at));
  if (!of) return null;
  return (
    <div class="sittings">
      <svg viewBox={`0 0 ${of} 1`} preserveAspectRatio="none" aria-hidden="true">
        {sittings.value.map(({ who, first, last }) => (
          <rect key={first} x={first - 1} width={last - first + 1} height="1" fill={COLOURS[people.indexOf(who) % COLOURS.length]} />
        ))}
      </svg>
      <select aria-label="Sitting" value={now?.first ?? 1} onChange={(event) => void seek(desk, Number(event.currentTarget.value))}>
        {sittings.value.map(({ who, began, first, last }) => (
          <option key={first} value={first}>
            {new Date(began).toLocaleDateString("en-GB", { day: "numeric", month: "short" })} {clock(began)}, {who}, {strokes(last - first + 1)}
          </option>
        ))}
      </select>
      {people.length > 1 && (
        <select aria-label="Whose strokes" value={whose.value ?? ""} onChange={(event) => (whose.value = event.currentTarget.value || null)}>
          <option value="">Strokes of everyone</option>
          {people.map((who) => (
            <option key={who} value={who}>
              Strokes of {who}
            </option>
          ))}
        </select>
      )}
    </div>
  );
}

function VersionRow({ desk, version }: { desk: Desk; version: HistoryVersion }) {
  const name = `version:${version.id}`;
  return (
    <li>
      <p>
        <b>{REASONS[version.reason] ?? version.reason}</b> <span class="dim">{version.who}</span>
      </p>
      <p class="num dim" title={version.sha256}>
        {new Date(version.cut_at).toLocaleDateString("en-GB")} {clock(version.cut_at)}, {version.sha256.slice(0, 8)}
      </p>
      <p class="history-row">
        <button onClick={() => void compare(desk, { a: NOW, b: name })}>Compare</button>
        <button disabled={!desk.mayEdit || !!busy.value} onClick={() => void restore(desk, name)}>
          Restore
        </button>
      </p>
    </li>
  );
}

const WHY: Record<string, string> = {
  lease: "in a tab that no longer held the mask",
  conflict: "over voxels that had changed meanwhile",
  closed: "which came after this reading was closed",
};

function BranchRow({ desk, branch }: { desk: Desk; branch: Branch }) {
  return (
    <div class="branch">
      <p>
        {strokes(branch.strokes.length)} of {clock(branch.from)} by {branch.who}, {WHY[branch.strokes[0].reason] ?? WHY.lease}.{" "}
        <span class="num dim">{branch.voxel_count} voxels</span>
      </p>
      <p class="history-row">
        <button aria-pressed={display.preview.value !== null} onClick={() => lookAt(desk, branch)}>
          Look
        </button>
        <button disabled={!desk.mayEdit || !!busy.value} onClick={() => void merge(desk, branch)}>
          Merge
        </button>
        <button disabled={!state.reading.value?.may_edit || !!busy.value} onClick={() => void setAside(desk, branch)}>
          Set aside
        </button>
      </p>
    </div>
  );
}
