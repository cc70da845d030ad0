/** How masks are shown: signals, no logic. The painter reads them, the panels set them. */
import { computed, signal } from "@preact/signals";
import type { Layer, LayerName, Layers } from "./edits/layers";
import { numberIn, oneOf, remember, yesOrNo } from "./preferences";

export interface Author {
  who: string;
  kind: string;
  stage: string;
  colour: string;
}

export type MaskLook = "both" | "fill" | "outline";

/** What is drawn in the mask's place or over it. */
export type Shown =
  | { kind: "mask" }
  /** A past state: nothing can be painted while it is looked at. */
  | { kind: "film"; layers: Layers; title: string }
  /** Three classes: both, only A (null: the mask itself), only B. `counted` says which labels are compared; all without it. */
  | { kind: "difference"; layer: LayerName; a: Layers | null; b: Layers; counted?: Uint8Array }
  /** Each voxel in the colour of whoever set it: `map` holds index + 1 into `authors`. */
  | { kind: "provenance"; layer: LayerName; map: Layer; authors: readonly Author[] };

export const shown = signal<Shown>({ kind: "mask" });
export const look = signal<MaskLook>("both");
export const fillPercent = signal(30);
export const lungShown = signal(true);
export const lungLook = signal<"outline" | "fill">("outline");
remember("masks.look", look, { valid: oneOf("both", "fill", "outline") });
remember("masks.fill", fillPercent, { valid: numberIn(5, 100) });
remember("masks.lung", lungShown, { valid: yesOrNo });
remember("masks.lung_look", lungLook, { valid: oneOf("outline", "fill") });
/** Labels that are not drawn, and labels that nothing overwrites, as "layer:value". */
export const hiddenLabels = signal<ReadonlySet<string>>(new Set());
export const lockedLabels = signal<ReadonlySet<string>>(new Set());
/** What a region tool would change, before it is confirmed: non-zero voxels. */
export const preview = signal<{ layer: Layer; colour: string } | null>(null);
/** Axial slices on which the compared masks differ. */
export const disputedSlices = signal<Uint8Array>(new Uint8Array(0));
export const seenSlices = signal<Uint8Array>(new Uint8Array(0));
/** Axial slices that hold lung: those that a signature speaks of. */
export const lungSlices = signal<Uint8Array>(new Uint8Array(0));
/** Axial slices with lesion: labels that are no exclusion. */
export const lesionOnly = signal<Uint8Array>(new Uint8Array(0));
/** The verdict on each axial slice, as reading/verdicts.ts counts them. */
export const verdicts = signal<Uint8Array>(new Uint8Array(0));

export const labelKey = (layer: LayerName, value: number): string => `${layer}:${value}`;
export const lockedOf = (layer: LayerName): ReadonlySet<number> =>
  new Set([...lockedLabels.value].filter((key) => key.startsWith(`${layer}:`)).map((key) => Number(key.slice(layer.length + 1))));
/** The mask itself is on the screen, so it may be painted. */
export const paintable = computed(() => shown.value.kind !== "film" && !(shown.value.kind === "difference" && shown.value.a));
