/** The reading room: bars, rails, planes and panels around the picture. */
import type { Desk } from "../reading/desk";
import { askFor, handOver, take } from "../reading/hands";
import { panelFolded } from "../layout";
import * as state from "../state";
import { Dialogs } from "./Dialogs";
import { OperationBar } from "./OperationBar";
import { Panes } from "./Panes";
import { SidePanel } from "./SidePanel";
import { SliceStrip } from "./SliceStrip";
import { StatusBar } from "./StatusBar";
import { ToolRail } from "./ToolRail";
import { TopBar } from "./TopBar";

export function App({ desk }: { desk: Desk }) {
  return (
    <div class="room" data-side={panelFolded.value ? "folded" : undefined}>
      <TopBar desk={desk} />
      <ToolRail desk={desk} />
      <SliceStrip desk={desk} />
      <Panes desk={desk} />
      <aside class="side" aria-label="Labels and numbers">
        <SidePanel desk={desk} />
        <OperationBar />
        <Messages desk={desk} />
      </aside>
      <StatusBar desk={desk} />
      <Dialogs desk={desk} />
    </div>
  );
}

function Messages({ desk }: { desk: Desk }) {
  return (
    <div class="messages" role="status" aria-live="polite">
      {state.trouble.value && <p class="message is-bad">Not loaded: {state.trouble.value}</p>}
      <CameBack />
      <Writing desk={desk} />
      <Unsaved desk={desk} />
      {state.notice.value && (
        <p class="message">
          {state.notice.value}
          <button onClick={() => (state.notice.value = null)}>Close</button>
        </p>
      )}
    </div>
  );
}

/** Why a submission came back, or what is amended here. */
function CameBack() {
  const ending = state.reading.value?.ending;
  if (ending?.returned)
    return (
      <p class="message is-wait">
        Returned by {ending.returned.by}, {clock(ending.returned.at)}: {ending.returned.reason}
      </p>
    );
  if (ending?.amends && state.reading.value?.may_edit) return <p class="message">An amendment of what you signed: {ending.amends.reason}</p>;
  return null;
}

/** Who writes this reading, and how it goes from hand to hand. */
function Writing({ desk }: { desk: Desk }) {
  const { session } = desk;
  const writing = state.writing.value;
  const lease = state.reading.value?.lease;
  switch (writing.kind) {
    case "held":
      return (
        <p class="message is-wait">
          Being edited by {writing.holder} since {clock(writing.since)}. You are looking on{writing.asked ? ", and have asked for it" : ""}.
          {!writing.asked && <button onClick={() => void askFor(session)}>Ask for it</button>}
          <button onClick={() => void take(session, true)}>Take over</button>
        </p>
      );
    case "free":
      return (
        <p class="message is-wait">
          Nobody is editing this reading now. You are looking on.
          <button onClick={() => void take(session, false)}>Edit</button>
        </p>
      );
    case "read_only":
      return (
        <p class="message is-wait">
          {writing.sentence}
          {lease && !lease.mine && ` It is being edited by ${lease.holder_name} since ${clock(lease.since)}.`}
        </p>
      );
    default:
      return (
        <>
          {state.asking.value && (
            <p class="message is-wait">
              {state.asking.value} asks for this reading, in another tab.
              <button onClick={() => void handOver(session)}>Hand over</button>
              <button onClick={() => (state.asking.value = null)}>Keep</button>
            </p>
          )}
          {state.catchingUp.value && <p class="message is-wait">The mask is being brought up to date with the server.</p>}
        </>
      );
  }
}

/** Strokes that are not in the mask: refused by the server, or kept beside. */
function Unsaved({ desk }: { desk: Desk }) {
  const { session } = desk;
  const saving = state.saving.value;
  const aside = state.setAside.value;
  const beside = state.keptBeside.value;
  const count = aside.length + (saving.kind === "refused" ? saving.count : 0);
  return (
    <>
      {count > 0 && (
        <p class="message is-bad">
          {strokes(count)} could not be saved{aside.length ? `: ${aside[aside.length - 1].refused}` : "."} {count === 1 ? "It is" : "They are"} kept in this browser, not in the mask.
          <button onClick={() => saveAs(session.aside!.asFile(session.id), `strokes-${session.id}.json`)}>Save to a file</button>
          {aside.length > 0 && (
            <>
              <button onClick={() => session.aside!.tryAgain()}>Try again</button>
              <button onClick={() => confirm(`Throw away ${strokes(aside.length)} for good?`) && void session.aside!.drop()}>Throw away</button>
            </>
          )}
        </p>
      )}
      {beside > 0 && state.section.value !== "history" && (
        <p class="message is-wait">
          {strokes(beside)} {beside === 1 ? "is" : "are"} kept beside the mask.
          <button onClick={() => (state.section.value = "history")}>Look</button>
        </p>
      )}
    </>
  );
}

const strokes = (count: number): string => `${count} ${count === 1 ? "stroke" : "strokes"}`;

function saveAs(content: Blob, name: string): void {
  const url = URL.createObjectURL(content);
  Object.assign(document.createElement("a"), { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

export function clock(iso: string, seconds = false): string {
  const time = new Date(iso);
  if (Number.isNaN(time.getTime())) return "";
  return time.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", second: seconds ? "2-digit" : undefined });
}
