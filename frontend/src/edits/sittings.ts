/** A row of strokes by reader and time: who worked when, and the way from one reader's stroke to the next. */
export interface Told {
  who: string;
  server_time: string;
}

/** Strokes of one reader, one after the other without a long pause. Positions count from 1. */
export interface Sitting {
  who: string;
  began: string;
  first: number;
  last: number;
}

const PAUSE_MS = 30 * 60_000;

export function sittingsOf(strokes: readonly Told[]): Sitting[] {
  const found: Sitting[] = [];
  let before = -Infinity;
  strokes.forEach(({ who, server_time }, n) => {
    const now = Date.parse(server_time);
    const last = found[found.length - 1];
    if (last?.who === who && now - before < PAUSE_MS) last.last = n + 1;
    else found.push({ who, began: server_time, first: n + 1, last: n + 1 });
    before = now;
  });
  return found;
}

/** Everyone who made a stroke, in the order in which they came. */
export function peopleOf(sittings: readonly Sitting[]): string[] {
  return [...new Set(sittings.map(({ who }) => who))];
}

/** From a position the next stroke of a reader (null: of anyone), forth or back; null where there is none. Back from the first is 0. */
export function nextOf(strokes: readonly Told[], position: number, by: 1 | -1, who: string | null): number | null {
  for (let n = position + by; n > 0 && n <= strokes.length; n += by) if (who === null || strokes[n - 1].who === who) return n;
  return by < 0 && position > 0 ? 0 : null;
}
