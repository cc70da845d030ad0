/** What else a signature speaks of: time worked, without idle time, and which planes were gone through. */
import { effect, signal } from "@preact/signals";
import type { PlaneName } from "../geometry/grid";
import * as state from "../state";
import type { Desk } from "./desk";

/** Whoever touches nothing for so long is not working. */
export const IDLE_MS = 30_000;
const SEND_MS = 15_000;
const TICK_MS = 1000;
/** A plane counts as viewed after so many of its slices, or all where it has fewer, each for as long as a look lasts. */
export const PLANE_SLICES = 10;

export const activeMs = signal(0);

/** Adds up time between ticks in which somebody was there. */
export class Worktime {
  private touched = -Infinity;
  private last: number | null = null;
  untold = 0;

  touch(now: number): void {
    this.touched = now;
  }

  /** `there`: the page is on the screen and the reading is this tab's to edit. Returns what was added. */
  tick(now: number, there: boolean): number {
    const gone = this.last === null ? 0 : now - this.last;
    this.last = now;
    // A computer that slept was not worked at.
    const added = there && now - this.touched < IDLE_MS && gone < 5 * TICK_MS ? gone : 0;
    this.untold += added;
    return added;
  }

  take(): number {
    const whole = Math.floor(this.untold);
    this.untold -= whole;
    return whole;
  }
}

export class PlanesViewed {
  private readonly slices: Record<"coronal" | "sagittal", Set<number>> = { coronal: new Set(), sagittal: new Set() };

  /** A slice was on the screen for a look; true once the plane has been gone through. */
  saw(plane: "coronal" | "sagittal", slice: number, total: number): boolean {
    this.slices[plane].add(slice);
    return this.slices[plane].size >= Math.min(PLANE_SLICES, total);
  }
}

let tellNow: () => Promise<void> = () => Promise.resolve();

/** Time and planes are on the server, as far as they can be. */
export const workTold = (): Promise<void> => tellNow();

export function watchWorking(desk: Desk): void {
  const time = new Worktime();
  const planes = new PlanesViewed();
  const viewed = new Set<string>();
  const untold = new Set<string>();
  const mine = (): boolean => state.writing.value.kind === "writing";
  const now = (): number => performance.now();
  const stop = effect(() => {
    const reading = state.reading.value;
    if (!reading) return;
    activeMs.value = reading.ledger?.active_ms ?? 0;
    Object.keys(reading.ledger?.attests ?? {}).forEach((name) => viewed.add(name));
    queueMicrotask(() => stop());
  });
  for (const kind of ["pointerdown", "pointermove", "wheel", "keydown"]) addEventListener(kind, () => time.touch(now()), { passive: true, capture: true });
  setInterval(() => {
    activeMs.value += time.tick(now(), document.visibilityState === "visible" && mine());
    if (mine()) (["coronal", "sagittal"] as const).forEach(look);
  }, TICK_MS / 2);

  const last: Partial<Record<PlaneName, number>> = {};
  /** The same slice at two ticks was looked at. */
  function look(plane: "coronal" | "sagittal"): void {
    const slice = state.slices.peek()[plane];
    const pane = document.getElementById(`pane-${plane}`);
    const shown = !!pane?.clientWidth && pane.checkVisibility({ visibilityProperty: true }) && document.visibilityState === "visible" && state.dialog.peek() === "none";
    const total = desk.grid?.size[desk.grid.planes[plane].across] ?? 0;
    if (shown && total && last[plane] === slice && planes.saw(plane, slice, total)) {
      const name = `${plane}_viewed`;
      if (!viewed.has(name)) {
        viewed.add(name);
        untold.add(name);
      }
    }
    last[plane] = shown ? slice : undefined;
  }

  tellNow = async () => {
    if (!mine()) return;
    const active_ms = time.take();
    const names = [...untold];
    if (!active_ms && !names.length) return;
    untold.clear();
    try {
      await desk.session.api.recordLedger({ active_ms, ...(names.length ? { attests: Object.fromEntries(names.map((name) => [name, true])) } : {}) });
    } catch {
      time.untold += active_ms;
      names.forEach((name) => untold.add(name));
    }
  };
  setInterval(() => void tellNow(), SEND_MS);
  addEventListener("pagehide", () => {
    const active_ms = time.take();
    if (active_ms && mine()) desk.session.api.leaveLedger({ active_ms });
  });
}

/** Minutes and seconds, as the status bar shows them. */
export function spent(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes}:${String(seconds % 60).padStart(2, "0")}` : `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")} h`;
}
