/** What is decided of each axial slice, without a page around it: the verdicts, and what they leave open. */

export type VerdictWord = "present" | "absent" | "indeterminate";
export type How = "key" | "range" | "derived";

export interface VerdictRow {
  z_first: number;
  z_last: number;
  verdict: VerdictWord;
  how: How;
}

/** Verdicts by slice: 0 none, 1 present, 2 absent, 3 indeterminate. */
export const CODES: Record<VerdictWord, number> = { present: 1, absent: 2, indeterminate: 3 };
export const WORDS = ["", "present", "absent", "indeterminate"] as const;
/** What people read: a reader says "undecided". */
export const SHOWN = ["no verdict", "lesion present", "lesion absent", "undecided"] as const;

export function applied(verdicts: Uint8Array, rows: readonly VerdictRow[]): Uint8Array {
  const after = verdicts.slice();
  for (const { z_first, z_last, verdict } of rows) after.fill(CODES[verdict], z_first, z_last + 1);
  return after;
}

/** 1 for each slice with lung that has no verdict, or the one that decides nothing. */
export function undecidedOf(lung: Uint8Array, verdicts: Uint8Array): Uint8Array {
  return lung.map((holds, z) => (holds && verdicts[z] !== 1 && verdicts[z] !== 2 ? 1 : 0));
}

/** 1 for each slice whose verdict and mask do not say the same. */
export function contradictedOf(lesion: Uint8Array, verdicts: Uint8Array): Uint8Array {
  return verdicts.map((code, z) => (code === 1 || code === 2 ? Number((code === 1) !== !!lesion[z]) : 0));
}

/** The verdicts that the mask itself gives to marked slices, as ranges of one verdict each. */
export function derived(marks: Uint8Array, lesion: Uint8Array): VerdictRow[] {
  const rows: VerdictRow[] = [];
  for (let z = 0; z < marks.length; z++) {
    if (!marks[z]) continue;
    const verdict: VerdictWord = lesion[z] ? "present" : "absent";
    const last = rows[rows.length - 1];
    if (last && last.z_last === z - 1 && last.verdict === verdict) last.z_last = z;
    else rows.push({ z_first: z, z_last: z, verdict, how: "derived" });
  }
  return rows;
}

/** Slices in words, as ranges of the numbers that people see: "3 to 7, 9". */
export function inWords(slices: readonly number[], most = 6): string {
  const ranges: [number, number][] = [];
  for (const z of slices) {
    const last = ranges[ranges.length - 1];
    if (last && z === last[1] + 1) last[1] = z;
    else ranges.push([z, z]);
  }
  const words = ranges.slice(0, most).map(([from, to]) => (from === to ? `${from + 1}` : `${from + 1} to ${to + 1}`));
  return words.join(", ") + (ranges.length > most ? ` and ${ranges.length - most} more` : "");
}
