/** What the panels show and the tools act on: signals, one module, no logic. */
import { computed, signal } from "@preact/signals";
import type { Reading } from "./api/types";
import type { Numbers } from "./edits/measure";
import type { SaveState } from "./edits/queue";
import type { LayerName } from "./edits/layers";
import type { Stroke } from "./edits/strokelog";
import type { PlaneName } from "./geometry/grid";

export type ToolName =
  | "brush"
  | "sphere"
  | "eraser"
  | "threshold"
  | "lasso"
  | "rectangle"
  | "circle"
  | "fill"
  | "grow"
  | "relabel"
  | "keep"
  | "interpolate"
  | "smooth"
  | "islands"
  | "copy"
  | "replace"
  | "threshold_lung"
  | "length"
  | "window"
  | "pan"
  | "zoom";

export type SectionName = "labels" | "lesions" | "history" | "guideline" | "comments" | "scores";

export interface Target {
  layer: LayerName;
  value: number;
}

export type Writing =
  | { kind: "starting" }
  | { kind: "writing" }
  /** `asked`: this tab has asked for it. */
  | { kind: "held"; holder: string; since: string; asked?: boolean }
  /** Nobody writes, and this tab may. */
  | { kind: "free" }
  | { kind: "read_only"; sentence: string };

export const reading = signal<Reading | null>(null);
export const trouble = signal<string | null>(null);
export const notice = signal<string | null>(null);
export const writing = signal<Writing>({ kind: "starting" });
export const saving = signal<SaveState>({ kind: "saved", at: null });
export const numbers = signal<Numbers | null>(null);
export const tool = signal<ToolName>("window");
/** The last tool that acted at once, until another is taken in hand: its settings are shown too. */
export const lastActed = signal<ToolName | null>(null);
export const target = signal<Target>({ layer: "findings", value: 1 });
/** Diameter of the brush. */
export const brushMm = signal(12);
export const slices = signal<Record<PlaneName, number>>({ axial: 0, coronal: 0, sagittal: 0 });
export const voi = signal({ width: 1500, level: -600 });
export const activePlane = signal<PlaneName>("axial");
export const oneUp = signal<PlaneName | null>(null);
export const masksHidden = signal(false);
/** Thickness of the slab whose maximum intensity is shown; 0: the slice alone. */
export const slabMm = signal(0);
export const crosshair = signal(false);
export const loadedSlices = signal(0);
export const canUndo = signal(false);
export const canRedo = signal(false);
export const pointer = signal<{ hu: number | null; voxel: [number, number, number]; mm: [number, number, number] } | null>(null);
export const dialog = signal<"none" | "keys" | "sign" | "return" | "amend" | "signin">("none");
/** Long work that is under way; it ends by itself, by `cancel`, or when the reader paints. */
export const operation = signal<{ title: string; part: number; edits: boolean; cancel(): void } | null>(null);
/** Which section of the right panel is open beside labels and numbers. */
export const section = signal<SectionName>("labels");
/** Marks of the slice strip, by axial slice. */
export const lesionSlices = signal<Uint8Array>(new Uint8Array(0));
export const editedSlices = signal<Uint8Array>(new Uint8Array(0));

/** The mask is being brought up to date with the server: what is on the screen is not to be painted on. */
export const catchingUp = signal(false);
/** Who asks for the reading, from another tab; the writer may hand it over. */
export const asking = signal<string | null>(null);
/** Strokes that the server will not have: they are in this browser and nowhere else. */
export const setAside = signal<readonly Stroke[]>([]);
/** Strokes kept beside the mask that nobody has decided on. */
export const keptBeside = signal(0);

export const mayPaint = computed(() => writing.value.kind === "writing" && !catchingUp.value);

export const WINDOW_PRESETS = [
  { name: "Lung", width: 1500, level: -600 },
  { name: "Mediastinum", width: 400, level: 40 },
  { name: "Bone", width: 1800, level: 400 },
] as const;

export const hovered = signal<{ plane: PlaneName; u: number; v: number } | null>(null);
export const lettersOf = signal<Partial<Record<PlaneName, { right: string; left: string; top: string; bottom: string }>>>({});
/** Where a pixel of a plane's slice lies in its pane, in CSS pixels; set once the planes are there. */
export const placeOf = signal<((plane: PlaneName, u: number, v: number) => { x: number; y: number; mmPerPixel: number }) | null>(null);
