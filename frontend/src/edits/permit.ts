/** Where an edit may write: by Hounsfield window, inside the lung, over one label only, never over a locked label. */
import type { LayerName, Layers } from "./layers";

/** For an axial slice: may voxel `i`, which holds `old`, be written? Null: the whole slice may. */
export type Permit = (z: number) => ((i: number, old: number) => boolean) | null;

export interface PermitOptions {
  /** Both ends belong to it. */
  huRange: readonly [number, number] | null;
  insideLung: boolean;
  /** Write only over voxels that hold this label (0: over nothing yet). */
  onlyOver: number | null;
  /** Labels of the edited layer that nothing may overwrite or erase. */
  locked: ReadonlySet<number>;
}

const never = (): boolean => false;

/** Null when everything may be written. A slice whose voxels are not loaded yet cannot be written by Hounsfield value. */
export function permitOf(
  options: PermitOptions,
  layers: Layers,
  layer: LayerName,
  huSlice: (z: number) => Int16Array | null,
): Permit | null {
  const { huRange, onlyOver, locked } = options;
  const insideLung = options.insideLung && layer === "findings";
  if (!huRange && !insideLung && onlyOver === null && !locked.size) return null;
  const over = new Uint8Array(256).fill(onlyOver === null ? 1 : 0);
  if (onlyOver !== null) over[onlyOver] = 1;
  locked.forEach((value) => (over[value] = 0));
  return (z) => {
    const lung = insideLung ? layers.anatomy.slices[z] : null;
    const hu = huRange ? huSlice(z) : null;
    if ((insideLung && !lung) || (huRange && !hu)) return never;
    const [low, high] = huRange ?? [0, 0];
    return (i, old) => over[old] === 1 && (!lung || lung[i] !== 0) && (!hu || (hu[i] >= low && hu[i] <= high));
  };
}
