/** Long work in small steps on the page's own thread: nothing is copied, and the picture never waits. */

/** Yields how far it is (0 to 1), often: each few milliseconds of work. */
export type Operation<T> = Generator<number, T, void>;

export class Cancelled extends Error {}

const BUDGET_MS = 10;

/** Runs an operation to its end in slices of `budgetMs`, letting input and drawing through in between. */
export async function carryOut<T>(
  operation: Operation<T>,
  watch: { progress?(part: number): void; cancelled?(): boolean } = {},
  budgetMs = BUDGET_MS,
): Promise<T> {
  for (;;) {
    const end = performance.now() + budgetMs;
    do {
      const step = operation.next();
      if (step.done) return step.value;
      if (performance.now() >= end) watch.progress?.(step.value);
    } while (performance.now() < end);
    await breathe();
    if (watch.cancelled?.()) {
      operation.return(undefined as T);
      throw new Cancelled("Stopped.");
    }
  }
}

/** At once, for tests and for what is known to be small. */
export function carryOutAtOnce<T>(operation: Operation<T>): T {
  for (;;) {
    const step = operation.next();
    if (step.done) return step.value;
  }
}

const channel = typeof MessageChannel === "undefined" || typeof window === "undefined" ? null : new MessageChannel();
const waiting: (() => void)[] = [];
if (channel) channel.port1.onmessage = () => waiting.shift()?.();

/** A turn of the event loop without the 4 ms that nested timers cost. */
function breathe(): Promise<void> {
  return new Promise((done) => {
    if (!channel) return void setTimeout(done);
    waiting.push(done);
    channel.port2.postMessage(null);
  });
}
