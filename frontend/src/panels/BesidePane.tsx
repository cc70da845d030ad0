/** What lies beside the mask: read only, says what it is, scrolls with the reading's plane. */
import { useEffect, useRef } from "preact/hooks";
import type { Desk } from "../reading/desk";
import { beside, besideChoices, besideExtentPercent, besideInside, besideLoaded, besideSlice, besideView, closeBeside, fetching, layBeside, link, toggleLink, twin } from "../reading/compare";
import { shownKeys } from "../keyboard";
import { directionLetters, scale } from "../geometry/grid";
import { besidePlane, scanGrid } from "../layout";
import * as state from "../state";
import { panDrag, windowDrag, zoomDrag } from "../tools/view";
import type { Drag, Spot } from "../tools/tool";
import { Letters, Ring, TITLES } from "./Panes";
import { anatomicalName } from "../geometry/planes";
import { lengthUnit } from "../units";

export function BesidePane({ desk }: { desk: Desk }) {
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => attach(host.current!, desk), []);
  const laid = beside.value;
  const plane = besidePlane.value;
  if (!laid || !plane) return null;
  const frame = besideView()?.view.frame;
  const total = frame ? laid.grid.size[frame.across] : laid.total;
  const name = TITLES[anatomicalName(laid.grid.planes[frame?.name ?? plane])];
  return (
    <section class="pane laid-beside" aria-label={`Beside: ${laid.title}, ${name}, slice ${besideSlice.value + 1} of ${total}, read only`}>
      <div class="pane-stage" ref={host} id="pane-beside" />
      <TwinCursor on="beside" />
      <span class="pane-title">
        {name} <b>{besideSlice.value + 1}</b>
        <span class="beside-what">
          {laid.title}
          {besideExtentPercent.value !== null && !laid.title.includes("extent") && <span class="num">, extent {besideExtentPercent.value.toFixed(1)} %</span>}{" "}
          <span class="read-only">&middot; read only</span>
        </span>
        {!besideInside.value && <span class="outside">The place on the left lies outside this scan.</span>}
      </span>
      <Letters of={plane} />
      {laid.kind === "scan" && <Ring loaded={besideLoaded.value} total={laid.total} />}
    </section>
  );
}

/** A small cross where the pointer is in the other pane: both have the same scale and the same middle. */
export function TwinCursor({ on }: { on: "reading" | "beside" }) {
  const at = twin.value;
  if (!at || at.over === on || !besidePlane.value) return null;
  return <span class="twin" aria-hidden="true" style={{ transform: `translate(${at.x}px, ${at.y}px)` }} />;
}

/** The line above two panes: what lies beside, how it is tied, the way out. */
export function BesideBar({ desk }: { desk: Desk }) {
  const laid = beside.value;
  if (!laid) return null;
  const { linked, offsetMm } = link.value;
  return (
    <div class="beside-bar">
      <span class="dim">This reading, beside</span>
      <select
        aria-label="What lies beside"
        value={fetching.value ?? laid.key}
        onChange={(event) => void layBeside(desk, event.currentTarget.value)}
        onKeyDown={(event) => event.key === "Escape" && event.currentTarget.blur()}
      >
        {besideChoices.value.map(({ key, label }) => (
          <option key={key} value={key}>
            {label}
          </option>
        ))}
      </select>
      {laid.kind === "scan" && (
        <button
          class="compact link"
          aria-pressed={linked}
          title={linked ? "Scroll together; press to scroll one alone" : "Scroll the right one to where it belongs, then tie the two there"}
          onClick={toggleLink}
        >
          {linked ? "Linked" : "Link here"}
        </button>
      )}
      {laid.kind === "scan" && <span class="num dim offset">{linked ? offsetInWords(offsetMm) : "not linked"}</span>}
      <span class="spacer" />
      <span class="dim">
        Plane <kbd>{shownKeys("layout")}</kbd>
      </span>
      <button class="compact" title={`Close (${shownKeys("compare")})`} onClick={closeBeside}>
        Close <kbd>{shownKeys("compare")}</kbd>
      </button>
    </div>
  );
}

/** How far the right one is moved, and to which side of the patient. */
function offsetInWords(mm: number): string {
  const frame = besidePlane.value && scanGrid.value?.planes[besidePlane.value];
  if (!frame || Math.abs(mm) < 0.05) return "same place";
  return `${Math.abs(mm).toFixed(1)} ${lengthUnit.value} ${directionLetters(scale(frame.normal, Math.sign(mm)))[0]}`;
}

/** Looking only: scroll, pan, zoom and window act on both, through the reading's plane. */
function attach(element: HTMLElement, desk: Desk): void {
  let drag: Drag | null = null;
  let rest = 0;
  const plane = () => besidePlane.value!;
  const spot = (event: PointerEvent): Spot => ({ plane: plane(), point: { u: 0, v: 0 }, voxel: [0, 0, 0], clientX: event.clientX, clientY: event.clientY, button: event.button, shift: event.shiftKey });
  const begin = (event: PointerEvent): Drag => {
    if (event.button === 1 || (event.button === 0 && state.tool.value === "pan")) return panDrag(desk, spot(event));
    return event.button === 0 && state.tool.value === "zoom" ? zoomDrag(desk, spot(event)) : windowDrag(desk, spot(event));
  };
  const hover = (event: PointerEvent | null): void => {
    const laid = beside.value;
    const view = besideView()?.view;
    state.hovered.value = null;
    if (!event || !laid || !view) {
      twin.value = state.pointer.value = null;
      return;
    }
    const box = element.getBoundingClientRect();
    twin.value = { over: "beside", x: event.clientX - box.left, y: event.clientY - box.top };
    const { u, v } = view.pixelAt(event.clientX, event.clientY);
    const voxel = view.voxelOf(Math.round(u), Math.round(v));
    const hu = laid.grid.inside(voxel) ? (laid.hu()[voxel[2]]?.[voxel[1] * laid.grid.size[0] + voxel[0]] ?? null) : null;
    state.pointer.value = hu === null ? null : { hu, voxel, mm: laid.grid.toWorld(voxel) };
  };
  element.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    if (drag) return;
    drag = begin(event);
    element.setPointerCapture(event.pointerId);
  });
  element.addEventListener("pointermove", (event) => {
    drag?.move(spot(event));
    hover(event);
  });
  for (const name of ["pointerup", "pointercancel", "lostpointercapture"] as const) element.addEventListener(name, () => (drag = null));
  element.addEventListener("pointerleave", () => hover(null));
  element.addEventListener("contextmenu", (event) => event.preventDefault());
  element.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const amount = event.deltaY || event.deltaX;
      if (event.ctrlKey) {
        const box = element.getBoundingClientRect();
        return desk.zoom(plane(), Math.exp(-amount / 400), [event.clientX - box.left, event.clientY - box.top]);
      }
      rest += event.deltaMode === 0 ? amount / 100 : amount / 3;
      const steps = Math.abs(amount) >= 50 ? Math.sign(amount) * Math.max(1, Math.abs(Math.trunc(rest))) : Math.trunc(rest);
      if (!steps) return;
      rest = 0;
      if (link.value.linked) desk.scroll(plane(), -steps);
      else besideView()?.scroll(-steps);
    },
    { passive: false },
  );
}
