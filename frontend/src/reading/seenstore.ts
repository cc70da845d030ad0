/**
 * Slices seen that the server does not know of yet, in the browser's storage. Each page has a place of its own, so that two
 * tabs do not overwrite each other; the next page of the same reading takes over what is there.
 */
import type { SeenRow } from "../api/types";
import { newUuid } from "../edits/bytes";

export class SeenStore {
  private readonly prefix: string;
  private readonly own: string;

  constructor(
    private readonly storage: Storage,
    reading: string,
    reader: string,
    private readonly slices: number,
  ) {
    this.prefix = `groundglass.seen.${reading}.${reader}.`;
    this.own = this.prefix + newUuid();
  }

  /** What this page waits to send; nothing where there is no storage: then the rows live as long as the page. */
  keep(rows: readonly SeenRow[]): void {
    try {
      if (rows.length) this.storage.setItem(this.own, JSON.stringify(rows));
      else this.storage.removeItem(this.own);
    } catch {
      // Full or forbidden.
    }
  }

  /** What earlier pages left, and those beside this one: saying it twice changes nothing. It is this page's from now on. */
  takeOver(): SeenRow[] {
    try {
      const others = Object.keys(this.storage).filter((key) => key.startsWith(this.prefix) && key !== this.own);
      const rows = new Map<number, SeenRow>();
      for (const row of others.flatMap((key) => this.read(key))) {
        const known = rows.get(row.z);
        if (!known || known.dwell_ms < row.dwell_ms) rows.set(row.z, row);
      }
      this.keep([...rows.values()]);
      others.forEach((key) => this.storage.removeItem(key));
      return [...rows.values()];
    } catch {
      return [];
    }
  }

  private read(key: string): SeenRow[] {
    try {
      const rows = JSON.parse(this.storage.getItem(key) ?? "[]") as SeenRow[];
      return rows.filter(({ z, at, dwell_ms }) => Number.isInteger(z) && z >= 0 && z < this.slices && typeof at === "string" && dwell_ms > 0);
    } catch {
      return [];
    }
  }
}
