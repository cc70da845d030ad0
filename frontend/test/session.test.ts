/** Single accidents of a reader's session, each by itself; what they do together is the storm's (storm.test.ts). */
import "fake-indexeddb/auto";
import { IDBFactory } from "fake-indexeddb";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { differences, POISON, randomOf, within, World, type Tab } from "./world";

// Nothing here measures speed: a limit only ends a test that would wait for ever.
vi.setConfig({ testTimeout: 60_000 });

let world: World;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date"], now: new Date("2026-01-01T08:00:00Z") });
  globalThis.indexedDB = new IDBFactory();
  world = new World(randomOf(7));
  world.install();
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** Rows of eight voxels: strokes of different rows do not touch each other. */
function paint(tab: Tab, row: number, value = 1, z = 1): string | null {
  return within(tab, () => {
    const { editor } = tab.session;
    if (!editor || !tab.state.mayPaint.value) return null;
    editor.begin("findings", value ? "brush" : "eraser", "axial");
    editor.fill(z, 8 * row, 8 * row + 8, value);
    return editor.finish()?.stroke.id ?? null;
  });
}

const undo = (tab: Tab): string | undefined => within(tab, () => tab.session.editor!.undo()?.id);
const does = <T>(tab: Tab, work: (session: Tab["session"]) => T): T => within(tab, () => work(tab.session));

async function writer(): Promise<Tab> {
  const tab = await world.open();
  await world.pass(1000);
  expect(tab.state.writing.value.kind).toBe("writing");
  return tab;
}

const applied = (): string[] => world.server.log.filter((stroke) => stroke.applied).map(({ id }) => id);
const beside = (): string[] => world.server.log.filter((stroke) => !stroke.applied).map(({ id }) => id);

/** All is saved, and the tab shows what the server holds. */
async function whole(...tabs: Tab[]): Promise<void> {
  await world.pass(25_000);
  for (const tab of tabs) {
    expect(tab.session.allSaved, `tab ${tab.name}: ${JSON.stringify(tab.state.saving.value)}`).toBe(true);
    expect(differences(tab.session.layers!, world.server.layers), `tab ${tab.name}`).toEqual([]);
    expect(tab.state.catchingUp.value).toBe(false);
    if (tab.state.writing.value.kind === "writing") expect(tab.session.editor!.layers).toBe(tab.session.layers);
  }
  expect(new Set(world.server.log.map(({ id }) => id)).size).toBe(world.server.log.length);
}

it("a tab that was away while another wrote and left shows what that one painted before it paints on", async () => {
  const away = await writer();
  paint(away, 0);
  await world.pass(500);
  away.network.up = false;
  const other = await world.open();
  await world.pass(2000);
  void within(other, () => other.hands.take(true));
  await world.pass(2000);
  const theirs = [paint(other, 1), paint(other, 2)];
  await world.pass(1000);
  expect(world.leave(other)).toBe(true);
  away.network.up = true;
  world.tell(away, "online");
  await whole(away);
  expect(away.state.writing.value.kind).toBe("writing");
  expect(away.session.layers!.findings.at(0, 2, 1), "the other tab's voxels are on the screen").toBe(1);
  const mine = paint(away, 3);
  await whole(away);
  expect(applied()).toEqual([world.server.log[0].id, ...theirs, mine]);
  void does(away, (session) => session.sign("x"));
  await world.pass(1000);
  expect(world.server.closed).toBe(true);
});

it("a tab that comes back and shows what another painted paints on for good: it has asked for the mask, too", async () => {
  const away = await writer();
  paint(away, 0);
  await world.pass(500);
  away.network.up = false;
  const other = await world.open();
  await world.pass(2000);
  void within(other, () => other.hands.take(true));
  await world.pass(2000);
  paint(other, 1);
  await world.pass(1000);
  world.leave(other);
  const { api } = away.session;
  const lease = api.lease.bind(api);
  // The answer about the lease comes long after the strokes of the other.
  api.lease = async (...asked) => {
    await new Promise((go) => setTimeout(go, 3000));
    return lease(...asked);
  };
  away.network.up = true;
  world.tell(away, "online");
  while (!(away.state.mayPaint.value && away.session.layers!.findings.at(0, 1, 1) === 1)) await world.pass(50);
  const stops = vi.fn();
  const stop = away.state.mayPaint.subscribe((may) => may || stops());
  const mine = paint(away, 3);
  await whole(away);
  stop();
  expect(stops, "painting stopped again").not.toHaveBeenCalled();
  expect(beside()).toEqual([]);
  expect(applied().at(-1)).toBe(mine);
});

it("strokes under way to a server that has given the lease to another are kept beside, and leave the screen", async () => {
  const [late, other] = [await writer(), await world.open()];
  late.network.up = false;
  const mine = [paint(late, 0), paint(late, 1), undo(late)];
  await world.pass(1000);
  void within(other, () => other.hands.take(true));
  await world.pass(1000);
  const theirs = paint(other, 4);
  await world.pass(1000);
  late.network.up = true;
  world.tell(late, "online");
  await whole(late, other);
  expect(applied()).toEqual([theirs]);
  expect(beside()).toEqual(mine);
  expect(late.state.writing.value.kind).toBe("held");
  expect(late.state.keptBeside.value).toBe(3);
  expect(other.state.keptBeside.value, "who writes hears of them, too").toBe(3);
});

it("a stroke kept beside whose answer was lost is no saved stroke of the mask", async () => {
  const [late, other] = [await writer(), await world.open()];
  late.network.up = false;
  const mine = paint(late, 0);
  await world.pass(500);
  void within(other, () => other.hands.take(true));
  await world.pass(1000);
  // The server takes it, and nobody hears that it did.
  Object.assign(late.network, { up: true, unanswered: 1 });
  world.tell(late, "online");
  await world.pass(2000);
  expect(beside()).toEqual([mine]);
  late.network.unanswered = 0;
  await whole(late, other);
  expect(late.session.layers!.findings.at(0, 0, 1)).toBe(0);
});

it("a stroke begun before the lease was lost and finished after is kept beside, and the tab looks on at once", async () => {
  const [tab, other] = [await writer(), await world.open()];
  does(tab, ({ editor }) => (editor!.begin("findings", "brush", "axial"), editor!.fill(1, 0, 20, 2)));
  void within(other, () => other.hands.take(true));
  await world.pass(3000);
  const finished = does(tab, ({ editor }) => editor!.finish());
  await world.pass(1000);
  expect(tab.state.writing.value.kind).toBe("held");
  await whole(tab, other);
  expect(beside()).toEqual([finished!.stroke.id]);
});

it("a tab told that another writes hears it although that one left while the answer was under way", async () => {
  const [late, other] = [await writer(), await world.open()];
  late.network.up = false;
  void within(other, () => other.hands.take(true));
  await world.pass(1000);
  late.network.up = true;
  const { api } = late.session;
  const lease = api.lease.bind(api);
  // The first answer is made while the other writes, and arrives when it is gone.
  let late_answers = 0;
  api.lease = async (...asked) => {
    const answer = await lease(...asked);
    if (answer.held && late_answers++ === 0) {
      world.leave(other);
      await new Promise((go) => setTimeout(go, 2000));
    }
    return answer;
  };
  world.tell(late, "online");
  await world.pass(6000);
  expect(late_answers).toBe(1);
  expect(late.state.writing.value.kind, "it is free").not.toBe("held");
  await whole(late);
});

it("a stroke in hand when the reading is signed elsewhere is finished, not dropped", async () => {
  const tab = await writer();
  does(tab, ({ editor }) => (editor!.begin("findings", "brush", "axial"), editor!.fill(1, 0, 20, 2)));
  world.server.sign(0);
  await world.pass(3000);
  expect(tab.state.writing.value.kind).toBe("read_only");
  expect(does(tab, ({ editor }) => editor!.finish()), "it is ended already").toBeNull();
  await whole(tab);
  expect(beside()).toEqual(tab.painted.map(({ id }) => id));
  expect(beside().length).toBe(1);
});

it("late strokes of a killed tab are answered while the lease is taken: what is painted then is on the screen", async () => {
  const killed = await writer();
  killed.network.up = false;
  const left = [paint(killed, 0), paint(killed, 1)];
  await world.pass(1000);
  world.kill(killed);
  // Somebody wrote in another browser, and has left.
  Object.assign(world.server.lease!, { tab: "another browser's", epoch: 2, released: true });
  const again = await world.open();
  const { api } = again.session;
  const mask = api.mask;
  api.mask = () => new Promise((done) => setTimeout(() => void mask().then(done), 3000));
  for (let n = 0; n < 400 && !again.state.mayPaint.value; n++) await world.pass(50);
  const mine = paint(again, 5, 2);
  await world.pass(6000);
  expect(again.session.layers!.findings.at(3, 5, 1)).toBe(2);
  const more = paint(again, 6, 2);
  expect(again.session.layers!.findings.at(3, 6, 1), "the screen shows the layers that are painted on").toBe(2);
  await whole(again);
  expect([beside(), applied()]).toEqual([left, [mine, more]]);
});

it("what a killed tab left unsent is sent, where its lease still stands", async () => {
  const killed = await writer();
  killed.network.up = false;
  const left = [paint(killed, 0), paint(killed, 1), undo(killed)];
  await world.pass(1000);
  world.kill(killed);
  const again = await writer();
  await whole(again);
  expect(applied()).toEqual(left);
  expect(undo(again)).toBeTruthy();
  expect(does(again, ({ editor }) => editor!.history.canUndo), "the undo is known as one").toBe(false);
});

it("a tab that dies beside a living one leaves its strokes to it", async () => {
  const dying = await writer();
  const waiting = await world.open();
  dying.network.up = false;
  const left = paint(dying, 0);
  await world.pass(500);
  world.kill(dying);
  await world.pass(40_000);
  expect(applied(), "while the lease of the dead still stands").toEqual([left]);
  await world.pass(90_000);
  expect(waiting.state.writing.value.kind).toBe("free");
  void within(waiting, () => waiting.hands.take(false));
  await world.pass(2000);
  paint(waiting, 1);
  await whole(waiting);
});

it("without locks (a page without TLS) what was left is sent all the same", async () => {
  vi.stubGlobal("navigator", {});
  const killed = await writer();
  killed.network.up = false;
  const left = [paint(killed, 0), paint(killed, 1)];
  await world.pass(1000);
  world.kill(killed);
  const again = await world.open();
  await whole(again);
  expect(applied()).toEqual(left);
});

it("two tabs that open at once send what was left once", async () => {
  const killed = await writer();
  killed.network.up = false;
  const left = [paint(killed, 0), paint(killed, 1), paint(killed, 2)];
  await world.pass(1000);
  world.kill(killed);
  const both = [await world.open({ slowestMs: 800 }), await world.open({ slowestMs: 800 })];
  await whole(...both);
  expect(applied()).toEqual(left);
  expect(both.map(({ state }) => state.writing.value.kind).sort()).toEqual(["held", "writing"]);
});

it("strokes of another person in this browser are neither sent nor shown", async () => {
  const tab = await writer();
  tab.network.up = false;
  paint(tab, 0);
  await world.pass(500);
  world.kill(tab);
  const describe = world.server.describe.bind(world.server);
  world.server.describe = () => ({ ...describe(), may_edit: false, edit_refusal: "Not yours.", you: { id: "somebody else", name: "", username: "" } });
  const theirs = await world.open();
  await world.pass(5000);
  expect(world.server.log).toEqual([]);
  expect(theirs.state.setAside.value).toEqual([]);
  expect(theirs.state.saving.value.kind).toBe("saved");
});

it("strokes for a reading that was signed elsewhere are kept beside it, and that is said", async () => {
  const tab = await writer();
  tab.network.up = false;
  const [late, left] = [paint(tab, 0), paint(tab, 1)];
  await world.pass(500);
  world.server.sign(0);
  world.kill(tab);
  const again = await world.open();
  await whole(again);
  expect(beside()).toEqual([late, left]);
  expect(again.state.writing.value.kind).toBe("read_only");
  expect(again.state.keptBeside.value).toBe(2);
  expect(again.state.notice.value).toBeTruthy();
});

it("a restore whose answer is lost is on the screen, and is undone like another", async () => {
  const tab = await writer();
  paint(tab, 0);
  paint(tab, 1);
  await world.pass(1000);
  tab.network.unanswered = 1;
  const restored = does(tab, (session) => session.restore("stroke:0")).catch((error: Error) => error);
  await world.pass(1000);
  expect(tab.state.mayPaint.value, "nobody paints on what may be another mask").toBe(false);
  tab.network.unanswered = 0;
  await whole(tab);
  expect(await restored).toBeInstanceOf(Error);
  expect(world.server.log.map(({ tool }) => tool)).toEqual(["brush", "brush", "restore"]);
  undo(tab);
  await whole(tab);
  expect(tab.session.layers!.findings.at(0, 1, 1)).toBe(1);
});

it("strokes that wait to be sent go before a restore", async () => {
  const tab = await writer();
  paint(tab, 0);
  await world.pass(500);
  tab.network.slowestMs = 2000;
  const late = paint(tab, 1);
  void does(tab, (session) => session.restore("stroke:0"));
  await whole(tab);
  expect(world.server.log.map(({ id, tool }) => (tool === "restore" ? tool : id))).toEqual([world.server.log[0].id, late, "restore"]);
});

it("nothing is signed that was not on the screen", async () => {
  const [tab, other] = [await writer(), await world.open()];
  paint(tab, 0);
  await world.pass(500);
  // The server has a stroke of this lease that the tab never heard of, as after an answer and a push that were lost.
  const { layers, log } = world.server;
  other.network.up = false;
  layers.findings.writable(3)[5] = 2;
  log.push({ ...log[0], id: "unheard", stroke_sequence: 2, payload: "R0dEMQEDAQUBAAI=" });
  paint(tab, 1);
  const signing = does(tab, (session) => session.sign("x")).catch((error: Error) => error.message);
  await world.pass(5000);
  expect(await signing).toContain("look again");
  expect(world.server.closed).toBe(false);
  await whole(tab);
  expect(tab.session.layers!.findings.at(5, 0, 3)).toBe(2);
  void does(tab, (session) => session.sign("x"));
  await world.pass(1000);
  expect(world.server.closed).toBe(true);
});

it("the mask is read anew only between strokes: one in hand is finished and saved first", async () => {
  const tab = await writer();
  paint(tab, 7);
  await world.pass(500);
  // The mask changed under the tab, which did not hear of it: its next stroke there does not fit.
  const { layers, log } = world.server;
  layers.findings.writable(3)[5] = 2;
  log.push({ ...log[0], id: "unheard", stroke_sequence: 2, payload: "R0dEMQEDAQUBAAI=" });
  const late = paint(tab, 0, 1, 3);
  does(tab, ({ editor }) => (editor!.begin("findings", "brush", "axial"), editor!.fill(1, 0, 8, 2)));
  await world.pass(3000);
  expect(does(tab, ({ editor }) => editor!.fill(1, 8, 16, 2)), "the stroke in hand goes on").toBe(true);
  const finished = does(tab, ({ editor }) => editor!.finish());
  expect(finished).not.toBeNull();
  await whole(tab);
  expect(applied()).toContain(finished!.stroke.id);
  expect(beside()).toEqual([late]);
  expect(tab.session.layers!.findings.at(3, 0, 1)).toBe(2);
});

it("who waits asks, who writes hands over, and everything is saved on the way", async () => {
  const [one, two] = [await writer(), await world.open()];
  await world.pass(500);
  expect(two.state.writing.value).toMatchObject({ kind: "held", holder: "Me" });
  const first = paint(one, 0);
  void within(two, () => two.hands.askFor());
  await world.pass(500);
  expect(one.state.asking.value).toBe("Me");
  expect(two.state.asking.value, "who asks is not asked").toBeNull();
  const second = paint(one, 1);
  void within(one, () => one.hands.handOver());
  await world.pass(3000);
  expect([one, two].map(({ state }) => state.writing.value.kind)).toEqual(["held", "writing"]);
  expect(one.state.asking.value).toBeNull();
  const third = paint(two, 2);
  await whole(one, two);
  expect(applied()).toEqual([first, second, third]);
});

it("who waits learns that the writer has left", async () => {
  const [one, two] = [await writer(), await world.open()];
  await world.pass(500);
  expect(world.leave(one)).toBe(true);
  await world.pass(1000);
  expect(two.state.writing.value.kind).toBe("free");
  void within(two, () => two.hands.take(false));
  await world.pass(1000);
  expect(two.state.writing.value.kind).toBe("writing");
});

it("a page that comes back out of the browser's memory writes on under its lease", async () => {
  const tab = await writer();
  tab.network.slowestMs = 2000;
  world.tell(tab, "pagehide");
  expect(world.server.lease!.released).toBe(true);
  const under_way = paint(tab, 0);
  world.tell(tab, "pageshow");
  await whole(tab);
  expect(applied()).toEqual([under_way]);
  expect(world.server.lease).toMatchObject({ released: false, epoch: 1 });
});

it("a page that opens without a network writes as soon as there is one", async () => {
  const tab = await world.open();
  tab.network.up = false;
  await world.pass(30_000);
  expect(tab.state.writing.value.kind).toBe("starting");
  expect(tab.state.trouble.value).toBeNull();
  tab.network.up = true;
  await world.pass(6000);
  expect(tab.state.writing.value.kind).toBe("writing");
});

it("someone who signed in again in another tab is not asked to in this one", async () => {
  const tab = await writer();
  world.server.session = false;
  const stroke = paint(tab, 0);
  await world.pass(1000);
  expect([tab.state.dialog.value, tab.state.saving.value.kind]).toEqual(["signin", "signed_out"]);
  world.server.session = true;
  world.tell(tab, "visibilitychange");
  await whole(tab);
  expect(applied()).toEqual([stroke]);
  expect(tab.state.dialog.value).toBe("none");
});

it("a full disk stops painting with a sentence, and what was drawn is saved all the same", async () => {
  const tab = await writer();
  const before = paint(tab, 0);
  await world.pass(500);
  world.diskFull = true;
  tab.network.up = false;
  const last = paint(tab, 1);
  await world.pass(1000);
  expect(tab.state.mayPaint.value).toBe(false);
  expect(tab.state.writing.value).toMatchObject({ kind: "read_only", sentence: expect.stringContaining("no room left") });
  expect(tab.state.saving.value).toMatchObject({ kind: "offline", count: 1, loose: 1 });
  expect(tab.session.allSaved, "leaving now would lose it").toBe(false);
  tab.network.up = true;
  await whole(tab);
  expect(applied()).toEqual([before, last]);
});

it("a stroke that the server will never take is said, leaves the screen, stays in this browser and can be taken away", async () => {
  const tab = await writer();
  const good = paint(tab, 0);
  const bad = paint(tab, 1, POISON);
  const later = paint(tab, 2);
  await whole(tab);
  expect(applied()).toEqual([good, later]);
  expect(tab.state.setAside.value.map(({ id }) => id)).toEqual([bad]);
  expect(tab.state.mayPaint.value, "one bad stroke stops nobody").toBe(true);
  expect(JSON.parse(await tab.session.aside!.asFile("r").text())).toMatchObject({ reading: "r", strokes: [{ id: bad, refused: "unknown_label" }] });
  world.kill(tab);
  const again = await writer();
  expect(again.state.setAside.value.map(({ id }) => id)).toEqual([bad]);
  does(again, (session) => session.aside!.tryAgain());
  await world.pass(1000);
  expect(again.state.setAside.value.map(({ id }) => id), "refused again").toEqual([bad]);
  await does(again, (session) => session.aside!.drop());
  world.kill(again);
  expect((await writer()).state.setAside.value).toEqual([]);
});

it("cleared site data lose nothing while the page lives", async () => {
  const tab = await writer();
  tab.network.up = false;
  const strokes = [paint(tab, 0)];
  await world.pass(500);
  await new Promise((done) => (indexedDB.deleteDatabase("groundglass").onsuccess = done));
  strokes.push(paint(tab, 1));
  await world.pass(500);
  world.kill(tab);
  const again = await world.open();
  await whole(again);
  expect(applied()).toEqual(strokes);
});

const ticked = (tab: Tab): number[] => [...tab.state.editedSlices.value];

it("the strip marks every slice that was edited, however long ago and by whomever, after a reload and for who looks on", async () => {
  const first = await writer();
  paint(first, 0, 1, 1);
  for (let n = 0; n < 230; n++) {
    paint(first, n % 8, 1 + (n % 2), 3);
    if (n % 20 === 0) await world.pass(500);
  }
  await whole(first);
  expect(ticked(first)).toEqual([0, 1, 0, 1, 0]);
  const watcher = await world.open();
  await world.pass(2000);
  expect(watcher.state.writing.value.kind).toBe("held");
  expect(ticked(watcher), "what was edited before it came").toEqual([0, 1, 0, 1, 0]);
  paint(first, 0, 1, 4);
  await world.pass(2000);
  expect(ticked(watcher), "what is edited while it looks on").toEqual([0, 1, 0, 1, 1]);
  await whole(first);
  expect(world.leave(first)).toBe(true);
  const again = await writer();
  expect(ticked(again)).toEqual([0, 1, 0, 1, 1]);
});

it("who may only look sees the writer's strokes, though nothing comes through the socket any more", async () => {
  const one = await writer();
  world.server.readOnly = true;
  const watcher = await world.open();
  await world.pass(2000);
  expect(watcher.state.writing.value.kind).toBe("read_only");
  watcher.network.deaf = true;
  paint(one, 2);
  await world.pass(2000);
  expect(watcher.session.layers!.findings.at(0, 2, 1)).toBe(0);
  await world.pass(60_000);
  expect(watcher.session.layers!.findings.at(0, 2, 1)).toBe(1);
  expect(watcher.state.writing.value.kind).toBe("read_only");
});
