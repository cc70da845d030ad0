import { volumeUnit } from "../units";

/** Numbers as people read them; a dash where there is none. */
export const fixed = (value: number | null | undefined, digits: number): string =>
  value === null || value === undefined
    ? "–"
    : value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });

/** Volumes: two decimals below 10 mL, one below 1,000, none above; whole voxels where their size is unknown. */
export const inVolume = (value: number | null | undefined): string =>
  fixed(value, value === null || value === undefined || value >= 1000 || volumeUnit.value === "voxels" ? 0 : value < 10 ? 2 : 1);

/** With its unit. */
export const volume = (value: number | null | undefined): string => `${inVolume(value)} ${volumeUnit.value}`;
