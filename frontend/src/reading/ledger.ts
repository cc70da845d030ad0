/** The ledger of seen slices: what this reader has had on the screen, kept here until the server has it. */
import { computed, effect, signal } from "@preact/signals";
import { Refused, SignedOut } from "../api/client";
import type { SeenRow } from "../api/types";
import { nextMarked } from "../edits/compare";
import * as display from "../display";
import * as state from "../state";
import { onKey } from "./acts";
import { contradicted, undecided } from "./decisions";
import type { Desk } from "./desk";
import { Eye, type Look } from "./seen";
import { SeenStore } from "./seenstore";

/** Rows wait this long for company. */
const BATCH_MS = 2000;
const RETRY_MS = 15_000;
const WATCH_MS = 1000;

/** Slices that hold lung, and how many of them were seen; null while that is not known. */
export const progress = computed(() => {
  const lung = display.lungSlices.value;
  const seen = display.seenSlices.value;
  let [total, done] = [0, 0];
  for (let z = 0; z < lung.length; z++) {
    if (!lung[z]) continue;
    total++;
    if (seen[z]) done++;
  }
  return lung.length ? { total, seen: done } : null;
});

/** Rows that the server has not acknowledged; for tests and for leaving. */
export const unsentRows = signal(0);

class Ledger {
  private readonly eye: Eye;
  /** All of this visit: a slice's time adds up here, so that saying it twice changes nothing at the server. */
  private readonly looks = new Map<number, SeenRow>();
  private waiting = new Map<number, SeenRow>();
  private sending = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private dwell: ReturnType<typeof setTimeout> | undefined;
  /** Null for who only looks: what the reader has seen, and left here to be sent, is not theirs. */
  private readonly store: SeenStore | null;

  constructor(private readonly desk: Desk) {
    const { scan, you, may_edit, protocol } = state.reading.value!;
    this.eye = new Eye(protocol?.dwell_ms);
    this.store = may_edit ? new SeenStore(localStorage, desk.session.id, you?.id ?? "", scan.shape_zyx[0]) : null;
  }

  start(): void {
    const { ledger, scan } = state.reading.value!;
    const marks = new Uint8Array(scan.shape_zyx[0]);
    ledger?.seen.forEach((z) => (marks[z] = 1));
    this.store?.takeOver().forEach((row) => {
      marks[row.z] = 1;
      this.looks.set(row.z, row);
      this.waiting.set(row.z, row);
    });
    display.seenSlices.value = marks;
    unsentRows.value = this.waiting.size;
    if (this.waiting.size) this.soon(BATCH_MS);
    effect(() => {
      void [state.slices.value, state.voi.value, state.oneUp.value, state.loadedSlices.value, state.slabMm.value, state.dialog.value, display.shown.value];
      this.turn();
    });
    document.addEventListener("visibilitychange", () => this.turn());
    // Zoom and layout are nobody's signal: looked at now and then, and when the dwell ends.
    setInterval(() => this.turn(), WATCH_MS);
    addEventListener("online", () => this.soon(0));
    addEventListener("pagehide", () => {
      this.tell(this.eye.look(performance.now()));
      this.keep();
    });
  }

  private turn(): void {
    const now = performance.now();
    this.tell(this.eye.turn(this.sight(), now));
    clearTimeout(this.dwell);
    const rest = this.eye.remaining(now);
    if (rest !== null) this.dwell = setTimeout(() => this.dwelt(), rest + 1);
  }

  private dwelt(): void {
    // What counts is what is there at the end, too.
    this.turn();
    this.tell(this.eye.look(performance.now()));
  }

  private sight() {
    const z = state.slices.peek().axial;
    const { width, level } = state.voi.peek();
    const { stage, session } = this.desk;
    const pane = document.getElementById("pane-axial");
    const onScreen = !!pane?.clientWidth && pane.checkVisibility({ visibilityProperty: true }) && display.shown.peek().kind !== "film";
    return {
      z: onScreen && stage ? z : null,
      loaded: !!session.hu[z] && (this.desk.timings.firstSliceMs ?? Infinity) < Infinity,
      fitted: !!stage && stage.views.axial.magnification >= 0.999,
      width,
      level,
      hasHu: state.reading.peek()?.scan.has_hu,
      visible: document.visibilityState === "visible",
      slabMm: state.slabMm.peek(),
      // A picture of the guideline opens over the planes, too.
      covered: state.dialog.peek() !== "none" || document.querySelector("dialog.picture-sheet[open]") !== null,
    };
  }

  private tell(look: Look | null): void {
    if (!look || !state.reading.peek()?.may_edit) return;
    const known = this.looks.get(look.z);
    const row = { z: look.z, at: known?.at ?? look.at, dwell_ms: (known?.dwell_ms ?? 0) + look.dwellMs };
    this.looks.set(look.z, row);
    this.waiting.set(look.z, row);
    if (!display.seenSlices.peek()[look.z]) {
      const marks = display.seenSlices.peek().slice();
      marks[look.z] = 1;
      display.seenSlices.value = marks;
    }
    unsentRows.value = this.waiting.size;
    this.soon(BATCH_MS);
  }

  private soon(ms: number): void {
    if (this.timer !== undefined || this.sending) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      void this.send();
    }, ms);
  }

  /** What is on the screen now counts as well. */
  async told(): Promise<void> {
    while (this.sending) await new Promise((go) => setTimeout(go, 50));
    await this.send();
  }

  private async send(): Promise<void> {
    if (!this.waiting.size || this.sending) return;
    const rows = [...this.waiting.values()];
    this.keep();
    this.sending = true;
    this.waiting = new Map();
    let wait = BATCH_MS;
    try {
      const seen = await this.desk.session.api.recordSeen(rows);
      const marks = display.seenSlices.peek().slice();
      seen.forEach((z) => (marks[z] = 1));
      display.seenSlices.value = marks;
    } catch (error) {
      wait = RETRY_MS;
      // A reading that is closed takes no more rows: what it has is what was signed.
      const final = error instanceof Refused && !!error.code && (error.status === 403 || error.status === 409);
      if (!final) this.putBack(rows);
      if (error instanceof SignedOut && state.dialog.value === "none") state.dialog.value = "signin";
    }
    this.sending = false;
    this.keep();
    unsentRows.value = this.waiting.size;
    if (this.waiting.size) this.soon(wait);
  }

  private putBack(rows: readonly SeenRow[]): void {
    for (const row of rows) if (!this.waiting.has(row.z)) this.waiting.set(row.z, row);
  }

  private keep(): void {
    this.store?.keep([...this.waiting.values()]);
  }
}

let ledger: Ledger | null = null;

/** Every slice seen is on the server, as far as it can be. */
export const seenTold = (): Promise<void> => ledger?.told() ?? Promise.resolve();

export function watchLedger(desk: Desk): void {
  const stop = effect(() => {
    if (!state.reading.value) return;
    queueMicrotask(() => {
      stop();
      ledger = new Ledger(desk);
      ledger.start();
    });
  });
}

/** Goes to the next marked slice, towards the feet with -1; `none` says that there is none. */
function goToMarked(desk: Desk, marks: ArrayLike<number>, up: 1 | -1, none: string): void {
  const lung = display.lungSlices.value;
  if (!lung.length) return void (state.notice.value = "The slices with lung are still being counted.");
  const here = state.slices.value.axial;
  const others = Array.from(marks, (mark, z) => (mark && z !== here ? 1 : 0));
  const z = nextMarked(others, here, up * desk.grid!.planes.axial.ahead);
  if (z === null) state.notice.value = lung.some(Boolean) ? none : "This mask holds no lung.";
  else desk.showSlice("axial", z);
}

const unseen = (): Uint8Array => display.lungSlices.value.map((holds, z) => (holds && !display.seenSlices.value[z] ? 1 : 0));
const ALL_SEEN = "Every slice with lung has been seen.";

onKey("next_unseen", (desk) => goToMarked(desk, unseen(), -1, ALL_SEEN));
onKey("previous_unseen", (desk) => goToMarked(desk, unseen(), 1, ALL_SEEN));
onKey("next_undecided", (desk) => goToMarked(desk, undecided.value, -1, "Every other slice with lung has a verdict."));
onKey("next_contradiction", (desk) => goToMarked(desk, contradicted.value, -1, "No other verdict contradicts the mask."));
