/**
 * What is to be drawn with the next frame: as much as fits into one, the rest with those that follow. What was asked for
 * first is drawn first, so the plane under the hand is asked for before the others.
 */

/** A frame has 16 ms; the rest is for input and for the browser. */
const BUDGET_MS = 9;

const wanted = new Map<object, () => void>();
let frame = 0;

/** Draws with the next frame; asked for twice under one name, once. */
export function draw(name: object, work: () => void): void {
  wanted.set(name, work);
  frame ||= requestAnimationFrame(run);
}

export function forget(name: object): void {
  wanted.delete(name);
}

function run(): void {
  frame = 0;
  const end = performance.now() + BUDGET_MS;
  for (const [name, work] of wanted) {
    wanted.delete(name);
    work();
    if (wanted.size && performance.now() > end) break;
  }
  if (wanted.size) frame ||= requestAnimationFrame(run);
}
