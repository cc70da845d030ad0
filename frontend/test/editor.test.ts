import "fake-indexeddb/auto";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { decodeDelta, packRuns, type SliceRuns } from "../src/edits/delta";
import { Editor, PART_BYTES, TooLarge } from "../src/edits/editor";
import { EditHistory } from "../src/edits/history";
import { emptyLayers, type Layers, type Shape } from "../src/edits/layers";
import { carryOut } from "../src/edits/operation";
import { SaveQueue, type Outcome, type Part, type SaveState } from "../src/edits/queue";
import { StorageFull, StrokeLog, type Stroke } from "../src/edits/strokelog";
import { recall } from "../src/reading/recall";

const SHAPE: Shape = [6, 8, 8];
const READING = "r";
let log: StrokeLog;
let number = 0;

beforeEach(async () => {
  log = await StrokeLog.open(`test-${number++}`);
});

/** Applies what it is sent, once for each id, like the server. */
class FakeServer {
  layers: Layers;
  known = new Map<string, number>();
  down = 0;
  losesAnswers = 0;
  says: Outcome | null = null;
  parts = new Map<string, string>();
  /** After so many parts the line is cut. */
  partsUntilCut = Infinity;
  partsTaken = 0;

  constructor(private readonly shape: Shape = SHAPE) {
    this.layers = emptyLayers(shape);
  }

  postPart = async ({ payload, payload_sha256 }: Part): Promise<"ok" | Outcome> => {
    if (this.partsUntilCut-- <= 0) return { kind: "offline" };
    this.partsTaken++;
    this.parts.set(payload_sha256, payload);
    return "ok";
  };

  post = async (strokes: Record<string, unknown>[]): Promise<Outcome> => {
    if (this.says) return this.says;
    if (this.down > 0) {
      this.down--;
      return { kind: "offline" };
    }
    const missing = strokes.filter((one) => one.payload === null && !this.known.has(one.id as string) && !this.parts.has(one.payload_sha256 as string));
    if (missing.length) return { kind: "parts", hashes: missing.map((one) => one.payload_sha256 as string) };
    const results = strokes.map((stroke) => {
      const id = stroke.id as string;
      const seen = this.known.get(id);
      if (seen === undefined) {
        const payload = Uint8Array.from(atob((stroke.payload as string | null) ?? this.parts.get(stroke.payload_sha256 as string)!), (letter) => letter.charCodeAt(0));
        this.layers[stroke.layer as "findings"].apply(decodeDelta(payload, this.shape));
        this.known.set(id, this.known.size + 1);
      }
      const status = seen === undefined ? ("applied" as const) : ("duplicate" as const);
      return { id, status, stroke_sequence: this.known.get(id)!, server_time: "2026-01-01T10:00:00Z" };
    });
    if (this.losesAnswers > 0) {
      this.losesAnswers--;
      return { kind: "offline" };
    }
    return { kind: "ok", answer: { results, mask: { stroke_sequence: this.known.size, head_hash: "" } } };
  };
}

function writer(server: FakeServer, layers: Layers = emptyLayers(SHAPE)): { editor: Editor; queue: SaveQueue; states: SaveState[] } {
  const states: SaveState[] = [];
  const queue = new SaveQueue(log, server.post, { state: (state) => states.push(state), acknowledged: () => undefined, setAside: () => undefined }, server.postPart);
  const editor = new Editor(layers, log, { reading: READING, reader: "me", tab: "t", epoch: 1 }, 0, {
    changed: () => undefined,
    recorded: () => undefined,
    kept: (...strokes) => queue.add(...strokes),
    unkept: (strokes) => queue.add(...strokes),
    historyMoved: () => undefined,
    outdated: () => undefined,
  });
  return { editor, queue, states };
}

function paint(editor: Editor, z: number, from: number, to: number, value: number): void {
  editor.begin("findings", value ? "brush" : "eraser", "axial");
  editor.fill(z, from, to, value);
  editor.finish();
}

const same = (a: Layers, b: Layers): void => {
  for (let z = 0; z < SHAPE[0]; z++) {
    expect(a.findings.slices[z] ?? new Uint8Array(64)).toEqual(b.findings.slices[z] ?? new Uint8Array(64));
  }
};

describe("strokes", () => {
  it("reach the server, with undo and redo as strokes of their own", async () => {
    const server = new FakeServer();
    const { editor, queue, states } = writer(server);
    paint(editor, 1, 3, 20, 1);
    paint(editor, 2, 0, 9, 2);
    paint(editor, 1, 5, 8, 0);
    const undone = editor.undo()!;
    expect(undone.tool).toBe("undo");
    const redone = editor.redo()!;
    expect(redone.undoes).toBe(undone.id);
    editor.undo();
    await editor.flushed();
    expect(await queue.settled()).toBe(true);
    same(server.layers, editor.layers);
    expect(server.known.size).toBe(6);
    expect(states.at(-1)).toEqual({ kind: "saved", at: "2026-01-01T10:00:00Z" });
    expect(await log.pending(READING)).toEqual([]);
  });

  it("that change nothing are no strokes", () => {
    const { editor } = writer(new FakeServer());
    editor.begin("findings", "eraser", "axial");
    expect(editor.fill(0, 0, 10, 0)).toBe(false);
    expect(editor.finish()).toBeNull();
    expect(editor.history.canUndo).toBe(false);
  });

  it("undone one by one give the first mask again, and redone the last", () => {
    const { editor } = writer(new FakeServer());
    let seed = 5;
    const next = (n: number): number => (seed = (seed * 16807) % 2147483647) % n;
    for (let s = 0; s < 200; s++) paint(editor, next(6), next(30), 30 + next(34), next(3));
    const last = editor.layers.findings.slices.map((slice) => slice?.slice());
    let steps = 0;
    while (editor.undo()) steps++;
    expect(editor.layers.findings.count(1) + editor.layers.findings.count(2)).toBe(0);
    while (editor.redo()) steps--;
    expect(steps).toBe(0);
    expect(editor.layers.findings.slices.map((slice) => slice?.slice())).toEqual(last);
  });

  it("wait in the log while the server is away, and are sent once when answers are lost", async () => {
    const server = new FakeServer();
    server.says = { kind: "offline" };
    const { editor, queue, states } = writer(server);
    for (let s = 0; s < 20; s++) paint(editor, s % 6, s, s + 3, 1 + (s % 2));
    await editor.flushed();
    expect((await log.pending(READING)).length).toBe(20);
    server.says = null;
    server.down = 1;
    server.losesAnswers = 1;
    expect(await queue.settled()).toBe(true);
    expect(states.some((state) => state.kind === "offline")).toBe(true);
    same(server.layers, editor.layers);
    expect(server.known.size).toBe(20);
  });

  it("left by a killed browser are sent by the next one, in their order", async () => {
    const server = new FakeServer();
    server.says = { kind: "offline" };
    const first = writer(server);
    for (let s = 0; s < 5; s++) paint(first.editor, 0, s, s + 10, s % 2);
    await first.editor.flushed();
    server.says = null;
    const left = await log.pending(READING);
    expect(left.map((stroke) => stroke.sequence)).toEqual([1, 2, 3, 4, 5].slice(0, left.length));
    const second = writer(server);
    second.queue.add(...left);
    expect(await second.queue.settled()).toBe(true);
    same(server.layers, first.editor.layers);
  });

  it("stay when the session has ended, and go on after signing in again", async () => {
    const server = new FakeServer();
    server.says = { kind: "signed_out" };
    const { editor, queue, states } = writer(server);
    paint(editor, 0, 0, 5, 1);
    await editor.flushed();
    expect(await queue.settled(500)).toBe(false);
    expect(states.at(-1)).toEqual({ kind: "signed_out", count: 1 });
    server.says = null;
    queue.resume();
    expect(await queue.settled()).toBe(true);
    expect(server.known.size).toBe(1);
  });

  it("are sent all the more when the browser has no room to keep them, and counted as loose until then", async () => {
    const server = new FakeServer();
    server.says = { kind: "offline" };
    const { editor, queue, states } = writer(server);
    log.keep = () => Promise.reject(new StorageFull("full"));
    paint(editor, 0, 0, 5, 1);
    paint(editor, 0, 5, 9, 1);
    await editor.flushed();
    expect(states.at(-1)).toEqual({ kind: "offline", count: 2, loose: 2 });
    expect(editor.writing).toBe(false);
    server.says = null;
    queue.resume();
    expect(await queue.settled()).toBe(true);
    same(server.layers, editor.layers);
  });

  it("that the server will never take are set aside, and those behind them go", async () => {
    const server = new FakeServer();
    const { editor, queue } = writer(server);
    server.says = { kind: "offline" };
    for (let s = 0; s < 5; s++) paint(editor, s, 0, 5, 1);
    await editor.flushed();
    const bad = queue.pending[2];
    const post = server.post;
    server.says = null;
    server.post = async (strokes) =>
      strokes.some(({ id }) => id === bad.id) ? { kind: "refused", sentence: "Never.", stroke: bad.id } : post(strokes);
    const other = new SaveQueue(log, (strokes) => server.post(strokes), { state: () => undefined, acknowledged: () => undefined, setAside: () => undefined }, server.postPart);
    other.add(...(await log.pending(READING)));
    expect(await other.settled()).toBe(true);
    expect(server.known.size).toBe(4);
    const left = await log.pending(READING);
    expect(left.map(({ id, refused }) => [id, refused])).toEqual([[bad.id, "Never."]]);
  });

  it("wait while the reading as a whole is refused", async () => {
    const server = new FakeServer();
    server.says = { kind: "refused", sentence: "Not yours." };
    const { editor, queue, states } = writer(server);
    paint(editor, 0, 0, 5, 1);
    await editor.flushed();
    expect(await queue.settled(500)).toBe(false);
    expect(states.at(-1)).toEqual({ kind: "refused", sentence: "Not yours.", count: 1 });
    expect((await log.pending(READING)).length).toBe(1);
  });

  it("go in smaller batches where a server on the way takes no more", async () => {
    const server = new FakeServer();
    server.says = { kind: "offline" };
    const { editor } = writer(server);
    for (let s = 0; s < 12; s++) paint(editor, s % 6, s, s + 3, 1 + (s % 2));
    await editor.flushed();
    const sizes: number[] = [];
    server.says = null;
    const post = async (strokes: Record<string, unknown>[]): Promise<Outcome> => {
      sizes.push(strokes.length);
      return strokes.length > 2 ? { kind: "too_large", sentence: "Too large." } : server.post(strokes);
    };
    const other = new SaveQueue(log, post, { state: () => undefined, acknowledged: () => undefined, setAside: () => undefined }, server.postPart);
    other.add(...(await log.pending(READING)));
    expect(await other.settled()).toBe(true);
    expect(sizes.slice(0, 4)).toEqual([12, 6, 3, 2]);
    expect(server.known.size).toBe(12);
  });

  it.each([
    ["nothing", { kind: "ok", answer: { results: [], mask: { stroke_sequence: 0, head_hash: "" } } }],
    ["something else", { kind: "ok", answer: {} }],
  ])("are sent again when the server answers %s", async (_, answer) => {
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    const server = new FakeServer();
    server.says = answer as Outcome;
    const { editor, queue, states } = writer(server);
    paint(editor, 0, 0, 5, 1);
    await editor.flushed();
    await new Promise((done) => setTimeout(done, 50));
    expect(states.at(-1)).toEqual({ kind: "offline", count: 1 });
    server.says = null;
    expect(await queue.settled()).toBe(true);
    expect(server.known.size).toBe(1);
  });

  it("go on when whoever hears of an acknowledgement fails", async () => {
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    const server = new FakeServer();
    const deaf = { state: () => undefined, acknowledged: () => { throw new Error("deaf"); }, setAside: () => undefined };
    const queue = new SaveQueue(log, server.post, deaf, server.postPart);
    const { editor } = writer({ ...server, post: async () => ({ kind: "offline" }) } as unknown as FakeServer);
    for (let s = 0; s < 3; s++) {
      paint(editor, s, 0, 5, 1);
      await editor.flushed();
      queue.add((await log.pending(READING)).at(-1)!);
    }
    expect(await queue.settled()).toBe(true);
    expect(server.known.size).toBe(3);
  });

  it("larger than one request go as several, and are undone and redone as one edit", async () => {
    const shape: Shape = [20, 256, 256];
    const layers = emptyLayers(shape);
    const kept: Stroke[] = [];
    const editor = new Editor(layers, log, { reading: READING, reader: "me", tab: "t", epoch: 1 }, 0, {
      changed: () => undefined, recorded: (stroke) => kept.push(stroke), kept: () => undefined, unkept: () => undefined, historyMoved: () => undefined, outdated: () => undefined,
    });
    // Noise: every other voxel, the most that runs can cost.
    const noise = Array.from({ length: 20 }, (_, z) => ({ z, runs: packRuns(Array.from({ length: 128 * 256 }, (_, n) => ({ start: 2 * n, length: 1, old: 0, new: 1 }))) }));
    const strokes = editor.perform("findings", "threshold_lung", "none", noise);
    expect(strokes.length).toBe(3);
    expect(strokes.every(({ payload }) => payload.length <= PART_BYTES)).toBe(true);
    expect(layers.findings.at(6, 9, 7)).toBe(1);
    editor.undo();
    expect(layers.findings.slices.every((slice) => !slice?.some(Boolean))).toBe(true);
    expect(kept.slice(-strokes.length).map(({ undoes }) => undoes)).toEqual(strokes.map(({ id }) => id).reverse());
    editor.redo();
    expect(layers.findings.at(6, 9, 19)).toBe(1);
    // As after a reload: rebuilt from the log, still one edit.
    const again = new EditHistory();
    recall(again, kept, shape);
    expect(again.nextUndo()!.parts.map(({ undoes }) => undoes)).toEqual(kept.slice(-strokes.length).map(({ id }) => id).reverse());
    await editor.flushed();
  }, 30_000);

  describe("of one large edit", () => {
    const LARGE: Shape = [20, 256, 256];
    const noise = (): SliceRuns[] =>
      Array.from({ length: 20 }, (_, z) => ({ z, runs: packRuns(Array.from({ length: 128 * 256 }, (_, n) => ({ start: 2 * n, length: 1, old: 0, new: 1 }))) }));
    const painted = (layers: Layers): number => layers.findings.slices.reduce((sum, slice) => sum + (slice?.reduce((n, label) => n + label, 0) ?? 0), 0);
    const ALL = 20 * 128 * 256;

    it("go ahead in parts, go on after a cut in the middle, and are committed together", async () => {
      const server = new FakeServer(LARGE);
      server.partsUntilCut = 2;
      const { editor, queue, states } = writer(server, emptyLayers(LARGE));
      const strokes = editor.perform("findings", "threshold_lung", "none", noise());
      expect(strokes.length).toBe(3);
      expect(new Set(strokes.map(({ edit }) => edit)).size).toBe(1);
      await editor.flushed();
      await vi.waitFor(() => expect(states.at(-1)).toEqual({ kind: "offline", count: 3 }));
      expect(server.known.size, "nothing of it is committed").toBe(0);
      expect((await log.pending(READING)).length).toBe(3);
      server.partsUntilCut = Infinity;
      // The page was closed: what another page finds on the disk goes on where the line was cut.
      const later = new SaveQueue(log, server.post, { state: () => undefined, acknowledged: () => undefined, setAside: () => undefined }, server.postPart);
      later.add(...(await log.pending(READING)));
      expect(await later.settled()).toBe(true);
      expect(server.partsTaken, "each part was taken once").toBe(3);
      expect(painted(server.layers)).toBe(ALL);
      // The first page's answer was lost: it asks again, and needs to send no part.
      queue.resume();
      expect(await queue.settled()).toBe(true);
      expect(server.partsTaken).toBe(3);
      expect(server.known.size).toBe(3);
      expect(await log.pending(READING)).toEqual([]);
    }, 30_000);

    it("are set aside together where the server will not have one of them", async () => {
      const server = new FakeServer(LARGE);
      const aside: string[] = [];
      const queue = new SaveQueue(log, async (strokes) => ({ kind: "refused", sentence: "Never.", stroke: strokes[1].id as string }), {
        state: () => undefined, acknowledged: () => undefined, setAside: ({ id }) => aside.push(id),
      }, server.postPart);
      const { editor } = writer({ ...server, post: async () => ({ kind: "offline" }) } as unknown as FakeServer, emptyLayers(LARGE));
      const strokes = editor.perform("findings", "threshold_lung", "none", noise());
      await editor.flushed();
      queue.add(...(await log.pending(READING)));
      await vi.waitFor(() => expect(aside).toEqual(strokes.map(({ id }) => id)));
      expect((await log.pending(READING)).map(({ refused }) => refused)).toEqual(["Never.", "Never.", "Never."]);
    }, 30_000);

    it("are on the disk all or none", async () => {
      const server = new FakeServer(LARGE);
      const unkept: number[] = [];
      const editor = new Editor(emptyLayers(LARGE), log, { reading: READING, reader: "me", tab: "t", epoch: 1 }, 0, {
        changed: () => undefined, recorded: () => undefined, kept: () => undefined, unkept: (strokes) => unkept.push(strokes.length), historyMoved: () => undefined, outdated: () => undefined,
      });
      const add = vi.spyOn(IDBObjectStore.prototype, "add");
      let calls = 0;
      add.mockImplementation(function (this: IDBObjectStore, value: unknown) {
        if (++calls === 2) throw new DOMException("full", "QuotaExceededError");
        return IDBObjectStore.prototype.put.call(this, value);
      });
      editor.perform("findings", "threshold_lung", "none", noise());
      await editor.flushed();
      add.mockRestore();
      expect(unkept).toEqual([3]);
      expect(await log.pending(READING)).toEqual([]);
      expect(server.known.size).toBe(0);
    }, 30_000);

    it("in small steps are the same, and an edit that comes in between finds it made to its end", async () => {
      const server = new FakeServer(LARGE);
      const { editor, queue } = writer(server, emptyLayers(LARGE));
      const work = editor.performing("findings", "threshold_lung", "none", noise());
      // Into the middle of the writing: some slices hold it, others do not yet.
      while (painted(editor.layers) === 0) expect(work.next().done).toBe(false);
      expect(painted(editor.layers)).toBeLessThan(ALL);
      expect(editor.working).toBe(true);
      editor.begin("findings", "brush", "axial");
      expect(editor.working).toBe(false);
      expect(painted(editor.layers)).toBe(ALL);
      editor.fill(0, 1, 2, 2);
      const { stroke } = editor.finish()!;
      const done = work.next();
      expect(done.done && done.value.length).toBe(3);
      await editor.flushed();
      expect(await queue.settled()).toBe(true);
      expect([...server.known.keys()].at(-1), "the brush came after").toBe(stroke.id);
      editor.undo();
      const undoing = editor.stepping("undo");
      undoing.next();
      // Stopped half way: it is done all the same.
      undoing.return(null);
      expect(painted(editor.layers)).toBe(0);
      expect(await carryOut(editor.stepping("redo"))).not.toBeNull();
      expect(painted(editor.layers)).toBe(ALL);
      await editor.flushed();
      expect(await queue.settled()).toBe(true);
      expect(painted(server.layers)).toBe(ALL);
    }, 60_000);

    it("larger than the server takes is refused before anything is changed", async () => {
      const shape: Shape = [70, 512, 512];
      const { editor } = writer(new FakeServer(shape), emptyLayers(shape));
      const runs = new Int32Array(3 * 128 * 1024);
      for (let n = 0; n < 128 * 1024; n++) runs.set([2 * n, 1, 1], 3 * n);
      const most = Array.from({ length: 70 }, (_, z) => ({ z, runs }));
      expect(() => editor.perform("findings", "threshold_lung", "none", most)).toThrow(TooLarge);
      expect(() => editor.perform("findings", "threshold_lung", "none", most)).toThrow(/32 MB.*nothing was changed/);
      expect(editor.layers.findings.slices.every((slice) => slice === null)).toBe(true);
      expect([editor.lastSequence, editor.history.canUndo, editor.writing, editor.working]).toEqual([0, false, false, false]);
      expect(await log.pending(READING)).toEqual([]);
    });
  });

  it("that do not fit any more are not undone, and it is said", () => {
    const { editor } = writer(new FakeServer());
    paint(editor, 0, 0, 5, 1);
    editor.layers.findings.writable(0)[2] = 3;
    expect(editor.undo()).toBeNull();
    expect(editor.history.canUndo).toBe(false);
  });
});

describe("the browser's log", () => {
  it("goes on when its connection was closed, and puts back what was cleared under it", async () => {
    const server = new FakeServer();
    server.says = { kind: "offline" };
    const name = `test-${number - 1}`;
    const { editor, queue } = writer(server);
    paint(editor, 0, 0, 5, 1);
    await editor.flushed();
    await new Promise<void>((done, failed) => {
      const request = indexedDB.deleteDatabase(name);
      request.onsuccess = () => done();
      request.onblocked = () => failed(new Error("blocked"));
    });
    paint(editor, 1, 0, 5, 1);
    await editor.flushed();
    expect((await log.pending(READING)).map(({ sequence }) => sequence).sort()).toEqual([1, 2]);
    server.says = null;
    queue.resume();
    expect(await queue.settled()).toBe(true);
    expect(server.known.size).toBe(2);
    expect(await log.pending(READING)).toEqual([]);
  });

  it("tells a full disk from everything else", async () => {
    const put = vi.spyOn(IDBObjectStore.prototype, "add");
    const stroke = { id: "a", reading: READING, reader: "me" } as Stroke;
    put.mockImplementation(() => { throw new DOMException("no room", "QuotaExceededError"); });
    await expect(log.keep(stroke)).rejects.toBeInstanceOf(StorageFull);
    put.mockImplementation(() => { throw new DOMException("the disk is broken", "UnknownError"); });
    const other = await log.keep(stroke).catch((error: Error) => error);
    expect(other).not.toBeInstanceOf(StorageFull);
    expect((other as Error).message).toContain("the disk is broken");
    put.mockRestore();
    await log.keep({ ...stroke, tab: "t", sequence: 1 });
    expect((await log.leftBy("me", new Set())).get(READING)).toBe(1);
    expect((await log.leftBy("me", new Set(["t"]))).size, "a living tab's strokes are its own affair").toBe(0);
    expect((await log.leftBy("somebody else", new Set())).size).toBe(0);
  });
});
