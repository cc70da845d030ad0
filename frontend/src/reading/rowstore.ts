/**
 * Rows that the server does not know of yet, in the browser's storage, in order. Each page has a place of its own; the next
 * page of the same reading takes over what is there, before anything of its own.
 */
import { newUuid } from "../edits/bytes";

export class RowStore<Row> {
  private readonly prefix: string;
  private readonly own: string;

  constructor(
    private readonly storage: Storage,
    kind: string,
    reading: string,
    reader: string,
    private readonly valid: (row: Row) => boolean,
  ) {
    this.prefix = `groundglass.${kind}.${reading}.${reader}.`;
    this.own = this.prefix + newUuid();
  }

  keep(rows: readonly Row[]): void {
    try {
      if (rows.length) this.storage.setItem(this.own, JSON.stringify(rows));
      else this.storage.removeItem(this.own);
    } catch {
      // Full or forbidden: the rows live as long as the page.
    }
  }

  takeOver(): Row[] {
    try {
      const others = Object.keys(this.storage).filter((key) => key.startsWith(this.prefix) && key !== this.own);
      const rows = others.flatMap((key) => this.read(key));
      this.keep(rows);
      others.forEach((key) => this.storage.removeItem(key));
      return rows;
    } catch {
      return [];
    }
  }

  private read(key: string): Row[] {
    try {
      const rows = JSON.parse(this.storage.getItem(key) ?? "[]") as Row[];
      return rows.filter((row) => row && this.valid(row));
    } catch {
      return [];
    }
  }
}
