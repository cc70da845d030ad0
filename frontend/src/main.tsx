/** The viewer on the page of one reading. */
import "./style.css";
import { effect } from "@preact/signals";
import { render } from "preact";
import { SignedOut } from "./api/client";
import { PLANES, type PlaneName } from "./geometry/grid";
import { App } from "./panels/App";
import { Desk } from "./reading/desk";
import { attachKeys } from "./reading/keys";
import { exposeHandle } from "./reading/handle";
import * as display from "./display";
import * as state from "./state";
import { watchDifference } from "./reading/difference";
import { watchDecisions } from "./reading/decisions";
import { watchForms } from "./reading/forms";
import { watchComments } from "./reading/comments";
import { watchLedger } from "./reading/ledger";
import { watchWorking } from "./reading/working";
import { watchProvenance } from "./reading/provenance";
import { preferences } from "./preferences";
import "./reading/spot";
import { watchCompare } from "./reading/compare";
import { watchNext } from "./reading/prefetch";
import { watchView } from "./reading/view";
import { watchLengths } from "./tools/length";
import { watchGrow } from "./tools/grow";

const mount = document.getElementById("viewer");
if (mount) {
  const desk = new Desk(mount.dataset.reading ?? "", mount.dataset.csrf ?? "");
  render(<App desk={desk} />, mount);
  attachKeys(desk);
  exposeHandle(desk);
  watchGrow(desk);
  watchDifference(desk);
  watchProvenance(desk);
  watchLedger(desk);
  watchComments(desk);
  watchForms(desk);
  watchDecisions(desk);
  watchWorking(desk);
  watchView(desk);
  watchCompare(desk);
  watchLengths(desk);
  watchNext();
  const opened = effect(() => {
    const reading = state.reading.value;
    if (!reading) return;
    preferences.opened(reading.you?.username ?? "", reading.preferences, (tree, leaving) => desk.session.api.savePreferences(tree, leaving));
    queueMicrotask(() => opened());
  });
  addEventListener("pagehide", () => preferences.flush(true));
  addEventListener("beforeunload", (event) => {
    // A stroke in hand, or on its way to the disk, is not saved either.
    if (!desk.session.allSaved) event.preventDefault();
  });
  effect(() => {
    void [state.masksHidden.value, state.crosshair.value, display.look.value, display.lungShown.value, display.lungLook.value, display.shown.value, display.fillPercent.value, display.hiddenLabels.value, display.preview.value];
    desk.restyle();
  });
  const panes = (): Record<PlaneName, HTMLElement> =>
    Object.fromEntries(PLANES.map((name) => [name, document.getElementById(`pane-${name}`)!])) as Record<PlaneName, HTMLElement>;
  desk.open(panes).catch((error: Error) => {
    if (error instanceof SignedOut) state.dialog.value = "signin";
    state.trouble.value = error instanceof SignedOut ? "You are signed out." : error.message;
    console.error(error);
  });
}
