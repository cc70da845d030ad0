/** The ledger's other half: what the reader decides of each slice, by key, by range, or as the mask says. */
import { computed, effect, signal } from "@preact/signals";
import { Refused, SignedOut } from "../api/client";
import { nextMarked } from "../edits/compare";
import * as display from "../display";
import * as state from "../state";
import { onKey } from "./acts";
import type { Desk } from "./desk";
import { RowStore } from "./rowstore";
import { applied, CODES, contradictedOf, derived, SHOWN, undecidedOf, type How, type VerdictRow, type VerdictWord } from "./verdicts";

const RETRY_MS = 10_000;

/** Verdicts that the server has not acknowledged. */
export const unsentVerdicts = signal(0);

/** The protocol asks for a verdict on each slice with lung. */
export const verdictsAsked = computed(() => (state.reading.value?.protocol?.attests.verdicts ?? "off") !== "off");

export const undecided = computed(() => undecidedOf(display.lungSlices.value, display.verdicts.value));
export const contradicted = computed(() => contradictedOf(display.lesionOnly.value, display.verdicts.value));
/** What the strip hatches: said to be undecided, or seen and not decided where the protocol asks for it. */
export const openSlices = computed(() =>
  undecided.value.map((open, z) => (display.verdicts.value[z] === 3 || (open && verdictsAsked.value && display.seenSlices.value[z]) ? 1 : 0)),
);
export const undecidedCount = computed(() => undecided.value.reduce((sum, mark) => sum + mark, 0));

class Decisions {
  private waiting: VerdictRow[] = [];
  private sending: Promise<void> | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly store: RowStore<VerdictRow> | null;
  /** The slice that a range goes on from: the last one decided by key. */
  private anchor: number | null = null;

  constructor(private readonly desk: Desk) {
    const { scan, you, may_edit, ledger } = state.reading.value!;
    const slices = scan.shape_zyx[0];
    const valid = ({ z_first, z_last, verdict }: VerdictRow): boolean => Number.isInteger(z_first) && z_first >= 0 && z_last >= z_first && z_last < slices && verdict in CODES;
    this.store = may_edit ? new RowStore(localStorage, "verdicts", desk.session.id, you?.id ?? "", valid) : null;
    const known = new Uint8Array(slices);
    Object.entries(ledger?.verdicts ?? {}).forEach(([z, verdict]) => (known[Number(z)] = CODES[verdict]));
    this.waiting = this.store?.takeOver() ?? [];
    display.verdicts.value = applied(known, this.waiting);
    unsentVerdicts.value = this.waiting.length;
    if (this.waiting.length) this.soon(0);
    addEventListener("online", () => this.soon(0));
  }

  say(rows: readonly VerdictRow[]): void {
    if (!rows.length) return;
    display.verdicts.value = applied(display.verdicts.peek(), rows);
    this.waiting.push(...rows);
    this.store?.keep(this.waiting);
    unsentVerdicts.value = this.waiting.length;
    this.soon(0);
  }

  /** One slice by key, or with Shift every slice from the last one decided to this one. */
  decide(verdict: VerdictWord, range: boolean): void {
    const z = state.slices.peek().axial;
    const from = range ? (this.anchor ?? z) : z;
    const how: How = range && from !== z ? "range" : "key";
    this.say([{ z_first: Math.min(from, z), z_last: Math.max(from, z), verdict, how }]);
    this.anchor = z;
    if (how === "range") state.notice.value = `Slices ${Math.min(from, z) + 1} to ${Math.max(from, z) + 1}: ${SHOWN[CODES[verdict]]}.`;
  }

  private soon(ms: number): void {
    if (this.timer !== undefined) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      void this.send();
    }, ms);
  }

  private send(): Promise<void> {
    this.sending ??= this.sendAll().finally(() => (this.sending = null));
    return this.sending;
  }

  private async sendAll(): Promise<void> {
    while (this.waiting.length) {
      const rows = this.waiting.slice(0, 200);
      try {
        await this.desk.session.api.recordLedger({ verdicts: rows });
      } catch (error) {
        if (error instanceof SignedOut && state.dialog.value === "none") state.dialog.value = "signin";
        // A reading that is closed takes no more: what it has is what was signed.
        if (!(error instanceof Refused && !!error.code && (error.status === 403 || error.status === 409))) return this.soon(RETRY_MS);
        state.notice.value = `Verdicts were not kept: ${error.message}`;
      }
      this.waiting.splice(0, rows.length);
      this.store?.keep(this.waiting);
      unsentVerdicts.value = this.waiting.length;
    }
  }

  /** Every verdict is on the server; throws when it cannot be. */
  async flushed(): Promise<void> {
    await this.send();
    if (this.waiting.length) throw new Refused(0, "unsaved", "Some verdicts are not saved yet.");
  }
}

let decisions: Decisions | null = null;

export const verdictsFlushed = (): Promise<void> => decisions?.flushed() ?? Promise.resolve();

export function watchDecisions(desk: Desk): void {
  const stop = effect(() => {
    if (!state.reading.value) return;
    queueMicrotask(() => {
      stop();
      decisions = new Decisions(desk);
    });
  });
}

/** Verdicts are the reader's who may write: nobody else decides in their reading. */
function mayDecide(): boolean {
  if (decisions && state.mayPaint.value) return true;
  state.notice.value = "Verdicts are given by whoever edits this reading.";
  return false;
}

const deciding = (verdict: VerdictWord, range = false) => (): void => {
  if (mayDecide()) decisions!.decide(verdict, range);
};

onKey("present", deciding("present"));
onKey("absent", deciding("absent"));
onKey("undecided", deciding("indeterminate"));
onKey("present_range", deciding("present", true));
onKey("absent_range", deciding("absent", true));

/** Confirms what the mask says of this slice, and goes on to the next with lung that is not decided. */
onKey("confirm_slice", (desk) => {
  if (!mayDecide()) return;
  const z = state.slices.value.axial;
  decisions!.decide(display.lesionOnly.value[z] ? "present" : "absent", false);
  const next = nextMarked(undecided.value, z, -1 * desk.grid!.planes.axial.ahead);
  if (next !== null && next !== z) desk.showSlice("axial", next);
  else state.notice.value = "Every slice with lung has a verdict.";
});

/** Gives the slices that are open the verdicts that the mask gives; only those that were seen. */
export function takeFromMask(): number {
  const seen = display.seenSlices.value;
  const open = undecided.value.map((mark, z) => (mark && seen[z] && display.verdicts.value[z] === 0 ? 1 : 0));
  const rows = derived(open, display.lesionOnly.value);
  if (mayDecide()) decisions!.say(rows);
  return open.reduce((sum, mark) => sum + mark, 0);
}
