/**
 * Which tab this is. A tab that died (browser killed, page reloaded) leaves its name behind; the next one that opens
 * the same reading goes on under that name, and so under its lease, as long as no living tab holds it.
 */
import { newUuid } from "../edits/bytes";
import type { StrokeLog } from "../edits/strokelog";

const PREFIX = "groundglass-tab-";

async function seize(name: string): Promise<boolean> {
  return new Promise((answer) => {
    void navigator.locks.request(PREFIX + name, { ifAvailable: true }, (lock) => {
      answer(lock !== null);
      // Held until the tab dies.
      return lock ? new Promise<void>(() => undefined) : undefined;
    });
  });
}

export interface TabIdentity {
  tab: string;
  sequence: number;
}

/** `leased`: the tab that the server says holds the reading, where it is one of this person's. */
export async function identifyTab(log: StrokeLog, reading: string, leased?: string | null): Promise<TabIdentity> {
  // Pages served without TLS have no locks: there a name is never taken up again.
  if (navigator.locks) {
    const known = await log.tabs(reading);
    for (const { tab, sequence } of known.sort((a, b) => Number(b.tab === leased) - Number(a.tab === leased))) {
      if (await seize(tab)) return { tab, sequence };
    }
  }
  const tab = newUuid();
  if (navigator.locks) await seize(tab);
  await log.nameTab(tab, reading);
  return { tab, sequence: 0 };
}

/**
 * Tabs that live now: their strokes are theirs to send. Without locks nobody can tell, and everybody sends what is there:
 * the server takes each stroke once.
 */
export async function livingTabs(): Promise<Set<string>> {
  if (!navigator.locks) return new Set();
  const { held } = await navigator.locks.query();
  return new Set((held ?? []).flatMap(({ name }) => (name?.startsWith(PREFIX) ? [name.slice(PREFIX.length)] : [])));
}
