/** The reader's desk: session, planes, tools and keys put together. */
import { Api } from "../api/client";
import type { Reading } from "../api/types";
import type { ContainerHeader } from "../edits/container";
import type { Point } from "../geometry/disc";
import { Grid, PLANES, type PlaneName, type Vec3 } from "../geometry/grid";
import { isVisible, mayOneUp, wholePlanes } from "../layout";
import * as state from "../state";
import * as display from "../display";
import { countVoxels, DeltaConflict, type SliceRuns } from "../edits/delta";
import { carryOut, Cancelled, type Operation } from "../edits/operation";
import { permitOf, type Permit } from "../edits/permit";
import { TooLarge } from "../edits/editor";
import type { Stroke } from "../edits/strokelog";
import type { LayerName } from "../edits/layers";
import { lengthsOn } from "../tools/length";
import { toolNamed } from "../tools/registry";
import type { Spot } from "../tools/tool";
import { attachGestures } from "../viewer/gestures";
import { rgbOf, type Colours } from "../viewer/picture";
import type { OverlayMarks } from "../viewer/planeview";
import { SlabLoader, startWorkers } from "../viewer/slabloader";
import { Stage } from "../viewer/stage";
import type { Layers } from "../edits/layers";
import { pinsOn } from "./comments";
import { LesionBook } from "./lesions";
import { Session } from "./session";
import { slabTrouble } from "./slabtrouble";

export interface StrokeTrace {
  plane: PlaneName;
  slice: number;
  layer: string;
  tool: string;
  value: number;
  radiusMm: number;
  /** Pixels (u, v) of the slice image that the pointer passed, and the same points on the page. */
  /** For a shape: the first and last slice of the plane that it goes through. */
  depth?: [number, number];
  path: { u: number; v: number; clientX: number; clientY: number }[];
  voxels: number;
  /** From each pointer event to the drawn overlay. */
  drawMs: number[];
  id: string | null;
}

export class Desk {
  private fitted = false;
  readonly session: Session;
  readonly timings: Record<string, number> = {};
  readonly traces: StrokeTrace[] = [];
  grid: Grid | null = null;
  stage: Stage | null = null;
  loader: SlabLoader | null = null;
  private colours: { findings: Colours; anatomy: Colours } = { findings: new Map(), anatomy: new Map() };
  /** Told when voxels of a layer have changed; null: all slices. */
  readonly maskWatchers = new Set<(layer: LayerName, slices: readonly number[] | null) => void>();
  /** Told when a plane was drawn: slice, window or camera may be new. */
  readonly planeWatchers = new Set<(plane: PlaneName) => void>();
  private readonly lesionBook = new LesionBook(this);
  private trace: StrokeTrace | null = null;
  /** Steps back and on that were asked for while a large edit was being made. */
  private readonly steps: ("undo" | "redo")[] = [];
  /**
   * What a pointer is doing on a plane. While it draws, the slice that it draws on stays on the screen; while it does
   * anything, keys and wheel rest: the picture must not go away from under it.
   */
  hand: "free" | "looking" | "drawing" = "free";
  /** A drag that Escape drops: a shape in the making. */
  onCancel: (() => void) | null = null;

  constructor(id: string, csrf: string) {
    this.session = new Session(id, new Api(id, csrf), (layer, slices) => {
      const painting = this.session.editor?.painting ? this.trace?.plane : undefined;
      this.stage?.maskChanged(layer, slices, painting);
      this.maskWatchers.forEach((watch) => watch(layer, slices));
      if (layer === "findings" && !this.session.editor?.painting) this.lesionBook.changed(slices);
    });
  }

  async open(panes: () => Record<PlaneName, HTMLElement>): Promise<void> {
    const workers = startWorkers();
    const { reading, header, container } = await this.session.load();
    this.timings.readingMs = performance.now();
    const grid = new Grid(reading.scan.shape_zyx, reading.scan.affine_lps);
    this.grid = grid;
    const start = startSlices(reading, header);
    state.slices.value = start;
    this.chooseColours(reading);
    this.loader = new SlabLoader(workers, reading.scan.slabs, grid.size[0] * grid.size[1], start.axial, {
      slice: (z, voxels) => this.sliceArrived(z, voxels),
      complete: () => this.scanLoaded(),
      ...slabTrouble(),
      preview: (voxels) => this.previewArrived(voxels),
    }, reading.preview ?? null);
    this.stage = new Stage(grid, panes(), () => this.session.hu, () => (display.shown.value.kind === "film" ? display.shown.value.layers : this.session.layers), (plane) => this.marks(plane), isVisible, {
      firstSlice: () => (this.timings.firstSliceMs = performance.now()),
      allDrawn: () => (this.timings.completeMs = performance.now()),
      planeDrawn: (plane, whole) => {
        if (wholePlanes.value[plane] !== whole) wholePlanes.value = { ...wholePlanes.value, [plane]: whole };
        this.planeWatchers.forEach((watch) => watch(plane));
      },
    });
    this.stage.start(state.slices.value, state.voi.value);
    this.timings.stageMs = performance.now();
    PLANES.forEach((name) => attachGestures(this.stage!.views[name], this));
    state.placeOf.value = (plane, u, v) => {
      const view = this.stage!.views[plane];
      const [x, y] = view.paneAt(u, v);
      return { x, y, mmPerPixel: view.mmPerCssPixel };
    };
    state.lettersOf.value = Object.fromEntries(PLANES.map((name) => [name, this.stage!.views[name].letters]));
    await this.session.openMask(container);
    this.timings.maskMs = performance.now();
    const through = throughTheMask(this.session.layers!, start);
    this.showSlice("coronal", through.coronal);
    this.showSlice("sagittal", through.sagittal);
    void this.session.startWriting().catch((error: Error) => (state.trouble.value = error.message));
  }

  /** For the eye alone: Hounsfield readings and tools wait for the scan itself. */
  private previewArrived(voxels: Int16Array): void {
    this.fitWindow(voxels);
    const { shape_zyx, affine_lps } = state.reading.value!.preview!;
    const [nz, ny, nx] = shape_zyx;
    if (voxels.length !== nz * ny * nx) return;
    this.timings.previewMs = performance.now();
    const slices = Array.from({ length: nz }, (_, k) => voxels.subarray(k * ny * nx, (k + 1) * ny * nx));
    this.stage?.preview(new Grid(shape_zyx, affine_lps), slices);
  }

  private sliceArrived(z: number, voxels: Int16Array): void {
    this.fitWindow(voxels);
    this.timings.firstSlabMs ??= performance.now();
    this.session.sliceLoaded(z, voxels);
    this.stage?.sliceArrived(z);
    state.loadedSlices.value++;
  }

  private scanLoaded(): void {
    this.timings.receivedMs = performance.now();
    this.session.scanLoaded();
  }

  private chooseColours(reading: Reading): void {
    const table = (labels: { value: number; colour: string }[]): Colours => new Map(labels.map((l) => [l.value, rgbOf(l.colour)]));
    this.visible = null;
    this.colours = { findings: table(reading.label_set.labels), anatomy: table(reading.anatomy_labels) };
    state.target.value = { layer: "findings", value: reading.label_set.labels[0]?.value ?? 1 };
  }

  private visible: { hidden: ReadonlySet<string>; colours: { findings: Colours; anatomy: Colours } } | null = null;

  /** The colours of labels that are shown: the same object until that changes, so that drawn pictures are kept. */
  private visibleColours(): { findings: Colours; anatomy: Colours } {
    const hidden = display.hiddenLabels.value;
    if (this.visible?.hidden !== hidden) {
      const shown = (layer: LayerName): Colours => new Map([...this.colours[layer]].filter(([value]) => !hidden.has(display.labelKey(layer, value))));
      this.visible = { hidden, colours: { findings: shown("findings"), anatomy: shown("anatomy") } };
    }
    return this.visible.colours;
  }

  marks(plane: PlaneName): OverlayMarks {
    const { axial, coronal, sagittal } = state.slices.value;
    return {
      style: {
        hidden: state.masksHidden.value,
        look: display.look.value,
        fillPercent: display.fillPercent.value,
        lungShown: display.lungShown.value,
        lungLook: display.lungLook.value,
        shown: display.shown.value,
        preview: display.preview.value,
        ...this.visibleColours(),
      },
      slabMm: state.slabMm.value,
      lengths: lengthsOn(plane, state.slices.value[plane]),
      pins: state.masksHidden.value ? [] : pinsOn(this.grid!, plane, state.slices.value[plane]),
      crosshair: state.crosshair.value ? [sagittal, coronal, axial] : null,
    };
  }

  // What gestures and keys ask for.

  showSlice(plane: PlaneName, slice: number): void {
    const last = this.grid!.size[this.grid!.planes[plane].across] - 1;
    const wanted = Math.max(0, Math.min(last, Math.round(slice)));
    if (wanted === state.slices.value[plane] || this.session.editor?.painting || this.hand === "drawing") return;
    state.slices.value = { ...state.slices.value, [plane]: wanted };
    if (plane === "axial") this.loader?.aim(wanted);
    this.stage?.show(plane, wanted);
    if (state.crosshair.value) this.stage?.overlays();
  }

  /** Up is towards the head, the back or the left, however the file counts its slices. */
  scroll(plane: PlaneName, by: number): void {
    this.showSlice(plane, state.slices.value[plane] + by * this.grid!.planes[plane].ahead);
  }

  jump(plane: PlaneName, point: Point): void {
    const voxel = this.stage!.views[plane].voxelOf(point.u, point.v);
    this.showSlice("sagittal", plane === "sagittal" ? state.slices.value.sagittal : voxel[0]);
    this.showSlice("coronal", plane === "coronal" ? state.slices.value.coronal : voxel[1]);
    this.showSlice("axial", plane === "axial" ? state.slices.value.axial : voxel[2]);
  }

  /** All three planes to a voxel. */
  centreOn(voxel: Vec3): void {
    this.showSlice("sagittal", voxel[0]);
    this.showSlice("coronal", voxel[1]);
    this.showSlice("axial", voxel[2]);
  }

  /** A scan without Hounsfield units opens in the range of its values: no window of the house means anything in it. */
  private fitWindow(values: Int16Array): void {
    if (this.fitted || state.reading.value?.scan.has_hu !== false) return;
    this.fitted = true;
    let [low, high] = [Infinity, -Infinity];
    for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
    this.setWindow(Math.max(1, high - low), Math.round((low + high) / 2));
  }

  window(dWidth: number, dLevel: number): void {
    const { width, level } = state.voi.value;
    this.setWindow(Math.max(1, Math.round(width + dWidth)), Math.round(level + dLevel));
  }

  setWindow(width: number, level: number): void {
    state.voi.value = { width, level };
  }

  resizeBrush(steps: number): void {
    const next = state.brushMm.value * 1.15 ** steps;
    const rounded = next < 10 ? Math.round(next * 2) / 2 : Math.round(next);
    const moved = rounded === state.brushMm.value ? rounded + (rounded < 10 ? 0.5 : 1) * Math.sign(steps) : rounded;
    state.brushMm.value = Math.max(1, Math.min(100, moved));
  }

  hover(plane: PlaneName, point: Point | null): void {
    state.hovered.value = point ? { plane, ...point } : null;
    if (!point) return void (state.pointer.value = null);
    const view = this.stage!.views[plane];
    const voxel = view.voxelOf(Math.round(point.u), Math.round(point.v));
    if (!this.grid!.inside(voxel)) return void (state.pointer.value = null);
    const hu = this.session.hu[voxel[2]]?.[voxel[1] * this.grid!.size[0] + voxel[0]] ?? null;
    state.pointer.value = { hu, voxel, mm: this.grid!.toWorld(voxel) };
  }

  toggleOneUp(plane: PlaneName): void {
    if (mayOneUp.value) state.oneUp.value = state.oneUp.value ? null : plane;
  }

  pan(plane: PlaneName, dx: number, dy: number): void {
    this.stage?.pan(plane, dx, dy);
  }

  zoom(plane: PlaneName, factor: number, about?: [number, number]): void {
    this.stage?.zoom(plane, factor, about);
  }

  /** Takes a tool in hand, or carries it out at once when it is of that kind. */
  takeUp(name: state.ToolName): void {
    const tool = toolNamed(name);
    if (!tool || this.session.editor?.painting || this.hand === "drawing") return;
    if (tool.edits && !this.mayEdit) return void (state.notice.value = this.whyNot);
    state.lastActed.value = tool.run ? name : null;
    if (tool.run) return tool.run(this);
    toolNamed(state.tool.value)?.putDown?.(this);
    state.tool.value = name;
  }

  /** The mask may be changed now: by this reader, in this tab, and it is the mask that is on the screen. */
  get mayEdit(): boolean {
    return state.mayPaint.value && display.paintable.value;
  }

  /** Why the mask may not be changed now, in a sentence. */
  get whyNot(): string {
    if (display.shown.value.kind === "difference" && !display.paintable.value) return "Two other states are compared: painting is off until A is this mask again, or the difference is closed.";
    if (!display.paintable.value) return "The past is on the screen: painting is off until you go back to the present (Esc).";
    const writing = state.writing.value;
    switch (writing.kind) {
      case "held":
        return `${writing.holder} is editing this reading: you are looking on.`;
      case "free":
        return "You are looking on: press Edit to paint.";
      case "read_only":
        return writing.sentence;
      case "starting":
        return "The reading is still being opened for painting.";
      default:
        return "The mask is being brought up to date with the server: painting rests until it is.";
    }
  }

  private notPainted: string | null = null;

  /** A press that would have painted, and did not: that is said until a stroke is painted. */
  refusePress(): void {
    state.notice.value = this.notPainted = `Nothing was painted. ${this.whyNot}`;
  }

  /** Where the tool in hand may write, by the reader's settings; locked labels always count. */
  permit(layer: LayerName, settings: { huRange?: readonly [number, number] | null; insideLung?: boolean; onlyOver?: number | null } = {}): Permit | null {
    return permitOf(
      {
        huRange: settings.huRange ?? null,
        insideLung: settings.insideLung ?? false,
        onlyOver: settings.onlyOver ?? null,
        locked: display.lockedOf(layer),
      },
      this.session.layers!,
      layer,
      (z) => this.session.hu[z] ?? null,
    );
  }

  /** Begins a stroke on the layer of the chosen label, or of `layer`; null when nothing may be painted now. */
  beginStroke(plane: PlaneName, tool: string, value: number, permit?: Permit | null, layer: LayerName = state.target.value.layer): StrokeTrace | null {
    const { editor } = this.session;
    if (!editor || !this.mayEdit || editor.painting) return null;
    state.operation.value?.cancel();
    this.settle();
    if (state.notice.value === this.notPainted) state.notice.value = null;
    editor.begin(layer, tool, plane, permit === undefined ? this.permit(layer) : permit);
    this.trace = this.traceOf(plane, tool, value, layer);
    return this.trace;
  }

  /** What is known of a stroke at its beginning. */
  traceOf(plane: PlaneName, tool: string, value: number, layer: LayerName = state.target.value.layer): StrokeTrace {
    return { plane, slice: state.slices.value[plane], layer, tool, value, radiusMm: state.brushMm.value / 2, path: [], voxels: 0, drawMs: [], id: null };
  }

  /** A part of the stroke under way: `work` calls `fill` with runs of voxels of axial slices. */
  paint(at: Spot, work: (fill: (z: number, start: number, end: number) => void) => void): void {
    const { trace } = this;
    const { editor } = this.session;
    if (!trace || !editor) return;
    const began = performance.now();
    trace.path.push({ ...at.point, clientX: at.clientX, clientY: at.clientY });
    let changed = false;
    work((z, start, end) => {
      if (editor.fill(z, start, end, trace.value)) changed = true;
    });
    if (!changed) return;
    editor.report();
    requestAnimationFrame(() => trace.drawMs.push(performance.now() - began));
  }

  /** An edit worked out beforehand: its strokes, none when it changes nothing. It stops long work, as painting does. */
  perform(layer: LayerName, tool: string, plane: Stroke["plane"], delta: SliceRuns[]): Stroke[] {
    if (!delta.length || !this.mayEdit) return [];
    state.operation.value?.cancel();
    this.settle();
    try {
      return this.session.editor?.perform(layer, tool, plane, delta) ?? [];
    } catch (error) {
      if (!(error instanceof TooLarge)) throw error;
      state.notice.value = error.message;
      return [];
    }
  }

  /**
   * Works an edit out in small steps and makes one edit of it. The reader sees how far it is, may stop it, and
   * painting meanwhile stops it. `trace`: of a shape that was drawn for it.
   */
  async operate(title: string, layer: LayerName, tool: string, plane: Stroke["plane"], work: Operation<SliceRuns[]>, trace?: StrokeTrace): Promise<void> {
    if (!this.mayEdit || this.session.editor?.painting) return;
    try {
      await this.compute(title, this.worked(layer, tool, plane, work, trace), true);
    } catch (error) {
      if (error instanceof DeltaConflict) state.notice.value = `${title}: the mask changed meanwhile, and nothing was done. Try again.`;
      else if (error instanceof TooLarge) state.notice.value = `${title}: ${error.message}`;
      else throw error;
    } finally {
      this.nextStep();
    }
  }

  private *worked(layer: LayerName, tool: string, plane: Stroke["plane"], work: Operation<SliceRuns[]>, trace?: StrokeTrace): Operation<void> {
    const delta = yield* work;
    if (!delta.length) return;
    if (!this.mayEdit || !this.session.editor) throw new DeltaConflict("The mask cannot be changed now.");
    const strokes = yield* this.session.editor.performing(layer, tool, plane, delta);
    if (trace && strokes.length) this.traces.push({ ...trace, id: strokes[0].id, voxels: countVoxels(delta) });
  }

  /** Long work without a stroke at its end; null when it was stopped. Only one such work goes on at a time. */
  async compute<T>(title: string, work: Operation<T>, edits = false): Promise<T | null> {
    state.operation.value?.cancel();
    let stopped = false;
    const mine = { title, part: 0, edits, cancel: () => (stopped = true) };
    state.operation.value = mine;
    const own = (): boolean => state.operation.value?.cancel === mine.cancel;
    try {
      return await carryOut(work, {
        progress: (part) => own() && (state.operation.value = { ...mine, part }),
        cancelled: () => stopped,
      });
    } catch (error) {
      if (error instanceof Cancelled) return null;
      throw error;
    } finally {
      if (own()) state.operation.value = null;
    }
  }

  endStroke(): void {
    const { trace } = this;
    const finished = this.session.editor?.finish();
    this.trace = null;
    if (!trace || !finished) return;
    trace.id = finished.stroke.id;
    trace.voxels = countVoxels(finished.delta);
    this.traces.push(trace);
  }

  dropDrag(): void {
    this.onCancel?.();
    this.onCancel = null;
  }

  cancelStroke(): void {
    this.trace = null;
    this.session.editor?.cancel();
  }

  undo(): void {
    this.step("undo");
  }

  redo(): void {
    this.step("redo");
  }

  private step(tool: "undo" | "redo"): void {
    const { editor } = this.session;
    if (!this.mayEdit || !editor || editor.painting) return void (this.steps.length = 0);
    // A large edit is being made: its turn comes, and the page is not held up until then.
    if (editor.working) return void this.steps.push(tool);
    const stopped = state.operation.value;
    stopped?.cancel();
    // What is still being worked out is what the reader takes back: nothing else is.
    if (stopped?.edits && tool === "undo") return;
    if (editor.isLarge(tool)) void this.compute(tool === "undo" ? "Undoing" : "Redoing", editor.stepping(tool)).then(() => this.nextStep());
    else {
      editor[tool]();
      this.nextStep();
    }
  }

  private nextStep(): void {
    const next = this.steps.shift();
    if (next) this.step(next);
  }

  /** What is under way, and the steps that wait for it, are done before anything else is. */
  private settle(): void {
    const { editor } = this.session;
    editor?.settle();
    for (let next = this.steps.shift(); next; next = this.steps.shift()) if (this.mayEdit) editor?.[next]();
  }

  /** Redraws the overlays after hiding, outlining or showing a crosshair. */
  restyle(): void {
    this.stage?.overlays();
  }

  voxelToClient(plane: PlaneName, i: number, j: number, k: number): [number, number] {
    return this.stage!.voxelToClient(plane, [i, j, k] as Vec3);
  }
}

/** The slices to begin with: the middle of the lesion, else of the lungs, else of the scan. */
function startSlices(reading: Reading, header: ContainerHeader): Record<PlaneName, number> {
  const [nz, ny, nx] = reading.scan.shape_zyx;
  const middleOf = (layer: string): number | undefined => {
    const found = header.frames.filter((frame) => frame.layer === layer);
    const heaviest = found.reduce((sum, frame) => sum + frame.length, 0) / 2;
    let sum = 0;
    return found.sort((a, b) => a.z - b.z).find((frame) => (sum += frame.length) >= heaviest)?.z;
  };
  const axial = middleOf("findings") ?? middleOf("anatomy") ?? Math.floor(nz / 2);
  return { axial, coronal: Math.floor(ny / 2), sagittal: Math.floor(nx / 2) };
}

/** Coronal and sagittal slices through the middle of what the axial slice shows: findings, else lung. */
function throughTheMask(layers: Layers, { axial, coronal, sagittal }: Record<PlaneName, number>): { coronal: number; sagittal: number } {
  const nx = layers.findings.shapeZyx[2];
  for (const layer of [layers.findings, layers.anatomy]) {
    const slice = layer.slices[axial];
    if (!slice) continue;
    const rows: number[] = [];
    const columns: number[] = [];
    for (let i = 0; i < slice.length; i++) {
      if (slice[i] !== 1) continue;
      rows.push(Math.floor(i / nx));
      columns.push(i % nx);
    }
    if (!rows.length) continue;
    columns.sort((a, b) => a - b);
    return { coronal: rows[rows.length >> 1], sagittal: columns[columns.length >> 1] };
  }
  return { coronal, sagittal };
}
