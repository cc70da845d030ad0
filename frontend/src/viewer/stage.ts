/** The three planes together: what they show, when they are drawn again, and the CT that streams into them. */
import type { LayerName, Layers } from "../edits/layers";
import { PLANES, type Grid, type PlaneName, type Vec3 } from "../geometry/grid";
import { PlaneView, type OverlayMarks } from "./planeview";
import { GreyTable, type HuSlices } from "./ctpicture";

const WINDOW_REST_MS = 80;
const REFRESH_WHILE_LOADING_MS = 250;

export interface StageEvents {
  firstSlice(): void;
  allDrawn(): void;
  /** A plane was drawn: its slice, window or camera may have changed. */
  planeDrawn(plane: PlaneName, whole: boolean): void;
}

export class Stage {
  readonly views: Record<PlaneName, PlaneView>;
  /** The window, as all planes are drawn with it. */
  table = new GreyTable(1500, -600);
  /** The plane under the hand: drawn before the others. */
  lead: PlaneName = "axial";
  private windowRest: ReturnType<typeof setTimeout> | undefined;
  private lastRefresh = 0;
  private firstShown = false;
  private arrived = 0;
  private readonly complete = new Set<PlaneName>();

  constructor(
    readonly grid: Grid,
    elements: Record<PlaneName, HTMLElement>,
    hu: () => HuSlices,
    layers: () => Layers | null,
    marks: (plane: PlaneName) => OverlayMarks,
    private readonly visible: (plane: PlaneName) => boolean,
    private readonly events: StageEvents,
  ) {
    const view = (name: PlaneName): PlaneView =>
      new PlaneView(elements[name], grid, grid.planes[name], hu, layers, () => marks(name), (whole) => this.drawn(name, whole));
    this.views = { axial: view("axial"), coronal: view("coronal"), sagittal: view("sagittal") };
    for (const name of PLANES) new ResizeObserver(() => this.resized(name)).observe(elements[name]);
  }

  start(slices: Record<PlaneName, number>, voi: { width: number; level: number }): void {
    for (const name of PLANES) {
      this.views[name].camera.slice = slices[name];
      this.views[name].camera.fit();
    }
    this.setWindow(voi);
  }

  /** A low-resolution copy of the whole scan stands where slices are not loaded yet. */
  preview(grid: Grid, hu: HuSlices): void {
    PLANES.forEach((name) => this.views[name].preview(grid, () => hu, this.table));
    this.redraw();
  }

  /** The voxels of an axial slice are there. */
  sliceArrived(z: number): void {
    this.arrived++;
    PLANES.forEach((name) => this.views[name].arrived());
    const now = performance.now();
    if (this.arrived === this.grid.size[2]) {
      for (const name of PLANES) {
        this.views[name].preview(null, () => [], this.table);
        this.views[name].render();
      }
    } else if (z === this.views.axial.slice) this.views.axial.render();
    else if (this.firstShown && now - this.lastRefresh > REFRESH_WHILE_LOADING_MS) {
      this.lastRefresh = now;
      PLANES.filter((name) => name !== "axial" && this.visible(name)).forEach((name) => this.views[name].render());
    }
  }

  private drawn(name: PlaneName, whole: boolean): void {
    this.events.planeDrawn(name, whole);
    if (!this.firstShown && name === "axial" && whole) {
      this.firstShown = true;
      this.lastRefresh = performance.now();
      this.events.firstSlice();
    }
    if (this.arrived < this.grid.size[2] || this.complete.size === PLANES.length) return;
    this.complete.add(name);
    if (this.complete.size === PLANES.length) this.events.allDrawn();
  }

  show(name: PlaneName, slice: number): void {
    this.views[name].camera.show(slice);
    this.render(name);
  }

  pan(name: PlaneName, dx: number, dy: number): void {
    this.views[name].camera.pan(dx, dy);
    this.render(name);
  }

  zoom(name: PlaneName, factor: number, about?: readonly [number, number]): void {
    this.views[name].camera.zoom(factor, about);
    this.render(name);
  }

  /** The active plane is drawn at once; the others follow when the hand rests. */
  setWindow(voi: { width: number; level: number }, active?: PlaneName): void {
    this.table = new GreyTable(voi.width, voi.level);
    PLANES.forEach((name) => this.views[name].window(this.table));
    clearTimeout(this.windowRest);
    if (!active || !this.visible(active)) return this.redraw();
    this.render(active);
    this.windowRest = setTimeout(() => this.redraw(), WINDOW_REST_MS);
  }

  /** What is not on the screen is drawn when it comes there. */
  private render(name: PlaneName): void {
    if (this.visible(name) || !this.firstShown) this.views[name].render();
  }

  private resized(name: PlaneName): void {
    this.views[name].camera.resized();
    this.render(name);
  }

  private get inTurn(): readonly PlaneName[] {
    return [this.lead, ...PLANES.filter((name) => name !== this.lead)];
  }

  redraw(): void {
    this.inTurn.forEach((name) => this.render(name));
  }

  fit(): void {
    for (const name of this.inTurn) {
      this.views[name].camera.fit();
      this.render(name);
    }
  }

  /** While someone paints only that plane is told; at rest all are. */
  maskChanged(layer: LayerName, slices: readonly number[] | null, only?: PlaneName): void {
    for (const name of this.inTurn) {
      if (only && name !== only) continue;
      this.views[name].maskChanged(layer, slices);
      this.overlay(name);
    }
  }

  overlay(name: PlaneName): void {
    this.views[name].renderOverlay(() => this.visible(name));
  }

  overlays(): void {
    this.inTurn.forEach((name) => this.overlay(name));
  }

  voxelToClient(plane: PlaneName, voxel: Vec3): [number, number] {
    const view = this.views[plane];
    return view.clientAt(voxel[view.frame.u], voxel[view.frame.v]);
  }
}
