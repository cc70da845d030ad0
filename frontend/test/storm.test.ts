/**
 * Readers in a storm: tabs paint, undo, restore, sign, take over, hand over, reload and die while the network, the server's
 * session and the disk come and go, at random. Whatever happens, no stroke is lost, doubled or shown where it is not.
 * STORMS=200 makes it 200 storms, STORM=68 begins with the 68th: a failure names its own, and tells what happened.
 */
import "fake-indexeddb/auto";
import { IDBFactory } from "fake-indexeddb";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { decodeDelta } from "../src/edits/delta";
import { fromBase64 } from "../src/edits/bytes";
import { emptyLayers } from "../src/edits/layers";
import type { Stroke } from "../src/edits/strokelog";
import { differences, LABELS, POISON, randomOf, SHAPE, storageAtRest, within, World, type Tab } from "./world";

const STEPS = 60;
const SEEDS = Number(process.env.STORMS ?? 8);
const FIRST = Number(process.env.STORM ?? 1);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date"], now: new Date("2026-01-01T08:00:00Z") });
  globalThis.indexedDB = new IDBFactory();
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** What happened, to be read when a storm fails. */
type Story = string[];

class Storm {
  readonly world: World;
  /** Strokes whose only copy went with what kept it: a full disk and a dead page. */
  readonly gone = new Set<string>();
  readonly story: Story = [];
  private inHand: { tab: Tab; until: number; painted: number } | null = null;

  constructor(readonly random: () => number) {
    this.world = new World(random);
    this.world.install();
  }

  private pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.random() * from.length)];
  }

  private whole(below: number): number {
    return Math.floor(this.random() * below);
  }

  tell(tab: Tab | null, what: string): void {
    this.story.push(`${tab ? `tab ${tab.name}: ` : ""}${what}`);
  }

  private fill(tab: Tab, value: number): boolean {
    const from = this.whole(56);
    return within(tab, () => tab.session.editor!.fill(this.whole(SHAPE[0]), from, from + 1 + this.whole(8), value));
  }

  private finishHand(): void {
    const { inHand } = this;
    this.inHand = null;
    if (!inHand || inHand.tab.dead) return;
    const { tab, painted } = inHand;
    const ended = !tab.session.editor!.painting;
    within(tab, () => tab.session.editor!.finish());
    if (ended) expect(tab.painted.length, `tab ${tab.name}: a stroke in hand when painting had to stop is no less a stroke`).toBeGreaterThan(painted);
  }

  paint(tab: Tab, value = this.pick([0, ...LABELS])): void {
    const { editor } = tab.session;
    if (!editor || !tab.state.mayPaint.value || editor.painting) return;
    within(tab, () => editor.begin(this.pick(["anatomy", "findings"] as const), value ? "brush" : "eraser", "axial"));
    let drawn = false;
    for (let n = 0; n < 3; n++) drawn = this.fill(tab, value) || drawn;
    if (this.random() < 0.2 && !this.inHand && drawn) {
      this.inHand = { tab, until: 3, painted: tab.painted.length };
      return this.tell(tab, "has a stroke in hand");
    }
    const finished = within(tab, () => tab.session.editor!.finish());
    if (finished) this.tell(tab, `paints ${finished.stroke.id.slice(0, 4)}`);
  }

  /** One thing that happens. */
  async step(): Promise<void> {
    const { world } = this;
    const { server } = world;
    const tab = this.pick(world.living);
    const writer = world.living.find(({ state }) => state.writing.value.kind === "writing");
    const chance = this.random();
    if (this.inHand && --this.inHand.until <= 0) this.finishHand();
    if (!writer && this.random() < 0.5) return this.bringBack(tab);
    const waiting = world.living.find(({ state }) => ["held", "free"].includes(state.writing.value.kind));
    if (writer && waiting && this.random() < (writer.network.up ? 0.08 : 0.3)) {
      this.tell(waiting, "takes over");
      return void within(waiting, () => waiting.hands.take(true));
    }
    if (chance < 0.45) {
      for (let n = this.whole(4); n >= 0; n--) this.paint(writer ?? tab);
    } else if (chance < 0.53) {
      const name = this.pick(["undo", "redo"] as const);
      const { editor } = (writer ?? tab).session;
      if ((writer ?? tab).state.mayPaint.value && editor && within(writer ?? tab, () => editor[name]())) this.tell(writer ?? tab, name);
    } else if (chance < 0.6) {
      tab.network.up = !tab.network.up;
      this.tell(tab, tab.network.up ? "has a network again" : "has no network");
      if (tab.network.up && this.random() < 0.5) world.tell(tab, "online");
    } else if (chance < 0.66) {
      Object.assign(tab.network, { lost: this.random() * 0.5, unanswered: this.random() * 0.5, slowestMs: this.pick([50, 400, 3000]) });
      this.tell(tab, "has another network");
    } else if (chance < 0.72) {
      this.tell(tab, "dies, and another is opened");
      this.die(tab);
      await this.open();
    } else if (chance < 0.76) {
      if (world.leave(tab)) this.tell(tab, "leaves");
      if (!world.living.length) await this.open();
    } else if (chance < 0.8) {
      while (world.living.length < 3) await this.open();
    } else if (chance < 0.86) {
      if (tab.state.writing.value.kind !== "held") return;
      this.tell(tab, "asks");
      void within(tab, () => tab.hands.askFor());
    } else if (chance < 0.89) {
      if (!writer?.state.asking.value) return;
      this.tell(writer, "hands over");
      void within(writer, () => writer.hands.handOver());
    } else if (chance < 0.93) {
      if (!writer || !writer.state.mayPaint.value || !server.log.length) return;
      const wanted = this.whole(server.log.length);
      this.tell(writer, `restores ${wanted}`);
      void within(writer, () => writer.session.restore(`stroke:${wanted}`)).catch((error: Error) => this.tell(writer, `not restored: ${error.message}`));
    } else if (chance < 0.95) {
      server.session = false;
      this.tell(null, "the session ends");
    } else if (chance < 0.97) {
      world.diskFull = !world.diskFull;
      this.tell(null, world.diskFull ? "the disk is full" : "the disk has room");
    } else if (chance < 0.985) {
      this.paint(writer ?? tab, POISON);
    } else {
      world.tell(tab, "pageshow");
    }
  }

  /** Nobody paints: a reader does what readers do then. */
  private async bringBack(tab: Tab): Promise<void> {
    tab.network.up = true;
    const { kind } = tab.state.writing.value;
    if (kind === "held" || kind === "free") {
      this.tell(tab, "takes over");
      void within(tab, () => tab.hands.take(true));
    } else if (kind === "read_only") {
      this.world.diskFull = false;
      this.tell(tab, "is loaded again");
      this.die(tab);
      await this.open();
    }
    await this.signIn();
    await this.world.pass(1500);
  }

  async open(): Promise<void> {
    this.tell(await this.world.open(), "is opened");
  }

  private die(tab: Tab): void {
    if (this.inHand?.tab === tab) this.inHand = null;
    for (const id of tab.loose) if (!this.world.server.stored(id)) this.gone.add(id);
    this.world.kill(tab);
  }

  /** People sign in again where they are asked to. */
  async signIn(): Promise<void> {
    for (const tab of this.world.living) {
      if (tab.state.dialog.value !== "signin") continue;
      this.tell(tab, "signs in");
      void within(tab, () => tab.session.signIn("me", "x"));
      tab.state.dialog.value = "none";
    }
  }

  /** "Saved" means that the server has it. */
  promise(): void {
    for (const tab of this.world.living) {
      if (!tab.session.allSaved || tab.state.saving.value.kind !== "saved") continue;
      const aside = new Set(tab.state.setAside.value.map(({ id }) => id));
      const missing = tab.painted.filter(({ id }) => !this.world.server.stored(id) && !aside.has(id));
      expect(missing.map(({ id }) => id), `tab ${tab.name} says saved`).toEqual([]);
    }
  }

  /** All is well again, for long enough. */
  async calm(): Promise<void> {
    this.finishHand();
    this.world.diskFull = false;
    for (const tab of this.world.living) Object.assign(tab.network, { up: true, lost: 0, unanswered: 0, slowestMs: 50 });
    for (let n = 0; n < 5; n++) {
      await this.world.pass(10_000);
      await this.signIn();
      for (const tab of this.world.living) this.world.tell(tab, "online");
    }
    await this.world.pass(70_000);
  }

  /** Every living tab shows what the server holds, and all is saved. */
  screens(): void {
    for (const tab of this.world.living) {
      expect(tab.session.allSaved, `tab ${tab.name} has saved all: ${JSON.stringify(tab.state.saving.value)}`).toBe(true);
      expect(tab.state.catchingUp.value).toBe(false);
      expect(differences(tab.session.layers!, this.world.server.layers), `screen of tab ${tab.name}, ${tab.state.writing.value.kind}`).toEqual([]);
    }
  }

  /** The log is whole: nothing twice, it replays to the mask, and no stroke of anybody's is missing. */
  async whole_log(): Promise<void> {
    const { server, tabs } = this.world;
    const ids = server.log.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const replayed = emptyLayers(SHAPE);
    for (const stroke of server.log) if (stroke.applied) replayed[stroke.layer].apply(decodeDelta(fromBase64(stroke.payload), SHAPE));
    expect(differences(replayed, server.layers)).toEqual([]);
    const aside = new Set((await this.inBrowser()).filter(({ refused }) => refused).map(({ id }) => id));
    const lost = tabs.flatMap(({ painted }) => painted).filter(({ id }) => !server.stored(id) && !aside.has(id) && !this.gone.has(id));
    expect(lost.map(({ id, tool, sequence, tab }) => `${id.slice(0, 4)} ${tool} ${sequence} ${tab.slice(0, 4)}`), "lost").toEqual([]);
  }

  private inBrowser(): Promise<Stroke[]> {
    return new Promise((done, failed) => {
      const opened = indexedDB.open("groundglass");
      opened.onerror = failed;
      opened.onsuccess = () => {
        const all = opened.result.transaction("strokes").objectStore("strokes").getAll();
        all.onsuccess = () => (opened.result.close(), done(all.result as Stroke[]));
      };
    });
  }
}

const within_story = async (storm: Storm, work: () => Promise<void>): Promise<void> => {
  try {
    await work();
  } catch (error) {
    (error as Error).message += `\n\nWhat happened:\n${storm.story.slice(-60).join("\n")}`;
    throw error;
  }
};

it.each(Array.from({ length: SEEDS }, (_, n) => FIRST + n))("storm %i", async (seed) => {
  vi.spyOn(console, "error").mockImplementation((error: unknown) => storm.tell(null, `console: ${String(error)}`));
  const storm = new Storm(randomOf(seed));
  await within_story(storm, async () => {
    await storm.open();
    for (let n = 0; n < STEPS; n++) {
      await storm.step();
      await storm.world.pass(storm.random() < 0.3 ? 3000 * storm.random() : 150 * storm.random());
      storm.promise();
      if (storm.random() < 0.15) await storm.signIn();
    }
    await storm.calm();
    storm.screens();
    storm.promise();
    // Everything that is still in this browser alone goes with the next visit.
    for (const tab of storm.world.living) storm.world.kill(tab);
    await storm.world.pass(1000);
    await storm.open();
    await storm.calm();
    storm.screens();
    await storm.whole_log();
    await storageAtRest();
  });
  expect(storm.world.server.log.length, "a storm in which nothing is painted shows nothing").toBeGreaterThan(3);
}, 300_000);
