/** What the slice strip shows on each row of pixels, and what it says of a slice. Several slices may share a row. */

import { SHOWN } from "../reading/verdicts";

export interface SliceFacts {
  total: number;
  lung: Uint8Array;
  seen: Uint8Array;
  lesion: Uint8Array;
  edited: Uint8Array;
  disputed: Uint8Array;
  undecided: Uint8Array;
  /** Verdict and mask do not fit. */
  contradicted: Uint8Array;
  /** As reading/verdicts.ts counts them. */
  verdicts: Uint8Array;
}

/** One band of the strip, in pixels from the top; the head is at the top. */
export interface Band {
  top: number;
  height: number;
  /** Lung in it, and whether some slice with lung was not seen yet: what is left to do must not hide behind its neighbour. */
  lung: boolean;
  seen: boolean;
  /** Any slice of the band has it. */
  lesion: boolean;
  edited: boolean;
  disputed: boolean;
  undecided: boolean;
  contradicted: boolean;
}

/** From this many pixels a slice on, slices are drawn apart. */
const GAP_FROM_PX = 4;

export function bandsOf(facts: SliceFacts, heightPx: number): Band[] {
  const { total } = facts;
  if (!total || heightPx < 1) return [];
  const bands: Band[] = [];
  const rows = Math.min(total, Math.floor(heightPx));
  for (let row = 0; row < rows; row++) {
    const top = Math.floor((row * heightPx) / rows);
    const bottom = Math.floor(((row + 1) * heightPx) / rows);
    const high = total - 1 - Math.floor((row * total) / rows);
    const low = total - Math.floor(((row + 1) * total) / rows);
    const any = (marks: Uint8Array): boolean => {
      for (let z = low; z <= high; z++) if (marks[z]) return true;
      return false;
    };
    let seen = true;
    let lung = false;
    for (let z = low; z <= high; z++) {
      lung ||= !!facts.lung[z];
      if (facts.lung[z] && !facts.seen[z]) seen = false;
    }
    if (!lung) seen = any(facts.seen);
    bands.push({
      top,
      height: Math.max(1, bottom - top - (heightPx / rows >= GAP_FROM_PX ? 1 : 0)),
      lung,
      seen,
      lesion: any(facts.lesion),
      edited: any(facts.edited),
      disputed: any(facts.disputed),
      undecided: any(facts.undecided),
      contradicted: any(facts.contradicted),
    });
  }
  return bands;
}

/** The slice under a place of the strip, `part` from the top (0 to 1). */
export function sliceAtPart(part: number, total: number): number {
  return Math.max(0, Math.min(total - 1, total - 1 - Math.floor(part * total)));
}

/** Where a slice lies, as parts of the strip's height. */
export function partOf(z: number, total: number): { from: number; to: number } {
  return { from: (total - 1 - z) / total, to: (total - z) / total };
}

/** A slice and its facts in words. */
export function describeSlice(z: number, facts: SliceFacts): string {
  const words = [
    facts.lesion[z] ? "lesion" : "",
    facts.edited[z] ? "edited" : "",
    facts.disputed[z] ? "differs" : "",
    facts.verdicts[z] ? `verdict ${SHOWN[facts.verdicts[z]]}` : facts.undecided[z] ? "undecided" : "",
    facts.contradicted[z] ? "verdict and mask do not fit" : "",
    facts.lung.length && !facts.lung[z] ? "no lung" : facts.seen[z] ? "seen" : "not seen",
  ].filter(Boolean);
  return `Slice ${z + 1} of ${facts.total}: ${words.join(", ")}`;
}
