/** Which runs belong together: a forest in which each run points towards the first one of its component. */
import type { Operation } from "../operation";

const STEP = 1 << 18;

export class Forest {
  private readonly parent: Int32Array;
  /** By root: the component's number. */
  private numbers = new Int32Array(0);

  constructor(count: number) {
    this.parent = new Int32Array(count);
    for (let n = 0; n < count; n++) this.parent[n] = n;
  }

  find(n: number): number {
    const { parent } = this;
    while (parent[n] !== n) n = parent[n] = parent[parent[n]];
    return n;
  }

  /** The earlier one becomes the root. */
  join(a: number, b: number): void {
    const [x, y] = [this.find(a), this.find(b)];
    if (x < y) this.parent[y] = x;
    else this.parent[x] = y;
  }

  /** Numbers the components in the order of their first runs; how many there are. Nothing is joined after it. */
  *count(): Operation<number> {
    const { parent } = this;
    this.numbers = new Int32Array(parent.length);
    let count = 0;
    for (let n = 0; n < parent.length; n++) {
      // Parents come first: one step leads to the root.
      parent[n] = parent[parent[n]];
      if (parent[n] === n) this.numbers[n] = count++;
      if (n % STEP === STEP - 1) yield 0.65;
    }
    return count;
  }

  numberOf(n: number): number {
    return this.numbers[this.parent[n]];
  }
}

/** Joins runs of two rows that touch, corners included. Runs are y, first x, x after the last, label. */
export function joinRows(forest: Forest, a: Int32Array, aFrom: number, aTo: number, aBase: number, b: Int32Array, bFrom: number, bTo: number, bBase: number): void {
  const join = (m: number, n: number): void => {
    if (a[4 * m + 1] <= b[4 * n + 2] && b[4 * n + 1] <= a[4 * m + 2] && a[4 * m + 3] === b[4 * n + 3]) forest.join(aBase + m, bBase + n);
  };
  let [m, n] = [aFrom, bFrom];
  while (m < aTo && n < bTo) {
    join(m, n);
    const [aEnd, bEnd] = [a[4 * m + 2], b[4 * n + 2]];
    if (aEnd < bEnd) m++;
    else {
      // Both end here: the next run of `a` may still touch this run of `b` by a corner.
      if (aEnd === bEnd && m + 1 < aTo) join(m + 1, n);
      n++;
    }
  }
}
