/** Where the pointer is and how the picture is set; every number has its place. */
import * as state from "../state";
import { progress } from "../reading/ledger";
import { toolNamed } from "../tools/registry";

export function StatusBar() {
  const reading = state.reading.value;
  const plane = state.activePlane.value;
  const axis = { axial: 0, coronal: 1, sagittal: 2 }[plane];
  const total = reading?.scan.shape_zyx[axis] ?? 0;
  const affine = reading?.scan.affine_lps;
  const z = affine ? affine[2][3] + affine[2][2] * state.slices.value.axial : null;
  const { width, level } = state.voi.value;
  const at = state.pointer.value;
  return (
    <footer class="status num">
      <span class="w-slice">
        {plane} {total ? `${state.slices.value[plane] + 1} / ${total}` : ""}
      </span>
      <span class="w-z">z {z === null ? "–" : z.toFixed(1)} mm</span>
      <span class="w-hu">{reading?.scan.has_hu === false ? "value" : "HU"} {at?.hu ?? "–"}</span>
      <span class="w-at">{at ? `L ${at.mm[0].toFixed(1)}  P ${at.mm[1].toFixed(1)}  H ${at.mm[2].toFixed(1)}` : ""}</span>
      <span class="w-wl">
        W {width} L {level}
      </span>
      <SeenCount />
      <span class="w-brush">brush {state.brushMm.value} mm</span>
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
