/** The browser's own copy of strokes until the server has answered: IndexedDB, strict durability. */
import { openDB, type DBSchema, type IDBPDatabase } from "idb";
import type { LayerName } from "./layers";

export interface Stroke {
  id: string;
  reading: string;
  layer: LayerName;
  tool: string;
  plane: "axial" | "coronal" | "sagittal" | "none";
  tab: string;
  epoch: number;
  sequence: number;
  clientTime: string;
  undoes: string | null;
  payload: Uint8Array;
  sha256: string;
  key?: number;
}

interface Tab {
  tab: string;
  reading: string;
  sequence: number;
}

interface LogSchema extends DBSchema {
  strokes: { key: number; value: Stroke; indexes: { reading: string } };
  tabs: { key: string; value: Tab; indexes: { reading: string } };
}

/** The browser has no room left: painting must stop, since nothing more can be kept. */
export class StorageFull extends Error {}

export class StrokeLog {
  private constructor(private readonly database: IDBPDatabase<LogSchema>) {}

  static async open(name = "groundglass"): Promise<StrokeLog> {
    const database = await openDB<LogSchema>(name, 1, {
      upgrade(db) {
        db.createObjectStore("strokes", { keyPath: "key", autoIncrement: true }).createIndex("reading", "reading");
        db.createObjectStore("tabs", { keyPath: "tab" }).createIndex("reading", "reading");
      },
    });
    return new StrokeLog(database);
  }

  /** Writes the stroke and its tab's counter in one strict transaction; resolves when both are on disk. */
  async keep(stroke: Stroke): Promise<void> {
    try {
      const work = this.database.transaction(["strokes", "tabs"], "readwrite", { durability: "strict" });
      const [key] = await Promise.all([
        work.objectStore("strokes").add(stroke),
        work.objectStore("tabs").put({ tab: stroke.tab, reading: stroke.reading, sequence: stroke.sequence }),
        work.done,
      ]);
      stroke.key = key;
    } catch (error) {
      const failure = error as DOMException;
      if (failure.name === "QuotaExceededError" || failure.name === "AbortError") throw new StorageFull(failure.message);
      throw error;
    }
  }

  async forget(strokes: readonly Stroke[]): Promise<void> {
    const work = this.database.transaction("strokes", "readwrite");
    for (const stroke of strokes) if (stroke.key !== undefined) void work.store.delete(stroke.key);
    await work.done;
  }

  async pending(reading: string): Promise<Stroke[]> {
    return this.database.getAllFromIndex("strokes", "reading", reading);
  }

  /** Remembers a tab from its first moment, so that a reload can go on under its name. */
  async nameTab(tab: string, reading: string): Promise<void> {
    await this.database.put("tabs", { tab, reading, sequence: 0 });
  }

  async tabs(reading: string): Promise<Tab[]> {
    return this.database.getAllFromIndex("tabs", "reading", reading);
  }

  close(): void {
    this.database.close();
  }
}
