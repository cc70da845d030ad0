/** Where the pointer is and how the picture is set; every number has its place. */
import type { Desk } from "../reading/desk";
import { anatomicalName, placeInWords, placeOfSlice } from "../geometry/planes";
import { scanGrid } from "../layout";
import { WindowMenu } from "./WindowMenu";
import * as state from "../state";
import * as display from "../display";
import { shownKeys } from "../keyboard";
import { undecidedCount, verdictsAsked } from "../reading/decisions";
import { progress } from "../reading/ledger";
import { SHOWN } from "../reading/verdicts";
import { activeMs, spent } from "../reading/working";
import { toolNamed } from "../tools/registry";
import { lengthUnit } from "../units";

export function StatusBar({ desk }: { desk: Desk }) {
  const reading = state.reading.value;
  const plane = state.activePlane.value;
  const frame = scanGrid.value?.planes[plane];
  const total = frame ? scanGrid.value!.size[frame.across] : 0;
  const slice = state.slices.value[plane];
  const at = state.pointer.value;
  return (
    <footer class="status num">
      <span class="w-slice">
        {frame ? anatomicalName(frame) : plane} {total ? `${slice + 1} / ${total}` : ""}
      </span>
      <span class="w-z">{frame ? `${placeOfSlice(scanGrid.value!, frame, slice)} ${lengthUnit.value}` : "–"}</span>
      <span class="w-hu">{reading?.scan.has_hu === false ? "value" : "HU"} {at?.hu ?? "–"}</span>
      <span class="w-at">{at ? placeInWords(at.mm) : ""}</span>
      <WindowMenu desk={desk} />
      <SeenCount />
      <Decided />
      <span class="w-active" title="Time worked on this reading, without pauses of more than half a minute">active {spent(activeMs.value)}</span>
      <span class="w-brush">brush {state.brushMm.value} {lengthUnit}</span>
      <span class="w-tool">{toolNamed(state.tool.value)?.edits ? `${state.tool.value}, ${targetName()}` : state.tool.value}</span>
      <span class="spacer" />
      <span class="dim">Press ? for the keys</span>
    </footer>
  );
}

/** Of the slices that hold lung. */
function SeenCount() {
  const found = progress.value;
  return (
    <span class="w-seen" title="Slices with lung that were on the screen for a quarter of a second, in a lung window">
      seen {found ? `${found.seen} of ${found.total}` : "–"}
    </span>
  );
}

/** The verdict on the axial slice, and how many slices with lung are undecided. */
function Decided() {
  const code = display.verdicts.value[state.slices.value.axial] ?? 0;
  if (!verdictsAsked.value && !display.verdicts.value.some(Boolean)) return null;
  return (
    <>
      <span class="w-verdict" data-verdict={code} title={`Lesion on this axial slice: ${shownKeys("present")} present, ${shownKeys("absent")} absent, ${shownKeys("undecided")} undecided`}>
        {SHOWN[code]}
      </span>
      <span class="w-undecided">undecided {undecidedCount}</span>
    </>
  );
}

function targetName(): string {
  const { layer, value } = state.target.value;
  const reading = state.reading.value;
  const labels = layer === "findings" ? reading?.label_set.labels : reading?.anatomy_labels;
  return labels?.find((label) => label.value === value)?.name ?? "";
}
