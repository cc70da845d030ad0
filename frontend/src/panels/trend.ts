/** Where the points of a small chart over time lie. Pure. */
export interface Trend {
  /** x and y of each point in the box; y null where there is no value. */
  points: { x: number; y: number | null }[];
  /** The line's parts: a gap where a value is missing. */
  path: string;
  /** The value at the top of the box; the bottom is 0. */
  top: number;
}

const STEPS = [1, 2, 5];

/** The next round number at or above a value: 1, 2 or 5 times a power of ten. */
export function roundUp(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = STEPS.find((factor) => factor * power >= value * (1 - 1e-9));
  return (step ?? 10) * power;
}

/** By date where every scan has one (a day is a day wide), else evenly, in order. */
export function placesInTime(whens: readonly (string | null)[], width: number): number[] {
  const times = whens.map((when) => (when === null ? NaN : Date.parse(when)));
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const dated = times.every((time) => !Number.isNaN(time)) && last > first;
  return whens.map((_, n) => (dated ? ((times[n] - first) / (last - first)) * width : whens.length > 1 ? (n / (whens.length - 1)) * width : width / 2));
}

export function trendOf(whens: readonly (string | null)[], values: readonly (number | null)[], width: number, height: number): Trend {
  const top = roundUp(Math.max(0, ...values.map((value) => value ?? 0)));
  const places = placesInTime(whens, width);
  const points = values.map((value, n) => ({ x: places[n], y: value === null ? null : height * (1 - value / top) }));
  const path = points
    .map(({ x, y }, n) => (y === null ? "" : `${n > 0 && points[n - 1].y !== null ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`))
    .join("");
  return { points, path, top };
}
