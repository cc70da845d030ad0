/** The three planes together: what they show, when they are drawn again, and the CT that streams into them. */
import { Enums, setVolumesForViewports, type RenderingEngine, type Types } from "@cornerstonejs/core";
import type { LayerName, Layers } from "../edits/layers";
import { PLANES, type Grid, type PlaneName, type Vec3 } from "../geometry/grid";
import { PlaneView, type OverlayMarks } from "./planeview";
import { createVolume, startCornerstone, type StreamedVolume } from "./volume";

const REFRESH_WHILE_LOADING_MS = 1200;

export interface StageEvents {
  firstSlice(): void;
  allDrawn(): void;
}

export class Stage {
  readonly views: Record<PlaneName, PlaneView>;
  private readonly engine: RenderingEngine;
  private readonly ready = new Set<number>();
  private volume: StreamedVolume | null = null;
  private readonly overlayWanted = new Set<PlaneName>();
  private overlayFrame = 0;
  private lastRefresh = 0;
  private firstShown = false;
  private awaitingAll = 0;

  constructor(
    readonly grid: Grid,
    elements: Record<PlaneName, HTMLElement>,
    layers: () => Layers | null,
    marks: (plane: PlaneName) => OverlayMarks,
    private readonly visible: (plane: PlaneName) => boolean,
    private readonly events: StageEvents,
  ) {
    this.engine = startCornerstone();
    const view = (name: PlaneName): PlaneView =>
      new PlaneView(elements[name], grid, grid.planes[name], this.engine, layers, () => marks(name));
    this.views = { axial: view("axial"), coronal: view("coronal"), sagittal: view("sagittal") };
    for (const name of PLANES) {
      elements[name].querySelector(".pane-image")!.addEventListener(Enums.Events.IMAGE_RENDERED, () => this.drawn(name));
      new ResizeObserver(() => this.resized()).observe(elements[name]);
    }
  }

  async start(slices: Record<PlaneName, number>, voi: { width: number; level: number }): Promise<void> {
    this.volume = await createVolume(this.grid, (z) => this.sliceReady(z));
    const range = voiRange(voi);
    await setVolumesForViewports(
      this.engine,
      [{ volumeId: this.volume.volumeId, callback: ({ volumeActor }) => applyRange(volumeActor, range) }],
      [...PLANES],
    );
    for (const name of PLANES) {
      this.views[name].slice = slices[name];
      this.views[name].fit();
    }
    this.setWindow(voi);
  }

  put(z: number, voxels: Int16Array): void {
    this.volume?.put(z, voxels);
  }

  private sliceReady(z: number): void {
    this.ready.add(z);
    if (z === this.views.axial.slice) this.views.axial.render();
    const now = performance.now();
    if (this.ready.size === this.grid.size[2]) {
      this.awaitingAll = 3;
      PLANES.forEach((name) => this.views[name].render());
    } else if (this.firstShown && now - this.lastRefresh > REFRESH_WHILE_LOADING_MS) {
      this.lastRefresh = now;
      PLANES.filter((name) => name !== "axial" && this.visible(name)).forEach((name) => this.views[name].render());
    }
  }

  private drawn(name: PlaneName): void {
    if (!this.firstShown && name === "axial" && this.ready.has(this.views.axial.slice)) {
      this.firstShown = true;
      this.lastRefresh = performance.now();
      this.events.firstSlice();
    }
    if (this.awaitingAll && --this.awaitingAll === 0) this.events.allDrawn();
  }

  show(name: PlaneName, slice: number): void {
    const view = this.views[name];
    view.show(slice);
    view.render();
  }

  setWindow(voi: { width: number; level: number }): void {
    for (const name of PLANES) {
      (this.views[name].viewport as Types.IVolumeViewport).setProperties({ voiRange: voiRange(voi) });
      if (this.visible(name)) this.views[name].render();
    }
  }

  /** Sizes changed: the cameras stay, the pictures are drawn again. */
  resized(): void {
    if (!this.volume) return;
    this.engine.resize(true, true);
    for (const name of PLANES) {
      this.views[name].resized();
      this.views[name].applyCamera();
      if (this.visible(name)) this.views[name].render();
    }
  }

  fit(): void {
    for (const name of PLANES) {
      this.views[name].fit();
      this.views[name].render();
    }
  }

  /** While someone paints only that plane is told; at rest all are. */
  maskChanged(layer: LayerName, slices: readonly number[] | null, only?: PlaneName): void {
    for (const name of PLANES) {
      if (only && name !== only) continue;
      this.views[name].maskChanged(layer, slices);
      this.overlay(name);
    }
  }

  /** Draws the overlay of a plane with the next frame. */
  overlay(name: PlaneName): void {
    this.overlayWanted.add(name);
    if (this.overlayFrame) return;
    this.overlayFrame = requestAnimationFrame(() => {
      this.overlayFrame = 0;
      for (const wanted of this.overlayWanted) if (this.volume && this.visible(wanted)) this.views[wanted].drawOverlay();
      this.overlayWanted.clear();
    });
  }

  overlays(): void {
    PLANES.forEach((name) => this.overlay(name));
  }

  voxelToClient(plane: PlaneName, voxel: Vec3): [number, number] {
    const view = this.views[plane];
    return view.clientAt(voxel[view.frame.u], voxel[view.frame.v]);
  }
}

const voiRange = ({ width, level }: { width: number; level: number }): { lower: number; upper: number } => ({
  lower: level - width / 2,
  upper: level + width / 2,
});

function applyRange(actor: Types.VolumeActor, range: { lower: number; upper: number }): void {
  actor.getProperty().getRGBTransferFunction(0).setMappingRange(range.lower, range.upper);
}
