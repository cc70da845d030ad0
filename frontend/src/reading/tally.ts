/** What is counted and marked while the mask changes: the live numbers, and the slices that were edited. */
import type { Layers } from "../edits/layers";
import { MeasureBook } from "../edits/measure";
import * as state from "../state";
import { Counting } from "./counting";
import { usesOf } from "./uses";

export class Tally {
  readonly hu: (Int16Array | null)[] = [];
  private book: MeasureBook | null = null;
  private readonly counting: Counting;

  constructor(private readonly painting: () => boolean) {
    this.counting = new Counting(() => this.book, painting);
  }

  /** The numbers are those of the mask as it is. */
  get done(): boolean {
    return this.counting.done;
  }

  /** Another mask, or the mask read anew. */
  open(layers: Layers): void {
    const { scan, label_set } = state.reading.value!;
    this.book = new MeasureBook(layers, usesOf(label_set), scan.voxel_volume_ml, (z) => (scan.has_hu ? (this.hu[z] ?? null) : null));
    this.counting.soon();
  }

  sliceLoaded(z: number, voxels: Int16Array): void {
    this.hu[z] = voxels;
    this.book?.touch(z);
  }

  scanLoaded(): void {
    this.counting.open();
  }

  changed(slices: readonly number[]): void {
    slices.forEach((z) => this.book?.touch(z));
    if (!this.painting()) this.markEdited(slices);
    this.counting.soon();
  }

  /** These slices were edited too: by somebody else, before the page was loaded, or just now. */
  markEdited(slices: Iterable<number>): void {
    const known = state.editedSlices.value;
    const marks = new Uint8Array(state.reading.value!.scan.shape_zyx[0]);
    marks.set(known.subarray(0, marks.length));
    for (const z of slices) marks[z] = 1;
    if (marks.length !== known.length || marks.some((mark, z) => mark !== known[z])) state.editedSlices.value = marks;
  }
}
