/** The upload's queue: what is acknowledged counts, what fails is tried again, and every way to end ends. */
import { describe, expect, it } from "vitest";
import { markOf } from "../src/pages/upload/picking";
import { Queue, type Item, type Outcome, type Transport } from "../src/pages/upload/queue";
import { outcomeOf } from "../src/pages/upload/server";
import { spanInWords } from "../src/pages/upload/panel";

const PIECE = 4;

const item = (path: string, content: string): Item => ({
  path,
  size: content.length,
  file: new Blob([content]),
  mark: "",
  received: 0,
  inFlight: 0,
  state: "waiting",
  sentence: "",
});

/** A server in memory: bytes by path; `next` may decide how the next piece ends instead. */
class Memory implements Transport {
  readonly files = new Map<string, string>();
  readonly log: string[] = [];
  next: ((item: Item) => Outcome | undefined) | undefined;

  mark(item: Item): Promise<string> {
    return Promise.resolve(`mark of ${item.path}`);
  }

  async bundle(items: Item[], moved: (bytes: number) => void, signal: AbortSignal): Promise<Outcome> {
    this.log.push(items.map(({ path }) => path).join("+"));
    moved(items.reduce((sum, { size }) => sum + size, 0));
    const texts = await Promise.all(items.map(({ file }) => file.text()));
    if (signal.aborted) return { kind: "stopped" };
    for (const one of items) {
      const decided = this.next?.(one);
      if (decided) return decided;
    }
    items.forEach(({ path }, index) => this.files.set(path, texts[index]));
    return { kind: "taken", received: 0, whole: true };
  }

  async piece(item: Item, content: Blob, moved: (bytes: number) => void, signal: AbortSignal): Promise<Outcome> {
    this.log.push(`${item.path}@${item.received}`);
    moved(content.size);
    const text = await content.text();
    if (signal.aborted) return { kind: "stopped" };
    const decided = this.next?.(item);
    if (decided) return decided;
    const here = this.files.get(item.path) ?? "";
    if (here.length !== item.received) return { kind: "elsewhere", received: here.length };
    this.files.set(item.path, here + text);
    return { kind: "taken", received: here.length + text.length, whole: here.length + text.length === item.size };
  }
}

/** Files too large to go together with others: each is a request of its own. */
const large = (path: string, content: string): Item => ({ ...item(path, content), alone: true });

function queueOf(items: Item[], server: Memory, waits: number[] = [], changed: (item?: Item) => void = () => undefined): Queue {
  const wait = (ms: number): Promise<void> => {
    waits.push(ms);
    return Promise.resolve();
  };
  return new Queue(items, server, { pieceBytes: PIECE, lanes: 2, changed, wait, now: () => 0 });
}

describe("upload queue", () => {
  it("sends every file, large ones in pieces, and counts what is there", async () => {
    const server = new Memory();
    const queue = queueOf([large("a", "123456789"), item("b", ""), item("c", "1234")], server);
    expect(await queue.run()).toBe("sent");
    expect(server.log).toContain("b+c");
    expect(Object.fromEntries(server.files)).toEqual({ a: "123456789", b: "", c: "1234" });
    expect([queue.hereCount, queue.sentBytes, queue.totalBytes]).toEqual([3, 13, 13]);
  });

  it("goes on at the offset that the server says, and sends nothing that is there", async () => {
    const server = new Memory();
    server.files.set("big", "12345678");
    const here = { ...item("small", "1234"), state: "here" as const, received: 4 };
    const big = { ...item("big", "123456789abc"), received: 4 };
    const queue = queueOf([here, big], server);
    expect(queue.hereCount).toBe(1);
    expect(await queue.run()).toBe("sent");
    expect(server.log).toEqual(["big@4", "big@8"]);
    expect(server.files.get("big")).toBe("123456789abc");
  });

  it("waits longer after each failure, and begins anew with the waits when something arrives", async () => {
    const server = new Memory();
    let failures = 3;
    server.next = () => (failures-- > 0 ? { kind: "later", sentence: "lost" } : undefined);
    const waits: number[] = [];
    const states: string[] = [];
    const queue: Queue = queueOf([large("a", "12345678")], server, waits, () => states.push(queue?.state ?? ""));
    expect(await queue.run()).toBe("sent");
    expect(waits).toEqual([500, 1000, 2000]);
    expect(states).toContain("lost");
    expect(server.files.get("a")).toBe("12345678");
  });

  it("waits for who signs in, in all lanes, and then goes on", async () => {
    const server = new Memory();
    let signedIn = false;
    server.next = () => (signedIn ? undefined : { kind: "signed_out" });
    const queue: Queue = queueOf([large("a", "1234"), item("b", "1234"), item("c", "1234")], server, [], () => {
      if (queue?.state === "signed_out" && !signedIn) {
        setTimeout(() => {
          signedIn = true;
          queue.goOn();
        });
      }
    });
    expect(await queue.run()).toBe("sent");
    expect(server.files.size).toBe(3);
  });

  it("keeps one file's refusal to that file", async () => {
    const server = new Memory();
    server.next = (one) => (one.path === "b" ? { kind: "refused", sentence: "too large" } : undefined);
    const queue = queueOf([item("a", "1"), item("b", "1"), item("c", "1")], server);
    expect(await queue.run()).toBe("sent");
    expect(queue.refused.map(({ path, sentence }) => [path, sentence])).toEqual([["b", "too large"]]);
    expect([...server.files.keys()].sort()).toEqual(["a", "c"]);
  });

  it("waits with a bundle as with a file, and counts it once", async () => {
    const server = new Memory();
    let failures = 2;
    server.next = () => (failures-- > 0 ? { kind: "later", sentence: "lost" } : undefined);
    const queue = queueOf(Array.from({ length: 70 }, (_, n) => item(`${n}`, "12")), server);
    expect(await queue.run()).toBe("sent");
    expect([queue.hereCount, queue.sentBytes, server.files.size]).toEqual([70, 140, 70]);
    expect(server.log.filter((line) => line.includes("@"))).toEqual([]);
  });

  it("refuses a file that this computer cannot read any more", async () => {
    const server = new Memory();
    server.mark = (one) => (one.path === "a" ? Promise.reject(new Error("gone")) : Promise.resolve("m"));
    const queue = queueOf([item("a", "1"), item("b", "1")], server);
    await queue.run();
    expect(queue.refused[0].sentence).toContain("could not be read on this computer");
    expect(queue.hereCount).toBe(1);
  });

  it("does not wait for ever for a file that was changed while it was sent", async () => {
    const server = new Memory();
    let marks = 0;
    server.mark = (one) => Promise.resolve(one.path === "a" ? `${marks++}` : "m");
    server.next = (one) => (one.path === "a" ? { kind: "later", sentence: "lost" } : undefined);
    const queue = queueOf([item("a", "1"), item("b", "1"), large("c", "1")], server);
    expect(await queue.run()).toBe("sent");
    expect(queue.refused.map(({ path }) => path)).toEqual(["a"]);
    expect(queue.hereCount).toBe(2);
  });

  it("ends when the server refuses the whole, and sends no more", async () => {
    const server = new Memory();
    server.next = () => ({ kind: "over", sentence: "closed" });
    const queue = queueOf(Array.from({ length: 50 }, (_, n) => large(`${n}`, "1")), server);
    expect(await queue.run()).toBe("over");
    expect(queue.sentence).toBe("closed");
    expect(server.log.length).toBeLessThanOrEqual(2);
  });

  it("stops when told, and goes on where it was", async () => {
    const server = new Memory();
    const queue: Queue = queueOf([large("a", "123456789"), large("b", "1234"), item("c", "1234")], server, [], () => {
      if (queue?.hereCount === 1 && queue.state === "sending") queue.stop();
    });
    expect(await queue.run()).toBe("stopped");
    expect(queue.items.every(({ state }) => state === "here" || state === "waiting")).toBe(true);
    const before = server.log.length;
    (queue as unknown as { options: { changed: () => void } }).options.changed = () => undefined;
    expect(await queue.run()).toBe("sent");
    expect(server.log.length).toBeGreaterThan(before);
    expect(Object.fromEntries(server.files)).toEqual({ a: "123456789", b: "1234", c: "1234" });
  });
});

describe("what an answer means", () => {
  const json = (value: unknown): string => JSON.stringify(value);

  it("tells the file's own refusals from the upload's, and both from what passes", () => {
    expect(outcomeOf(201, json({ received: 5, whole: true }))).toEqual({ kind: "taken", received: 5, whole: true });
    expect(outcomeOf(409, json({ error: "offset", received: 4 }))).toEqual({ kind: "elsewhere", received: 4 });
    expect(outcomeOf(413, json({ error: "too_large", sentence: "s" }))).toEqual({ kind: "refused", sentence: "s" });
    expect(outcomeOf(413, json({ error: "batch_too_large", sentence: "s" })).kind).toBe("over");
    expect(outcomeOf(409, json({ error: "closed", sentence: "s" }))).toEqual({ kind: "over", sentence: "s" });
    expect(outcomeOf(404, "<html>").kind).toBe("over");
    expect(outcomeOf(401, json({})).kind).toBe("signed_out");
    expect(outcomeOf(403, "<html>CSRF</html>").kind).toBe("signed_out");
    expect(outcomeOf(507, json({ sentence: "full" }))).toEqual({ kind: "later", sentence: "full" });
    expect(outcomeOf(502, "<html>").kind).toBe("later");
  });
});

describe("small things", () => {
  it("marks differ in a file's beginning or end, and only there", async () => {
    const at = (place: number): Blob => {
      const bytes = new Uint8Array(20_000);
      bytes[place] = 1;
      return new Blob([bytes]);
    };
    const marks = await Promise.all([at(0), at(19_999), at(10_000), at(10_001)].map(markOf));
    expect(new Set(marks).size).toBe(3);
    expect(marks[2]).toBe(marks[3]);
    expect(await markOf(new Blob(["abc"]))).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  });

  it("says how long something takes", () => {
    expect([spanInWords(0.2), spanInWords(300), spanInWords(7200), spanInWords(Infinity)]).toEqual([
      "about 1 s left",
      "about 5 min left",
      "about 2.0 h left",
      "",
    ]);
  });
});
