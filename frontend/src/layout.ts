/** Which planes are on the screen and how: signals, no page. Remembered for each reader. */
import { computed, signal } from "@preact/signals";
import { Grid, PLANES, type PlaneName } from "./geometry/grid";
import { oneOf, remember, yesOrNo } from "./preferences";
import * as state from "./state";

/** `large`: axial large, two beside it; `axial`: alone; `four`: three equal and the surface of the mask. */
export type LayoutName = "large" | "axial" | "four";
export const LAYOUTS: readonly LayoutName[] = ["large", "axial", "four"];

export const layout = signal<LayoutName>("large");
/** Which plane stands below the axial one where there is no room for both. */
export const lower = signal<"coronal" | "sagittal">("coronal");
remember("layout.planes", layout, { valid: oneOf("large", "axial", "four") });
remember("layout.lower", lower, { valid: oneOf("coronal", "sagittal") });

/** The scan's grid, as soon as the server has described it. */
export const scanGrid = computed(() => {
  const scan = state.reading.value?.scan;
  return scan ? new Grid(scan.shape_zyx, scan.affine_lps) : null;
});

/** The slice that a plane shows is loaded; until then its preview stands there. */
export const wholePlanes = signal<Readonly<Record<PlaneName, boolean>>>({ axial: true, coronal: true, sagittal: true });

/** The window is narrow: coronal and sagittal are tabs below. */
export const narrow = signal(false);
/** Something lies beside the mask: only this plane is shown, twice. */
export const besidePlane = signal<PlaneName | null>(null);
/** The surface of the mask was asked for. */
export const surfaceWanted = signal(false);

export const visiblePlanes = computed<readonly PlaneName[]>(() => {
  if (besidePlane.value) return [besidePlane.value];
  if (state.oneUp.value) return [state.oneUp.value];
  if (layout.value === "axial") return ["axial"];
  if (layout.value === "large" && narrow.value) return ["axial", lower.value];
  return PLANES;
});

export const isVisible = (plane: PlaneName): boolean => visiblePlanes.value.includes(plane);

const BELOW_PX = 1200;

export function watchWidth(): void {
  const query = matchMedia(`(max-width: ${BELOW_PX - 1}px)`);
  const look = (): void => void (narrow.value = query.matches);
  query.addEventListener("change", look);
  look();
}

/** The next one in a row that starts again at its end. */
export function after<T>(row: readonly T[], value: T): T {
  return row[(row.indexOf(value) + 1) % row.length];
}

/** The right panel is folded away. */
export const panelFolded = signal(false);
remember("panels.folded", panelFolded, { valid: yesOrNo });

/** The next plane becomes the active one; one that is not on the screen is brought there. */
export function nextPlane(): void {
  const next = after(PLANES, state.activePlane.value);
  if (besidePlane.value) besidePlane.value = next;
  else if (state.oneUp.value) state.oneUp.value = next === "axial" && layout.value === "axial" ? null : next;
  else if (!isVisible(next) && next !== "axial") {
    if (layout.value === "large") lower.value = next;
    else state.oneUp.value = next;
  }
  state.activePlane.value = next;
}

/** There is something else to see than this plane, or to go back to. */
export const mayOneUp = computed(() => !besidePlane.value && (state.oneUp.value !== null || visiblePlanes.value.length > 1));

/** V: the next layout; with two scans or states side by side, the next plane of them. */
export function nextLayout(): void {
  if (besidePlane.value) besidePlane.value = after(PLANES, besidePlane.value);
  else if (state.oneUp.value) state.oneUp.value = null;
  else layout.value = after(LAYOUTS, layout.value);
  if (!isVisible(state.activePlane.value)) state.activePlane.value = visiblePlanes.value[0];
}
