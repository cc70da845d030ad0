/** A reading goes from one tab to another: taken, asked for, handed over. For buttons: what goes wrong is said. */
import { Refused } from "../api/client";
import * as state from "../state";
import type { Session } from "./session";

const said = (error: Error): string => (error instanceof Refused ? error.message : "The server cannot be reached: try again.");

export async function take(session: Session, takeOver: boolean): Promise<void> {
  state.notice.value = null;
  await session.takeLease(takeOver).catch((error: Error) => void (state.notice.value = said(error)));
}

/** Asks whoever writes to hand the mask over; where nobody does any more, takes it. */
export async function askFor(session: Session): Promise<void> {
  const { writing } = state;
  try {
    await session.api.askForLease(session.tab);
    if (writing.value.kind === "held") writing.value = { ...writing.value, asked: true };
  } catch (error) {
    if (error instanceof Refused && error.code === "nobody_writes") return take(session, false);
    state.notice.value = said(error as Error);
  }
}

/** Lets who asks have the mask, once everything is saved. */
export async function handOver(session: Session): Promise<void> {
  await session.letGo().catch((error: Error) => void (state.notice.value = `Not handed over: ${said(error)}`));
}
