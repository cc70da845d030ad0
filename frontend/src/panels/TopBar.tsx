/** Where the reader is, whose hands the mask went through, whether it is saved, and the ways on: next case, sign. */
import { shownKeys } from "../keyboard";
import { onKey } from "../reading/acts";
import type { Desk } from "../reading/desk";
import * as display from "../display";
import * as state from "../state";
import { clock } from "./App";
import { firstWord, FoldedWord } from "./Folded";
import { Layouts } from "./Layouts";
import { FilmNotice } from "./SidePanel";

export function TopBar({ desk }: { desk: Desk }) {
  const reading = state.reading.value;
  const cases = reading?.case;
  const lineage = reading?.lineage ?? [];
  const word = firstWord(desk);
  const handsOn = reading?.ending?.ends_with === "submit";
  const refusal = reading?.signature ? "This reading is signed." : handsOn ? (reading?.ending?.submit_refusal ?? null) : (reading?.sign_refusal ?? null);
  const mayEnd = handsOn ? reading?.ending?.may_submit : reading?.may_sign;
  const blocked = !mayEnd || state.writing.value.kind !== "writing";
  return (
    <header class="room-bar">
      <a class="back" href={cases ? `/campaigns/${cases.campaign.slug}/` : "/"}>
        <span aria-hidden="true">&lsaquo;</span> Worklist
      </a>
      {cases && (
        <h1 class="case">
          <a href={cases.url}>
            Case <b>{String(cases.number).padStart(4, "0")}</b>
          </a>
          <span class="dim num">
            {cases.number} of {cases.case_count}
          </span>
          <span class="dim ellipsis" title={`${cases.pseudonym} · ${cases.campaign.name} · ${reading.stage}`}>
            {cases.pseudonym} &middot; {cases.campaign.name} &middot; {reading.stage}
          </span>
        </h1>
      )}
      {display.shown.value.kind === "film" ? (
        <FilmNotice />
      ) : word ? (
        <FoldedWord word={word} />
      ) : (
        <span class="lineage ellipsis" title={lineage.map((step) => `${step.who}: ${step.what}, ${step.when}`).join("\n")}>
          {lineage.map((step) => step.who).join(" › ")}
        </span>
      )}
      <Layouts desk={desk} />
      <SaveState />
      <button class="icon-button" aria-label="Keys" title={`Keys (${shownKeys("sheet")})`} aria-keyshortcuts="?" onClick={() => (state.dialog.value = "keys")}>
        ?
      </button>
      <button disabled={!reading?.next} title={reading?.next ? `Case ${reading.next.case_number} (${shownKeys("next_case")})` : NO_NEXT} onClick={() => goToNext(desk)}>
        Next case
      </button>
      {reading?.ending?.may_return && (
        <button disabled={state.writing.value.kind !== "writing"} title={`Send this case back to ${reading.ending.returns_to}, with a reason`} onClick={() => (state.dialog.value = "return")}>
          Return
        </button>
      )}
      {reading?.ending?.may_amend && (
        <button title="Begin a new reading from what you signed" onClick={() => (state.dialog.value = "amend")}>
          Amend
        </button>
      )}
      <button
        class="go"
        disabled={blocked}
        title={refusal ?? `${handsOn ? "Hand this reading on" : "Sign this reading"} (${shownKeys("sign")})`}
        aria-keyshortcuts="Control+Enter"
        onClick={() => (state.dialog.value = "sign")}
      >
        {ended(reading) ?? (handsOn ? "Hand on" : "Sign")}
      </button>
    </header>
  );
}

/** What the button says once there is nothing to end. */
function ended(reading: typeof state.reading.value): string | null {
  if (reading?.signature) return reading.state === "superseded" ? "Superseded" : "Signed";
  return reading?.state === "submitted" ? "Handed on" : null;
}

const NO_NEXT = "No further case waits for you in this worklist.";

function goToNext(desk: Desk): void {
  const next = state.reading.value?.next;
  if (!next) state.notice.value = NO_NEXT;
  else if (next.start_url) desk.session.api.leaveByPost(next.start_url);
  else location.assign(next.url);
}

onKey("next_case", goToNext);

function SaveState() {
  const saving = state.saving.value;
  const strokes = (count: number): string => `${count} ${count === 1 ? "stroke" : "strokes"}`;
  const where = ({ count, loose }: { count: number; loose?: number }): string =>
    loose ? `${strokes(count)}, ${loose === count ? "" : `${loose} `}on this page only` : `${strokes(count)} kept here`;
  const [kind, text] = ((): [string, string] => {
    switch (saving.kind) {
      case "saved":
        return ["is-good", saving.at ? `saved ${clock(saving.at, true)}` : state.mayPaint.value ? "nothing to save" : ""];
      case "saving":
        return ["plain", `saving ${strokes(saving.count)}`];
      case "offline":
        return ["is-wait", `offline, ${where(saving)}`];
      case "signed_out":
        return ["is-wait", `signed out, ${where(saving)}`];
      case "refused":
        return ["is-bad", `not saved: ${where(saving)}`];
    }
  })();
  return (
    <span class={`save ${kind}`} role="status" aria-live="polite" data-save={saving.kind}>
      {text}
    </span>
  );
}
