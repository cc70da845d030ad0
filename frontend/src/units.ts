/**
 * In what lengths and volumes are told. Of some scans (pictures out of a public set, say) nothing is known of the size of a
 * voxel: lengths are in pixels there, volumes in voxels, and a weight is not told.
 */
import { computed } from "@preact/signals";
import { reading } from "./state";

const sized = computed(() => reading.value?.scan.voxel_volume_ml !== null);

export const lengthUnit = computed(() => (sized.value ? "mm" : "px"));
export const volumeUnit = computed(() => (sized.value ? "mL" : "voxels"));

/** What one voxel is in the unit of volumes. */
export const voxelVolume = computed(() => reading.value?.scan.voxel_volume_ml ?? 1);

/** The unit of a setting, in this scan's terms. */
export const unitOf = (unit: string | undefined): string | undefined =>
  unit === "mm" ? lengthUnit.value : unit === "mL" ? volumeUnit.value : unit;
