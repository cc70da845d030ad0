/**
 * The next case's slabs, fetched into the browser's own cache while nothing else is going on: one after the other, with low
 * priority, only when this scan is whole, and given up as soon as the reader loads something else. At most one case.
 */
import { effect } from "@preact/signals";
import * as state from "../state";
import { fetchAhead, fetched } from "./ahead";
import { fetching } from "./compare";

const REST_MS = 1500;
/** A fetch that broke off is taken up again where it was; each time that brings nothing, after twice as long. */
const RETRY_MS = 30_000;

export { fetchAhead, fetched };

/** Data is dear to who says so. */
const sparing = (): boolean => !!(navigator as { connection?: { saveData?: boolean } }).connection?.saveData;

export function watchNext(get: typeof fetch = fetch): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let going: AbortController | null = null;
  let wait = RETRY_MS;
  effect(() => {
    const reading = state.reading.value;
    const slabs = reading?.next?.slabs;
    const whole = !!reading && state.loadedSlices.value >= reading.scan.shape_zyx[0];
    const busy = fetching.value !== null;
    clearTimeout(timer);
    if (busy || !whole) {
      going?.abort();
      going = null;
      return;
    }
    if (!slabs?.length || going || fetched.slabs >= slabs.length || sparing()) return;
    const begin = async (): Promise<void> => {
      const mine = (going = new AbortController());
      // The middle of the scan is what is shown first.
      const middle = slabs[slabs.length >> 1].z_start;
      const order = [...slabs].sort((a, b) => Math.abs(a.z_start - middle) - Math.abs(b.z_start - middle));
      const before = fetched.slabs;
      await fetchAhead(order.slice(fetched.slabs), mine.signal, get);
      if (going !== mine) return;
      going = null;
      wait = fetched.slabs > before ? RETRY_MS : 2 * wait;
      if (fetched.slabs < slabs.length) timer = setTimeout(() => void begin(), wait);
    };
    timer = setTimeout(() => void begin(), REST_MS);
  });
}
