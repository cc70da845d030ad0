/** The places of the planes, of what lies beside them and of the surface; letters of orientation, loading ring. */
import { computed, effect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Arriving, lazy } from "./lazy";
import { PLANES, type PlaneName } from "../geometry/grid";
import { anatomicalName, placeOfSlice } from "../geometry/planes";
import { shownKeys } from "../keyboard";
import { besidePlane, isVisible, layout, lower, mayOneUp, narrow, scanGrid, surfaceWanted, wholePlanes } from "../layout";
import type { Desk } from "../reading/desk";
import { toggleSurface } from "../reading/view";
import * as state from "../state";
import { BesideBar, BesidePane, TwinCursor } from "./BesidePane";
import { BrushRing } from "./BrushRing";
import { lengthUnit } from "../units";
import "./panes.css";

export const TITLES: Record<PlaneName, string> = { axial: "Axial", coronal: "Coronal", sagittal: "Sagittal" };

type Arrangement = "beside" | "one" | "large" | "narrow" | "four";

const arrangement = computed<Arrangement>(() => {
  if (besidePlane.value) return "beside";
  if (state.oneUp.value || layout.value === "axial") return "one";
  if (layout.value === "large" && narrow.value) return "narrow";
  return layout.value;
});

const SurfacePane = lazy(() => import("./Surface"));

export function Panes({ desk }: { desk: Desk }) {
  const how = arrangement.value;
  const panes = useRef<HTMLElement>(null);
  // Told to the style sheet alone, for the pointer's look: nothing is rendered anew for another tool in hand.
  useEffect(() => effect(() => void (panes.current!.dataset.tool = state.tool.value)), []);
  return (
    <main class="panes" data-arrangement={how} ref={panes}>
      <BesideBar desk={desk} />
      {PLANES.map((name) => (
        <Pane key={name} name={name} shown={isVisible(name)} desk={desk} />
      ))}
      {how === "beside" && <BesidePane desk={desk} />}
      {how === "narrow" && <LowerTabs />}
      {how === "four" && (
        <section class="pane surface" aria-label="Surface of the mask">
          {surfaceWanted.value ? (
            <Arriving fallback={<p class="pane-empty dim">Loading</p>} of={SurfacePane} props={{ desk }} />
          ) : (
            <p class="pane-empty">
              <button onClick={toggleSurface}>Surface of the mask</button>
              <kbd>{shownKeys("surface")}</kbd>
            </p>
          )}
        </section>
      )}
    </main>
  );
}

function LowerTabs() {
  return (
    <div class="lower-tabs" role="tablist" aria-label="Plane below">
      {(["coronal", "sagittal"] as const).map((name) => (
        <button key={name} role="tab" aria-selected={lower.value === name} aria-controls={`pane-${name}`} onClick={() => (lower.value = name)}>
          {TITLES[name]}
        </button>
      ))}
    </div>
  );
}

/** Also where a double click means something else to the tool in hand. */
function FullSize({ name, title, desk }: { name: PlaneName; title: string; desk: Desk }) {
  const full = state.oneUp.value !== null;
  const does = full ? "Back to the other planes" : `${title} to full size`;
  return (
    <button class="pane-full" aria-label={does} aria-keyshortcuts={shownKeys("one_up")} title={`${does} (${shownKeys("one_up")})`} onClick={() => desk.toggleOneUp(name)}>
      <svg viewBox="0 0 16 16" width="14" height="14" fill="none" stroke="currentColor" stroke-width="1.5" aria-hidden="true">
        <path d={full ? "M6.500 2v4.500H2M9.500 14V9.500H14M2 9.500h4.500V14M14 6.500H9.500V2" : "M2 6V2h4M14 10v4h-4M10 2h4v4M6 14H2v-4"} />
      </svg>
    </button>
  );
}

function Pane({ name, shown, desk }: { name: PlaneName; shown: boolean; desk: Desk }) {
  const grid = scanGrid.value;
  const frame = grid?.planes[name];
  const total = frame ? grid!.size[frame.across] : 0;
  const slice = state.slices.value[name];
  // A scan may be stacked from left to right: the name is the patient's, the place on the screen the grid's.
  const title = TITLES[frame ? anatomicalName(frame) : name];
  return (
    <section
      class={`pane ${name} ${shown ? "" : "hidden"} ${state.activePlane.value === name ? "active" : ""}`}
      aria-label={`${title} plane, slice ${slice + 1} of ${total}`}
      aria-hidden={!shown}
      tabIndex={shown ? 0 : -1}
      onFocusIn={() => (state.activePlane.value = name)}
    >
      <div class="pane-stage" id={`pane-${name}`} data-plane={name} />
      <BrushRing plane={name} />
      {shown && <TwinCursor on="reading" />}
      <span class="pane-title">
        {title} <b>{total ? slice + 1 : ""}</b>
        {frame && <span class="pane-place">{placeOfSlice(grid!, frame, slice)} {lengthUnit}</span>}
        {besidePlane.value && <span class="beside-what">This reading{extentNow()}</span>}
        {!wholePlanes.value[name] && <span class="pane-slab">{state.reading.value?.preview ? "low resolution while it loads" : "loading"}</span>}
        {state.slabMm.value ? <span class="pane-slab">MIP {state.slabMm.value} mm, painting on slice {slice + 1}</span> : null}
      </span>
      <Letters of={name} />
      {shown && mayOneUp.value && <FullSize name={name} title={title} desk={desk} />}
      {name === "axial" && <Ring loaded={state.loadedSlices.value} total={total} />}
    </section>
  );
}

function extentNow(): string {
  const extent = state.numbers.value?.extentPercent;
  return extent === null || extent === undefined ? "" : `, extent ${extent.toFixed(1)} %`;
}

export function Letters({ of }: { of: PlaneName }) {
  const letters = state.lettersOf.value[of];
  if (!letters) return null;
  return (
    <>
      {(["right", "left", "top", "bottom"] as const).map((side) => (
        <span key={side} class={`letter ${side}`}>
          {letters[side]}
        </span>
      ))}
    </>
  );
}

export function Ring({ loaded, total }: { loaded: number; total: number }) {
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
