/**
 * A world for sessions: one reading on a server that behaves as webapp/masks does, one browser with its storage and locks,
 * and tabs in it that come and go. Each tab is the real viewer's session with modules of its own; network, server, storage
 * and death are what a test makes of them.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { vi } from "vitest";
import type { Reading, StoredStroke } from "../src/api/types";
import { fromBase64, toBase64 } from "../src/edits/bytes";
import { DeltaConflict, decodeDelta, encodeDelta, invertRuns, packRuns, unpackRuns, type Run, type SliceRuns } from "../src/edits/delta";
import { emptyLayers, type LayerName, type Layers, type Shape } from "../src/edits/layers";
import type { StrokeResult, StrokesAnswer } from "../src/edits/queue";
import type { Stroke } from "../src/edits/strokelog";

export const SHAPE: Shape = [5, 8, 8];
export const LABELS = [1, 2, 3];
/** Painted by a test to be refused: it is in no label set. */
export const POISON = 9;
const LEASE_MS = 60_000;
const ME = "me";

export const randomOf = (seed: number) => (): number => {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
};

export function copyOf(layers: Layers): Layers {
  const copy = emptyLayers(SHAPE);
  for (const name of ["anatomy", "findings"] as const) layers[name].slices.forEach((slice, z) => slice && copy[name].writable(z).set(slice));
  return copy;
}

export function differences(a: Layers, b: Layers): string[] {
  const empty = new Uint8Array(SHAPE[1] * SHAPE[2]);
  return (["anatomy", "findings"] as const).flatMap((name) =>
    a[name].slices.flatMap((slice, z) => (Buffer.compare(slice ?? empty, b[name].slices[z] ?? empty) ? [`${name} ${z}`] : [])),
  );
}

/** One zstd frame of a raw block: enough for the small slices here. */
function frame(slice: Uint8Array): Uint8Array {
  const block = (slice.length << 3) | 1;
  return Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, 0x20, slice.length, block & 255, (block >> 8) & 255, block >> 16, ...slice]);
}

export class No extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly body: Record<string, unknown> = {},
  ) {
    super(code);
  }
}

interface Wire {
  id: string;
  layer: LayerName;
  tool: string;
  plane: string;
  tab: string;
  epoch: number;
  client_time: string;
  undoes: string | null;
  payload: string;
}

/** What the server does with strokes, leases and signatures; see webapp/masks/strokes.py. */
export class Server {
  layers = emptyLayers(SHAPE);
  readonly states: Layers[] = [emptyLayers(SHAPE)];
  readonly log: (StoredStroke & { tab: string; epoch: number })[] = [];
  lease: { tab: string; epoch: number; since: string; renewed: number; released: boolean } | null = null;
  closed = false;
  /** Whoever opens it now may look, not paint. */
  readOnly = false;
  session = true;
  readonly sockets = new Set<(message: Record<string, unknown>) => void>();

  publish(kind: string, fields: Record<string, unknown> = {}): void {
    this.sockets.forEach((hear) => hear({ topic: "reading:r", kind, ...fields }));
  }

  stored(id: string): boolean {
    return this.log.some((stroke) => stroke.id === id);
  }

  private get live(): boolean {
    return !!this.lease && !this.lease.released && this.lease.renewed > Date.now() - LEASE_MS;
  }

  send(strokes: Wire[]): StrokesAnswer {
    for (const stroke of strokes) if (!this.stored(stroke.id)) this.check(stroke);
    // All or none: what is wrong with one is found before any is written, but for undo of one in the same batch.
    const results = strokes.map((stroke) => this.append(stroke));
    this.publish("stroke.applied", { stroke_sequence: this.log.length });
    return { results, mask: { stroke_sequence: this.log.length, head_hash: "" } };
  }

  private check(stroke: Wire): void {
    const delta = decodeDelta(fromBase64(stroke.payload), SHAPE);
    if (!stroke.undoes && delta.some(({ runs }) => unpackRuns(runs).some((run) => run.new === POISON))) throw new No(409, "unknown_label", { stroke: stroke.id });
  }

  private append(wire: Wire): StrokeResult {
    const known = this.log.find(({ id }) => id === wire.id);
    if (known) return { id: known.id, status: known.applied ? "duplicate" : "branched", stroke_sequence: known.stroke_sequence, server_time: known.server_time };
    const delta = decodeDelta(fromBase64(wire.payload), SHAPE);
    const applied = this.applies(wire, delta);
    const stroke = { ...wire, stroke_sequence: this.log.length + 1, applied, reader: ME, server_time: new Date().toISOString() };
    this.log.push(stroke);
    this.states.push(copyOf(this.layers));
    if (this.lease?.tab === wire.tab && this.lease.epoch === wire.epoch) this.lease.renewed = Date.now();
    return { id: stroke.id, status: applied ? "applied" : "branched", stroke_sequence: stroke.stroke_sequence, server_time: stroke.server_time };
  }

  private applies(wire: Wire, delta: SliceRuns[]): boolean {
    if (wire.undoes) {
      const undone = this.log.find(({ id }) => id === wire.undoes);
      if (!undone) throw new No(409, "undo_unknown", { stroke: wire.id });
      const inverse = encodeDelta(invertRuns(decodeDelta(fromBase64(undone.payload), SHAPE)));
      if (toBase64(inverse) !== wire.payload) throw new No(409, "undo_differs", { stroke: wire.id });
      if (!undone.applied) return false;
    }
    if (this.closed || this.lease?.tab !== wire.tab || this.lease.epoch !== wire.epoch) return false;
    try {
      this.layers[wire.layer].apply(delta);
      return true;
    } catch (error) {
      if (error instanceof DeltaConflict) return false;
      throw error;
    }
  }

  take(tab: string, takeOver: boolean): { epoch: number; expires_in_s: number } {
    if (this.closed) throw new No(409, "signed");
    const { lease } = this;
    if (lease && lease.tab !== tab && this.live && !takeOver) throw new No(409, "held", { holder_name: "Me", since: lease.since });
    const goesOn = lease?.tab === tab;
    const epoch = lease ? (goesOn ? lease.epoch : lease.epoch + 1) : 1;
    const changed = !goesOn || lease!.released;
    this.lease = { tab, epoch, since: new Date().toISOString(), renewed: Date.now(), released: false };
    if (changed) this.publish("lease.changed", { epoch });
    return { epoch, expires_in_s: LEASE_MS / 1000 };
  }

  release(tab: string): void {
    if (this.lease?.tab !== tab || this.lease.released) return;
    this.lease.released = true;
    this.publish("lease.released");
  }

  ask(tab: string): void {
    if (!this.live || this.lease!.tab === tab) throw new No(409, "nobody_writes");
    this.publish("lease.asked", { who: "Me", tab });
  }

  restore(state: string, tab: string, epoch: number): void {
    if (this.closed) throw new No(409, "signed");
    if (this.lease?.tab !== tab || this.lease.epoch !== epoch) throw new No(409, "held", { holder_name: "Me", since: "" });
    const wanted = this.states[Number(state.slice("stroke:".length))];
    const strokes = (["anatomy", "findings"] as const).flatMap((layer) => {
      const delta = deltaTo(this.layers[layer].slices, wanted[layer].slices);
      return delta.length ? [{ layer, delta }] : [];
    });
    if (!strokes.length) throw new No(409, "same_state");
    for (const { layer, delta } of strokes) {
      this.append({ id: crypto.randomUUID(), layer, tool: "restore", plane: "none", tab, epoch, client_time: "", undoes: null, payload: toBase64(encodeDelta(delta)) });
    }
    this.publish("stroke.applied", { stroke_sequence: this.log.length });
  }

  sign(sequence: number): void {
    if (this.closed) throw new No(409, "signed");
    if (sequence !== this.log.length) throw new No(409, "unsaved");
    this.closed = true;
    this.publish("reading.signed");
  }

  container(): Uint8Array {
    const frames: { layer: LayerName; z: number; offset: number; length: number }[] = [];
    const area: number[] = [];
    for (const layer of ["anatomy", "findings"] as const) {
      this.layers[layer].slices.forEach((slice, z) => {
        if (!slice?.some(Boolean)) return;
        const data = frame(slice);
        frames.push({ layer, z, offset: area.length, length: data.length });
        area.push(...data);
      });
    }
    const header = new TextEncoder().encode(JSON.stringify({ shape_zyx: SHAPE, stroke_sequence: this.log.length, head_hash: "", frames }));
    const length = new Uint8Array(new Uint32Array([header.length]).buffer);
    return Uint8Array.from([0x47, 0x47, 0x4d, 0x31, ...length, ...header, ...area]);
  }

  /** See `edited_slices` of webapp/masks/history.py. */
  private edited(): number[] {
    return differences(this.layers, this.states[0]).map((place) => Number(place.split(" ")[1])).filter((z, n, all) => all.indexOf(z) === n).sort();
  }

  describe(): Reading {
    const lease = this.live ? { epoch: this.lease!.epoch, mine: true, holder_name: "Me", tab: this.lease!.tab, since: this.lease!.since } : null;
    return {
      id: "r", state: this.closed ? "signed" : "in progress", stage: "review", may_edit: !this.closed && !this.readOnly, edit_refusal: this.closed ? "It is signed." : this.readOnly ? "It is another reader's." : null,
      may_sign: !this.closed, sign_refusal: null, statement: "So it is.", reader: { id: ME, name: "Me" }, you: { id: ME, name: "Me", username: ME },
      scan: { shape_zyx: SHAPE as [number, number, number], voxel_volume_ml: 1, has_hu: false },
      label_set: { name: "", version: 1, labels: LABELS.map((value) => ({ value, name: "", colour: "", counts_as_lung: true, is_exclusion: false })) },
      mask: { id: "m", stroke_sequence: this.log.length, head_hash: "", edited_slices: this.edited() }, lease, kept_beside: this.log.filter(({ applied }) => !applied).length,
    } as unknown as Reading;
  }
}

function deltaTo(now: readonly (Uint8Array | null)[], wanted: readonly (Uint8Array | null)[]): SliceRuns[] {
  return now.flatMap((slice, z) => {
    const runs: Run[] = [];
    for (let i = 0; i < SHAPE[1] * SHAPE[2]; i++) {
      const [old, next] = [slice?.[i] ?? 0, wanted[z]?.[i] ?? 0];
      const last = runs.at(-1);
      if (old === next) continue;
      if (last && last.start + last.length === i && last.old === old && last.new === next) last.length++;
      else runs.push({ start: i, length: 1, old, new: next });
    }
    return runs.length ? [{ z, runs: packRuns(runs) }] : [];
  });
}

/** How bad the network of a tab is: probabilities of a request that never arrives and of an answer that never does. */
export interface Network {
  up: boolean;
  lost: number;
  unanswered: number;
  slowestMs: number;
  /** The socket stands, and nothing comes through it. */
  deaf?: boolean;
}

export interface Tab {
  name: number;
  session: import("../src/reading/session").Session;
  /** What its buttons do. */
  hands: { take(takeOver: boolean): Promise<void>; askFor(): Promise<void>; handOver(): Promise<void> };
  state: typeof import("../src/state");
  network: Network;
  dead: boolean;
  /** Strokes that this tab has recorded, in order. */
  painted: Stroke[];
  /** Of them, those that the browser did not keep. */
  loose: Set<string>;
  listeners: Map<string, ((event: unknown) => void)[]>;
}

const inTab = new AsyncLocalStorage<Tab>();

export class World {
  readonly server = new Server();
  readonly tabs: Tab[] = [];
  /** The browser has no room for another stroke. */
  diskFull = false;
  private readonly locks = new Map<string, Tab>();
  private count = 0;

  constructor(readonly random: () => number) {}

  get living(): Tab[] {
    return this.tabs.filter(({ dead }) => !dead);
  }

  /** The browser's own things, seen from whichever tab asks. */
  install(): void {
    const { locks } = this;
    const request = async (name: string, _: unknown, work: (lock: object | null) => unknown): Promise<void> => {
      const free = !locks.get(name) || locks.get(name)!.dead;
      if (free) locks.set(name, inTab.getStore()!);
      await work(free ? {} : null);
    };
    const query = async (): Promise<object> => ({ held: [...locks].filter(([, tab]) => !tab.dead).map(([name]) => ({ name })) });
    vi.stubGlobal("navigator", { locks: { request, query } });
    vi.stubGlobal("location", { protocol: "http:", host: "here" });
    vi.stubGlobal("document", { visibilityState: "visible", cookie: "", addEventListener: this.listen });
    vi.stubGlobal("addEventListener", this.listen);
    vi.stubGlobal("WebSocket", this.socketClass());
    const add = IDBObjectStore.prototype.add;
    const full = (): boolean => this.diskFull;
    vi.spyOn(IDBObjectStore.prototype, "add").mockImplementation(function (this: IDBObjectStore, ...given) {
      if (full()) throw new DOMException("No room", "QuotaExceededError");
      return add.apply(this, given);
    });
    // What a tab does later, it does as that tab.
    for (const name of ["setTimeout", "setInterval"] as const) {
      const timer = globalThis[name] as (work: () => void, ms?: number) => unknown;
      vi.stubGlobal(name, (work: () => void, ms?: number) => timer(AsyncLocalStorage.bind(work), ms));
    }
  }

  private readonly listen = (kind: string, listener: (event: unknown) => void): void => {
    const { listeners } = inTab.getStore()!;
    listeners.set(kind, [...(listeners.get(kind) ?? []), listener]);
  };

  private socketClass(): unknown {
    const { server } = this;
    return class {
      onopen: (() => void) | null = null;
      onclose: (() => void) | null = null;
      onmessage: ((event: { data: string }) => void) | null = null;
      private readonly tab = inTab.getStore()!;
      private open = true;

      constructor() {
        const { tab } = this;
        setTimeout(() => (tab.network.up ? this.onopen?.() : this.drop()), 20);
        const watch = setInterval(() => {
          if (tab.dead) clearInterval(watch);
          else if (!tab.network.up && this.open) this.drop();
          if (!this.open) clearInterval(watch);
        }, 500);
      }

      private readonly hear = (message: Record<string, unknown>): void => {
        setTimeout(() => {
          if (this.open && this.tab.network.up && !this.tab.network.deaf && !this.tab.dead) within(this.tab, () => this.onmessage?.({ data: JSON.stringify(message) }));
        }, 10);
      };

      private drop(): void {
        this.open = false;
        server.sockets.delete(this.hear);
        if (!this.tab.dead) within(this.tab, () => this.onclose?.());
      }

      send(text: string): void {
        const { subscribe } = JSON.parse(text) as { subscribe: string[] };
        server.sockets.add(this.hear);
        subscribe.forEach((topic) => this.hear({ topic, kind: "subscribed" }));
      }

      close(): void {
        this.open = false;
        server.sockets.delete(this.hear);
      }
    };
  }

  /** Loads the page in a new tab; resolves when it stands, whether or not it may write. */
  async open(network: Partial<Network> = {}): Promise<Tab> {
    vi.resetModules();
    const [{ Session }, hands, state, client, { StrokeLog }] = await Promise.all([
      import("../src/reading/session"), import("../src/reading/hands"), import("../src/state"), import("../src/api/client"), import("../src/edits/strokelog"),
    ]);
    const tab = {
      name: ++this.count, state, network: { up: true, lost: 0, unanswered: 0, slowestMs: 100, ...network }, dead: false,
      painted: [] as Stroke[], loose: new Set<string>(), listeners: new Map(),
    } as unknown as Tab;
    const keep = StrokeLog.prototype.keep;
    StrokeLog.prototype.keep = async function (stroke: Stroke): Promise<void> {
      // The page is gone, and so is what it would do next.
      if (tab.dead) return new Promise(() => undefined);
      tab.painted.push(stroke);
      tab.loose.add(stroke.id);
      await keep.call(this, stroke);
      tab.loose.delete(stroke.id);
    };
    tab.session = new Session("r", this.apiOf(tab, client) as never, () => undefined);
    const { session } = tab;
    tab.hands = { take: (takeOver) => hands.take(session, takeOver), askFor: () => hands.askFor(session), handOver: () => hands.handOver(session) };
    this.tabs.push(tab);
    let open = false;
    const opening = within(tab, async () => {
      const { container } = await this.patiently(() => tab.session.load());
      await tab.session.openMask(container);
      void tab.session.startWriting();
      open = true;
    });
    while (!open) await this.pass(50);
    await opening;
    return tab;
  }

  /** A page that does not load is loaded again. */
  private async patiently<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work();
      } catch {
        this.server.session = true;
        await new Promise((go) => setTimeout(go, 100));
      }
    }
  }

  private apiOf(tab: Tab, { Refused, SignedOut, outcomeOf }: typeof import("../src/api/client")): object {
    const { server, random } = this;
    const never = new Promise<never>(() => undefined);
    const wait = (): Promise<void> => new Promise((go) => setTimeout(go, random() * tab.network.slowestMs));
    const call = async <T>(work: () => T): Promise<T> => {
      if (tab.dead) return never;
      await wait();
      if (!tab.network.up || random() < tab.network.lost) throw new TypeError("Failed to fetch");
      if (!server.session) throw new SignedOut();
      let answer: T;
      try {
        answer = structuredClone(work());
      } catch (error) {
        if (!(error instanceof No)) throw error;
        await wait();
        throw new Refused(error.status, error.code, error.code, error.body);
      }
      await wait();
      // It may have been done all the same.
      if (tab.dead) return never;
      if (!tab.network.up || random() < tab.network.unanswered) throw new TypeError("Failed to fetch");
      return answer;
    };
    const outcome = async (strokes: Wire[]): Promise<unknown> => {
      try {
        return { kind: "ok", answer: await call(() => server.send(strokes)) };
      } catch (error) {
        return outcomeOf(error);
      }
    };
    return {
      describe: () => call(() => server.describe()),
      mask: () => call(() => server.container()),
      strokesAfter: (sequence: number, until = Infinity) =>
        call(() => server.log.filter((stroke) => stroke.stroke_sequence > sequence && stroke.stroke_sequence <= until)),
      sendStrokes: (strokes: Wire[]) => outcome(strokes),
      lease: async (name: string, takeOver: boolean) => {
        try {
          return { held: false, ...(await call(() => server.take(name, takeOver))) };
        } catch (error) {
          if (!(error instanceof Refused) || error.code !== "held") throw error;
          return { held: true, sentence: "", ...error.body };
        }
      },
      handOver: (name: string) => call(() => server.release(name)),
      releaseLease: (name: string) => tab.network.up && server.release(name),
      askForLease: (name: string) => call(() => server.ask(name)),
      restore: (state: string, name: string, epoch: number) => call(() => server.restore(state, name, epoch)),
      sign: (_: string, sequence: number) => call(() => server.sign(sequence)),
      signIn: async () => void (server.session = true),
    };
  }

  /** The tab ends without a word: killed, discarded, or reloaded by a reader in a hurry. */
  kill(tab: Tab): void {
    tab.dead = true;
  }

  /** The reader leaves as one should; false when the page warned that something is not saved. */
  leave(tab: Tab): boolean {
    if (!tab.session.allSaved) return false;
    within(tab, () => tab.listeners.get("pagehide")?.forEach((listener) => listener({})));
    tab.dead = true;
    return true;
  }

  tell(tab: Tab, event: string): void {
    within(tab, () => tab.listeners.get(event)?.forEach((listener) => listener({ persisted: true })));
  }

  /** Lets time pass, and the storage do its work. */
  async pass(ms: number): Promise<void> {
    const end = Date.now() + ms;
    while (Date.now() < end) {
      await vi.advanceTimersByTimeAsync(Math.min(50, end - Date.now()));
      await storageAtRest();
    }
  }
}

export async function storageAtRest(): Promise<void> {
  for (let n = 0; n < 6; n++) await new Promise((go) => setImmediate(go));
}

export const within = <T>(tab: Tab, work: () => T): T => inTab.run(tab, work);
