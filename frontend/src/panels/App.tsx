/** The reading room: bars, rails, planes and panels around the picture. */
import type { Desk } from "../reading/desk";
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
    <div class="room" data-tool={state.tool.value}>
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
  const writing = state.writing.value;
  return (
    <div class="messages" role="status" aria-live="polite">
      {state.trouble.value && <p class="message is-bad">Not loaded: {state.trouble.value}</p>}
      {writing.kind === "held" && (
        <p class="message is-wait">
          Being edited by {writing.holder} since {clock(writing.since)}. You are looking on.
          <button onClick={() => void desk.session.takeLease(true)}>Take over</button>
        </p>
      )}
      {writing.kind === "read_only" && <p class="message is-wait">{writing.sentence}</p>}
      {state.notice.value && (
        <p class="message">
          {state.notice.value}
          <button onClick={() => (state.notice.value = null)}>Close</button>
        </p>
      )}
    </div>
  );
}

export function clock(iso: string, seconds = false): string {
  const time = new Date(iso);
  if (Number.isNaN(time.getTime())) return "";
  return time.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", second: seconds ? "2-digit" : undefined });
}
