/** One thing after the other: works that wait for the server and must not get into each other's way. */
export class Turns {
  private last: Promise<unknown> = Promise.resolve();

  /** Begins when all before it have ended, however they ended. */
  take<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.last.then(work);
    this.last = mine.catch(() => undefined);
    return mine;
  }
}
