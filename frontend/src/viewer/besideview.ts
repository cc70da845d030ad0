/** A second look at one plane: another mask or another scan, following the reading's plane in place, camera and window. */
import type { Grid, PlaneFrame } from "../geometry/grid";
import { frameAlong, positionMm, sliceAtMm } from "../geometry/planes";
import type { Layers } from "../edits/layers";
import type { GreyTable, HuSlices } from "./ctpicture";
import { PlaneView, type OverlayMarks } from "./planeview";

export interface Side {
  grid: Grid;
  hu(): HuSlices;
  layers(): Layers | null;
}

/** How two scans are tied: the place of the one is the place of the other plus an offset, along the plane's normal. */
export interface Link {
  linked: boolean;
  offsetMm: number;
}

const REFRESH_MS = 200;

export class BesideView {
  readonly view: PlaneView;
  private readonly frame: PlaneFrame;
  private lastRefresh = 0;

  constructor(
    element: HTMLElement,
    private readonly side: Side,
    private readonly primary: PlaneView,
    marks: () => OverlayMarks,
    private readonly link: () => Link,
    private readonly table: () => GreyTable,
    /** The slice that is shown now, and whether the linked place lies inside this scan. */
    private readonly told: (slice: number, inside: boolean) => void,
  ) {
    this.frame = frameAlong(side.grid, primary.frame.normal);
    this.view = new PlaneView(element, side.grid, this.frame, () => side.hu(), () => side.layers(), marks, () => undefined);
    const observer = new ResizeObserver(() => this.follow());
    observer.observe(element);
    this.stopWatching = () => observer.disconnect();
  }

  private readonly stopWatching: () => void;

  private get along(): [number, number, number] {
    return this.primary.frame.normal;
  }

  /** mm from the primary's slice to the one shown here. */
  get apartMm(): number {
    return this.here - positionMm(this.primary.grid, this.primary.frame, this.primary.slice, this.along);
  }

  private get here(): number {
    return positionMm(this.side.grid, this.frame, this.view.slice, this.along);
  }

  /** The slice of this scan at the primary's place. */
  get linkedSlice(): number {
    const mm = positionMm(this.primary.grid, this.primary.frame, this.primary.slice, this.along) + this.link().offsetMm;
    return sliceAtMm(this.side.grid, this.frame, mm, this.along);
  }

  /** The primary was drawn: camera, window and, when linked, place are taken from it. */
  follow(): void {
    this.view.camera.take(this.primary.camera.look);
    this.view.window(this.table());
    const last = this.side.grid.size[this.frame.across] - 1;
    if (this.link().linked) this.view.camera.show(this.linkedSlice);
    const inside = !this.link().linked || (this.linkedSlice > -0.5 && this.linkedSlice < last + 0.5);
    this.told(this.view.slice, inside);
    this.view.render();
  }

  /** Scrolls this one alone; up leads where it leads in the primary. */
  scroll(steps: number): void {
    this.view.camera.show(this.view.slice + steps * this.frame.ahead);
    this.told(this.view.slice, true);
    this.view.render();
  }

  sliceArrived(z: number): void {
    this.view.arrived();
    const now = performance.now();
    const shown = this.frame.name === "axial" ? z === this.view.slice : now - this.lastRefresh > REFRESH_MS;
    if (!shown) return;
    this.lastRefresh = now;
    this.view.render();
  }

  dispose(): void {
    this.stopWatching();
    this.view.dispose();
  }
}
