/**
 * Which tab this is. A tab that died (browser killed, page reloaded) leaves its name behind; the next one that opens
 * the same reading goes on under that name, and so under its lease, as long as no living tab holds it.
 */
import { newUuid } from "../edits/bytes";
import type { StrokeLog } from "../edits/strokelog";

async function seize(name: string): Promise<boolean> {
  if (!navigator.locks) return true;
  return new Promise((answer) => {
    void navigator.locks.request(`groundglass-tab-${name}`, { ifAvailable: true }, (lock) => {
      answer(lock !== null);
      // Held until the tab dies.
      return lock ? new Promise<void>(() => undefined) : undefined;
    });
  });
}

export interface TabIdentity {
  tab: string;
  sequence: number;
  /** Names of tabs of this reading that are alive elsewhere: their strokes are theirs to send. */
  alive: Set<string>;
}

export async function identifyTab(log: StrokeLog, reading: string): Promise<TabIdentity> {
  const known = (await log.tabs(reading)).reverse();
  const alive = new Set<string>();
  let mine: TabIdentity | null = null;
  for (const { tab, sequence } of known) {
    if (mine) {
      if (await heldElsewhere(tab)) alive.add(tab);
    } else if (navigator.locks && (await seize(tab))) {
      mine = { tab, sequence, alive };
    } else {
      alive.add(tab);
    }
  }
  if (mine) return mine;
  const tab = newUuid();
  await seize(tab);
  await log.nameTab(tab, reading);
  return { tab, sequence: 0, alive };
}

async function heldElsewhere(tab: string): Promise<boolean> {
  const state = await navigator.locks.query();
  return state.held?.some((lock) => lock.name === `groundglass-tab-${tab}`) ?? false;
}
