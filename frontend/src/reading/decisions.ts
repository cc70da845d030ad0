/** The ledger's other half: what the reader decides of each slice, by key, by range, or as the mask says. */
import { computed, effect, signal } from "@preact/signals";
import { Refused } from "../api/client";
import { nextMarked } from "../edits/compare";
import * as display from "../display";
import * as state from "../state";
import { onKey } from "./acts";
import type { Desk } from "./desk";
import { RowQueue } from "./rowqueue";
import { RowStore } from "./rowstore";
import { applied, CODES, contradictedOf, derived, SHOWN, undecidedOf, type How, type VerdictRow, type VerdictWord } from "./verdicts";

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
  private readonly queue: RowQueue<VerdictRow>;
  /** The slice that a range goes on from: the last one decided by key. */
  private anchor: number | null = null;

  constructor(desk: Desk) {
    const { scan, you, may_edit, ledger } = state.reading.value!;
    const slices = scan.shape_zyx[0];
    const valid = ({ z_first, z_last, verdict }: VerdictRow): boolean => Number.isInteger(z_first) && z_first >= 0 && z_last >= z_first && z_last < slices && verdict in CODES;
    const store = may_edit ? new RowStore(localStorage, "verdicts", desk.session.id, you?.id ?? "", valid) : null;
    this.queue = new RowQueue(store, {
      send: async (verdicts) => void (await desk.session.api.recordLedger({ verdicts })),
      refused: (error) => void (state.notice.value = `Verdicts were not kept: ${error.message}`),
      moved: (waiting) => (unsentVerdicts.value = waiting),
    });
    const known = new Uint8Array(slices);
    Object.entries(ledger?.verdicts ?? {}).forEach(([z, verdict]) => (known[Number(z)] = CODES[verdict]));
    display.verdicts.value = applied(known, this.queue.waiting);
    unsentVerdicts.value = this.queue.waiting.length;
  }

  say(rows: readonly VerdictRow[]): void {
    if (!rows.length) return;
    display.verdicts.value = applied(display.verdicts.peek(), rows);
    this.queue.add(...rows);
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

  /** Every verdict is on the server; throws when it cannot be. */
  async flushed(): Promise<void> {
    if (!(await this.queue.flushed())) throw new Refused(0, "unsaved", "Some verdicts are not saved yet.");
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
