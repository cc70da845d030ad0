/** The places of the three planes, with letters of orientation, the brush's ring and the loading ring. */
import { PLANES, type PlaneName } from "../geometry/grid";
import * as state from "../state";
import { BrushRing } from "./BrushRing";

const TITLES: Record<PlaneName, string> = { axial: "Axial", coronal: "Coronal", sagittal: "Sagittal" };

export function Panes() {
  const up = state.oneUp.value;
  return (
    <main class={up ? "panes one-up" : "panes"}>
      {PLANES.map((name) => (
        <Pane key={name} name={name} shown={up === null || up === name} />
      ))}
    </main>
  );
}

function Pane({ name, shown }: { name: PlaneName; shown: boolean }) {
  const letters = state.lettersOf.value[name];
  const reading = state.reading.value;
  const total = reading ? reading.scan.shape_zyx[{ axial: 0, coronal: 1, sagittal: 2 }[name]] : 0;
  const slice = state.slices.value[name];
  return (
    <section
      class={`pane ${name} ${shown ? "" : "hidden"} ${state.activePlane.value === name ? "active" : ""}`}
      aria-label={`${TITLES[name]} plane, slice ${slice + 1} of ${total}`}
    >
      <div class="pane-stage" id={`pane-${name}`} data-plane={name} />
      <BrushRing plane={name} />
      <span class="pane-title">
        {TITLES[name]} <b>{total ? slice + 1 : ""}</b>
        {state.slabMm.value ? <span class="pane-slab"> maximum of {state.slabMm.value} mm; painting is on this slice</span> : null}
      </span>
      {letters && (
        <>
          <span class="letter right">{letters.right}</span>
          <span class="letter left">{letters.left}</span>
          <span class="letter top">{letters.top}</span>
          <span class="letter bottom">{letters.bottom}</span>
        </>
      )}
      {name === "axial" && <LoadingRing />}
    </section>
  );
}

function LoadingRing() {
  const total = state.reading.value?.scan.shape_zyx[0] ?? 0;
  const loaded = state.loadedSlices.value;
  if (total && loaded >= total) return null;
  const turn = 2 * Math.PI * 9;
  const part = total ? loaded / total : 0;
  return (
    <span class="load-ring" role="progressbar" aria-label="Slices loaded" aria-valuemin={0} aria-valuemax={total} aria-valuenow={loaded}>
      <svg viewBox="0 0 24 24" width="24" height="24" fill="none" stroke-width="2.5" aria-hidden="true">
        <circle cx="12" cy="12" r="9" stroke="#27313A" />
        <circle cx="12" cy="12" r="9" stroke="#4CB3D4" stroke-dasharray={`${part * turn} ${turn}`} transform="rotate(-90 12 12)" />
      </svg>
      <span>
        {loaded} / {total || "…"}
      </span>
    </span>
  );
}
