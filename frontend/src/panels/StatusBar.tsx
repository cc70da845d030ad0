/** Where the pointer is and how the picture is set; every number has its place. */
import type { Desk } from "../reading/desk";
import { anatomicalName, placeInWords, placeOfSlice } from "../geometry/planes";
import { scanGrid } from "../layout";
import { WindowMenu } from "./WindowMenu";
import * as state from "../state";
import { progress } from "../reading/ledger";
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

function targetName(): string {
  const { layer, value } = state.target.value;
  const reading = state.reading.value;
  const labels = layer === "findings" ? reading?.label_set.labels : reading?.anatomy_labels;
  return labels?.find((label) => label.value === value)?.name ?? "";
}
