/**
 * Rows on their way to the server, in order: kept in this browser until they are there, sent again after a while, at once
 * when the network is back. What the server will never take is dropped and told.
 */
import { Refused, SignedOut } from "../api/client";
import * as state from "../state";
import type { RowStore } from "./rowstore";

const RETRY_MS = 10_000;
const AT_ONCE = 200;

export interface RowQueueEvents<Row> {
  /** Tells the server; throws what the client throws. */
  send(rows: readonly Row[]): Promise<void>;
  /** The server will not have them: a reading that is closed takes no more. */
  refused(error: Refused): void | Promise<void>;
  /** How many wait, after each change; `retrying` while the server cannot be reached. */
  moved?(waiting: number, retrying: boolean): void;
}

export class RowQueue<Row> {
  private readonly rows: Row[];
  private sending: Promise<void> | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** `store` is null for who only looks: nothing is kept then. What earlier pages left is sent first. */
  constructor(
    private readonly store: RowStore<Row> | null,
    private readonly events: RowQueueEvents<Row>,
  ) {
    this.rows = store?.takeOver() ?? [];
    addEventListener("online", () => this.soon(0));
    if (this.rows.length) this.soon(0);
  }

  /** What the server does not know of yet. */
  get waiting(): readonly Row[] {
    return this.rows;
  }

  add(...rows: readonly Row[]): void {
    this.rows.push(...rows);
    this.changed(false);
    this.soon(0);
  }

  /** Resolves once everything was tried; false where some could not be sent. */
  async flushed(): Promise<boolean> {
    await this.send();
    return !this.rows.length;
  }

  private changed(retrying: boolean): void {
    this.store?.keep(this.rows);
    this.events.moved?.(this.rows.length, retrying);
  }

  private soon(ms: number): void {
    if (ms === 0) {
      clearTimeout(this.timer);
      this.timer = undefined;
    }
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      void this.send();
    }, ms);
  }

  private send(): Promise<void> {
    this.sending ??= this.sendAll().finally(() => (this.sending = null));
    return this.sending;
  }

  private async sendAll(): Promise<void> {
    while (this.rows.length) {
      const sent = this.rows.slice(0, AT_ONCE);
      try {
        await this.events.send(sent);
        this.drop(sent.length);
      } catch (error) {
        if (error instanceof SignedOut && state.dialog.value === "none") state.dialog.value = "signin";
        if (!isFinal(error)) {
          this.changed(true);
          return this.soon(RETRY_MS);
        }
        this.drop(sent.length);
        await this.events.refused(error);
      }
    }
  }

  private drop(count: number): void {
    this.rows.splice(0, count);
    this.changed(false);
  }
}

function isFinal(error: unknown): error is Refused {
  return error instanceof Refused && !!error.code && (error.status === 403 || error.status === 409);
}
