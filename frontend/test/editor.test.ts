import "fake-indexeddb/auto";
import { beforeEach, describe, expect, it } from "vitest";
import { decodeDelta } from "../src/edits/delta";
import { Editor } from "../src/edits/editor";
import { emptyLayers, type Layers, type Shape } from "../src/edits/layers";
import { SaveQueue, toWire, type Outcome, type SaveState } from "../src/edits/queue";
import { StorageFull, StrokeLog, type Stroke } from "../src/edits/strokelog";

const SHAPE: Shape = [6, 8, 8];
const READING = "r";
let log: StrokeLog;
let number = 0;

beforeEach(async () => {
  log = await StrokeLog.open(`test-${number++}`);
});

/** Applies what it is sent, once for each id, like the server. */
class FakeServer {
  layers = emptyLayers(SHAPE);
  known = new Map<string, number>();
  down = 0;
  losesAnswers = 0;
  says: Outcome | null = null;

  post = async (strokes: Record<string, unknown>[]): Promise<Outcome> => {
    if (this.says) return this.says;
    if (this.down > 0) {
      this.down--;
      return { kind: "offline" };
    }
    const results = strokes.map((stroke) => {
      const id = stroke.id as string;
      const seen = this.known.get(id);
      if (seen === undefined) {
        const payload = Uint8Array.from(atob(stroke.payload as string), (letter) => letter.charCodeAt(0));
        this.layers[stroke.layer as "findings"].apply(decodeDelta(payload, SHAPE));
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
  const queue = new SaveQueue(log, server.post, { state: (state) => states.push(state), acknowledged: () => undefined });
  const editor = new Editor(layers, log, { reading: READING, tab: "t", epoch: 1 }, 0, {
    changed: () => undefined,
    kept: (stroke) => queue.add(stroke),
    historyMoved: () => undefined,
    storageFull: () => undefined,
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

  it("are not sent when the browser has no room to keep them", async () => {
    const server = new FakeServer();
    let full = 0;
    const refusing = { keep: () => Promise.reject(new StorageFull("full")) } as unknown as StrokeLog;
    const editor = new Editor(emptyLayers(SHAPE), refusing, { reading: READING, tab: "t", epoch: 1 }, 0, {
      changed: () => undefined,
      kept: (stroke: Stroke) => void server.post([toWire(stroke)]),
      historyMoved: () => undefined,
      storageFull: () => full++,
    });
    paint(editor, 0, 0, 5, 1);
    paint(editor, 0, 5, 9, 1);
    await editor.flushed();
    expect(full).toBe(1);
    expect(server.known.size).toBe(0);
  });
});
