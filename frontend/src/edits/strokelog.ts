/** The browser's own copy of strokes until the server has answered: IndexedDB, strict durability. */
import { openDB, type DBSchema, type IDBPDatabase } from "idb";
import type { LayerName } from "./layers";

export interface Stroke {
  id: string;
  reading: string;
  /** Who painted it: on a shared machine nobody else sends it, or hears of it. */
  reader: string;
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
  /** What the parts of one edit have in common, where it has several: the server takes all of them or none. */
  edit?: string;
  key?: number;
  /** Why the server will not have it. It stays here until its reader decides. */
  refused?: string;
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

type Database = IDBPDatabase<LogSchema>;

/** The browser keeps nothing any more; the text is a sentence for people. */
export class NotKept extends Error {}

/** It has no room left. */
export class StorageFull extends NotKept {}

const FULL = "This browser has no room left to keep strokes safe.";
const BROKEN = "This browser can no longer keep strokes safe";

export class StrokeLog {
  private opening: Promise<Database> | null = null;
  /** What this page has put there and not taken away: put back where the browser's data were cleared meanwhile. */
  private readonly here = new Map<string, Stroke>();

  private constructor(private readonly name: string) {}

  static async open(name = "groundglass"): Promise<StrokeLog> {
    const log = new StrokeLog(name);
    await log.connection().catch((error: Error) => {
      throw notKept(error);
    });
    return log;
  }

  private connection(): Promise<Database> {
    return (this.opening ??= this.connect().catch((error: unknown) => {
      this.opening = null;
      throw error;
    }));
  }

  private async connect(): Promise<Database> {
    const lost = (): void => void (this.opening = null);
    const database: Database = await openDB<LogSchema>(this.name, 1, {
      upgrade(db) {
        db.createObjectStore("strokes", { keyPath: "key", autoIncrement: true }).createIndex("reading", "reading");
        db.createObjectStore("tabs", { keyPath: "tab" }).createIndex("reading", "reading");
      },
      // Another tab deletes the data, or brings a newer version: it must not wait for this one.
      blocking: () => {
        lost();
        database.close();
      },
      terminated: lost,
    });
    for (const stroke of this.here.values()) {
      if (stroke.key !== undefined && !(await database.get("strokes", stroke.key))) await database.put("strokes", stroke);
    }
    return database;
  }

  /** Once more where the connection was lost: cleared data and a closed database are no reason to lose a stroke. */
  private async withDatabase<T>(work: (database: Database) => Promise<T>): Promise<T> {
    const before = this.opening;
    try {
      return await work(await this.connection());
    } catch (error) {
      if (error instanceof StorageFull || (this.opening === before && !isLost(error))) throw error;
      if (this.opening === before) this.opening = null;
      return work(await this.connection());
    }
  }

  /** Writes the strokes of one edit and their tab's counter in one strict transaction; resolves when all are on disk. */
  async keep(...strokes: Stroke[]): Promise<void> {
    let keys: number[];
    try {
      keys = await this.withDatabase((database) => put(database, strokes));
    } catch (error) {
      throw notKept(error as Error);
    }
    strokes.forEach((stroke, n) => {
      stroke.key = keys[n];
      this.here.set(stroke.id, stroke);
    });
  }

  async forget(strokes: readonly Stroke[]): Promise<void> {
    strokes.forEach(({ id }) => this.here.delete(id));
    await this.withDatabase(async (database) => {
      const work = database.transaction("strokes", "readwrite");
      for (const stroke of strokes) if (stroke.key !== undefined) void work.store.delete(stroke.key);
      await work.done;
    });
  }

  /** The server will not have this one: it stays, with the reason, and is not sent again. */
  async setAside(stroke: Stroke, sentence: string): Promise<void> {
    stroke.refused = sentence;
    stroke.key = await this.withDatabase((database) => database.put("strokes", stroke));
  }

  /** The strokes of a reading, in the order in which they were painted. */
  async pending(reading: string): Promise<Stroke[]> {
    return this.withDatabase((database) => database.getAllFromIndex("strokes", "reading", reading));
  }

  /** How many strokes of which readings one person has left here, but for those of tabs that live. */
  async leftBy(reader: string, living: ReadonlySet<string>): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    for (const stroke of await this.withDatabase((database) => database.getAll("strokes"))) {
      if (stroke.reader === reader && !living.has(stroke.tab)) counts.set(stroke.reading, (counts.get(stroke.reading) ?? 0) + 1);
    }
    return counts;
  }

  /** Remembers a tab from its first moment, so that a reload can go on under its name. */
  async nameTab(tab: string, reading: string): Promise<void> {
    await this.withDatabase((database) => database.put("tabs", { tab, reading, sequence: 0 }));
  }

  async tabs(reading: string): Promise<Tab[]> {
    return this.withDatabase((database) => database.getAllFromIndex("tabs", "reading", reading));
  }

  close(): void {
    void this.opening?.then((database) => database.close());
  }
}

async function put(database: Database, strokes: readonly Stroke[]): Promise<number[]> {
  const { tab, reading, sequence } = strokes[strokes.length - 1];
  const work = database.transaction(["strokes", "tabs"], "readwrite", { durability: "strict" });
  const asked: Promise<number>[] = [];
  try {
    for (const stroke of strokes) {
      const key = work.objectStore("strokes").add(stroke);
      key.catch(() => undefined);
      asked.push(key);
    }
    const [keys] = await Promise.all([Promise.all(asked), work.objectStore("tabs").put({ tab, reading, sequence }), work.done]);
    return keys;
  } catch (error) {
    // What was not even asked for does not abort by itself: all of the edit, or none.
    try {
      work.abort();
    } catch {
      // It is over already.
    }
    await work.done.catch(() => undefined);
    // The requests only say that they were aborted; the transaction knows why.
    throw work.error ?? error;
  }
}

/** Errors of a connection that is gone; whatever else is wrong would be so again. */
function isLost(error: unknown): boolean {
  return ["InvalidStateError", "AbortError", "UnknownError", "TransactionInactiveError"].includes((error as DOMException).name);
}

function notKept(error: Error): NotKept {
  if (error.name === "QuotaExceededError") return new StorageFull(FULL);
  return new NotKept(`${BROKEN} (${error.message || error.name}).`);
}
