/** When the numbers are counted again: a little at a time, soon after a change, never in the way of the pointer. */
import type { MeasureBook } from "../edits/measure";
import * as display from "../display";
import * as state from "../state";

const STEP_MS = 12;
const WHILE_PAINTING_MS = 160;

export class Counting {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private waiting = true;

  constructor(
    private readonly book: () => MeasureBook | null,
    private readonly painting: () => boolean,
  ) {}

  /** The scan has come in: from now on changes are counted. */
  open(): void {
    this.waiting = false;
    this.soon();
  }

  /** Nothing that changed waits to be counted. */
  get done(): boolean {
    return !this.waiting && this.timer === undefined;
  }

  soon(): void {
    if (this.waiting || this.timer !== undefined) return;
    this.timer = setTimeout(() => this.step(), this.painting() ? WHILE_PAINTING_MS : 0);
  }

  private step(): void {
    this.timer = undefined;
    const book = this.book();
    if (!book) return;
    if (!book.refresh(STEP_MS)) {
      this.timer = setTimeout(() => this.step(), 4);
      return;
    }
    state.numbers.value = book.numbers();
    state.lesionSlices.value = book.slicesWithFindings();
    display.lesionOnly.value = book.slicesWithLesion();
    display.lungSlices.value = book.slicesWithLung();
  }
}
