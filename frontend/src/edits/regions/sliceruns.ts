/** The runs of equal labels along the rows of a slice. */

/** Runs of one axial slice in row order, four numbers each: y, first x, x after the last, label. */
export interface SliceRunList {
  runs: Int32Array;
  /** Index of the first run of each row; one more than rows. */
  rows: Int32Array;
}

/** Grows as it is filled, and serves one slice after the other. */
let scratch = new Int32Array(4 * 4096);

export function runsOf(slice: Uint8Array, nx: number, wanted: Uint8Array): SliceRunList | null {
  const ny = slice.length / nx;
  const rows = new Int32Array(ny + 1);
  let found = 0;
  for (let y = 0; y < ny; y++) {
    rows[y] = found / 4;
    const begin = y * nx;
    const end = begin + nx;
    for (let i = begin; i < end; ) {
      const label = slice[i];
      if (label === 0 || wanted[label] === 0) {
        i++;
        continue;
      }
      const start = i;
      while (i < end && slice[i] === label) i++;
      if (found === scratch.length) {
        const larger = new Int32Array(2 * found);
        larger.set(scratch);
        scratch = larger;
      }
      scratch[found] = y;
      scratch[found + 1] = start - begin;
      scratch[found + 2] = i - begin;
      scratch[found + 3] = label;
      found += 4;
    }
  }
  rows[ny] = found / 4;
  return found ? { runs: scratch.slice(0, found), rows } : null;
}
