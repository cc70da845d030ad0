/**
 * When a slice counts as seen, without a page around it. The reader has seen slice z when for the dwell (250 ms) without a
 * break: the axial plane was on the screen with no dialog over it, showed z alone (no slab of several slices) from full
 * voxels, no smaller than fitted, in a window that shows the lung, and the page was visible. Time that goes on after that
 * is added to the slice's dwell.
 */

export interface Sight {
  /** The axial slice on the screen; null when the plane is not. */
  z: number | null;
  loaded: boolean;
  fitted: boolean;
  width: number;
  level: number;
  /** False where the values are no Hounsfield units: no window can be asked for then. */
  hasHu?: boolean;
  visible: boolean;
  /** Thickness of the slab whose maximum is shown; 0: the slice alone. */
  slabMm: number;
  /** A dialog lies over the picture. */
  covered: boolean;
}

export const DWELL_MS = 250;

/** Aerated lung lies at -950 to -700 HU, lesion at -750 to 50: what a window must not make one black or one white. */
const LUNG_LOW = -900;
const LUNG_HIGH = -300;
const WIDEST = 2500;

/** Whether lung and what lies in it can be told apart in this window. */
export function showsLung(width: number, level: number): boolean {
  return width <= WIDEST && level - width / 2 <= LUNG_LOW && level + width / 2 >= LUNG_HIGH;
}

export function counts({ z, loaded, fitted, width, level, hasHu, visible, slabMm, covered }: Sight): boolean {
  return z !== null && loaded && fitted && visible && !slabMm && !covered && (hasHu === false || showsLung(width, level));
}

export interface Look {
  z: number;
  at: string;
  dwellMs: number;
}

/** Follows what is on the screen; `now` in ms that never go back, `clock` the time of day. */
export class Eye {
  private z: number | null = null;
  private since = 0;
  private began = "";
  private told = 0;

  /** `dwellMs`: how long the protocol wants a slice to be looked at. */
  constructor(
    private readonly dwellMs: number = DWELL_MS,
    private readonly clock: () => string = () => new Date().toISOString(),
  ) {}

  /** What is on the screen from `now` on. Returns the time spent on the slice that was left, if it counts. */
  turn(sight: Sight, now: number): Look | null {
    const next = counts(sight) ? sight.z : null;
    if (next === this.z) return null;
    const left = this.look(now);
    this.z = next;
    this.since = now;
    this.told = 0;
    this.began = this.clock();
    return left;
  }

  /** Time on the slice that was not told yet; null before the dwell. The first answer for a slice makes it seen. */
  look(now: number): Look | null {
    const spent = now - this.since;
    if (this.z === null || spent < this.dwellMs || Math.round(spent - this.told) <= 0) return null;
    const dwellMs = Math.round(spent - this.told);
    this.told += dwellMs;
    return { z: this.z, at: this.began, dwellMs };
  }

  /** Ms until the slice on the screen is seen; null when it is already, or none counts. */
  remaining(now: number): number | null {
    return this.z === null || this.told ? null : Math.max(0, this.dwellMs - (now - this.since));
  }
}
