/** The right to write: one tab holds it. Renewed in good time; strokes that wait to be sent go first. */
import { SignedOut, type Api } from "../api/client";
import type { LeaseAnswer } from "../api/types";

export interface LeaseEvents {
  /** Someone else writes now. */
  lost(holder: string, since: string): void;
  /** Taken anew after somebody else had it: strokes from now on carry this epoch, and the mask may be another. */
  regained(epoch: number): void;
  signedOut(): void;
  /** Unsent strokes carry the old epoch: while there are any, the lease is not asked for anew. */
  busy(): boolean;
}

export class LeaseKeeper {
  private tab = "";
  private held = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private current = 0;
  private asking: Promise<boolean> | null = null;
  private askAgain = false;

  constructor(
    private readonly api: Api,
    private readonly events: LeaseEvents,
  ) {}

  get epoch(): number {
    return this.current;
  }

  async take(tab: string, takeOver: boolean): Promise<LeaseAnswer> {
    this.tab = tab;
    const answer = await this.api.lease(tab, takeOver);
    if (!answer.held) this.holds(answer.epoch, answer.expires_in_s);
    return answer;
  }

  private holds(epoch: number, expiresInS: number): void {
    this.held = true;
    this.current = epoch;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.renew(), Math.max(2, expiresInS / 3) * 1000);
  }

  /**
   * Asks whether the lease is still ours; also when the server says that it changed hands. Resolves when that is known:
   * false when the server could not be asked.
   *
   * One question at a time: news that comes while one is under way is asked about after it, for its answer may be older.
   */
  renew(): Promise<boolean> {
    this.askAgain = this.asking !== null;
    if (!this.asking && !this.held) return Promise.resolve(true);
    this.asking ??= this.askUntilKnown().finally(() => (this.asking = null));
    return this.asking;
  }

  private async askUntilKnown(): Promise<boolean> {
    let known = await this.ask();
    while (this.askAgain && this.held) {
      this.askAgain = false;
      known = await this.ask();
    }
    return known;
  }

  /** Somebody let go of it: an answer under way may be older than that. */
  released(): void {
    this.askAgain = this.asking !== null;
  }

  private async ask(): Promise<boolean> {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.renew(), 5000);
    if (this.events.busy()) return true;
    try {
      const answer = await this.api.lease(this.tab, false);
      // Let go of while the question was under way.
      if (!this.held) return true;
      if (answer.held && this.askAgain) return true;
      if (answer.held) {
        this.drop();
        this.events.lost(answer.holder_name, answer.since);
      } else {
        const before = this.current;
        this.holds(answer.epoch, answer.expires_in_s);
        if (answer.epoch !== before) this.events.regained(answer.epoch);
      }
      return true;
    } catch (error) {
      if (error instanceof SignedOut) this.events.signedOut();
      return false;
    }
  }

  drop(): void {
    this.held = false;
    clearTimeout(this.timer);
  }
}
