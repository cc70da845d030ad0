/** Numbers as people read them; a dash where there is none. */
export const fixed = (value: number | null | undefined, digits: number): string =>
  value === null || value === undefined
    ? "–"
    : value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });

/** Volumes: two decimals below 10 mL, one below 1,000, none above. */
export const millilitres = (value: number | null | undefined): string =>
  fixed(value, value === null || value === undefined || value >= 1000 ? 0 : value < 10 ? 2 : 1);

/** An amount of tissue with its unit: mL, or voxels where a scan has no size (pictures), of which 1,000 count as one. */
export const amount = (ml: number | null | undefined, hasSize: boolean | undefined): string =>
  hasSize === false ? `${fixed(ml === null || ml === undefined ? ml : Math.round(ml * 1000), 0)} voxels` : `${millilitres(ml)} mL`;
