/** The mask on the screen: its layers, how far they follow the server's log, and what is counted and marked on them. */
import type { StoredStroke } from "../api/types";
import { readContainer } from "../edits/container";
import type { LayerName, Layers } from "../edits/layers";
import { carryOut } from "../edits/operation";
import { Replica } from "../edits/replica";
import { logged } from "./recall";
import { Tally } from "./tally";

/** Voxels of a layer changed on these axial slices; null: anywhere. */
export type MaskListener = (layer: LayerName, slices: readonly number[] | null) => void;

export class MaskCopy {
  /** Null until the mask has come. */
  replica: Replica | null = null;
  /** The server's count of strokes, as far as it has answered. */
  place = { stroke_sequence: 0, head_hash: "" };
  readonly tally: Tally;

  constructor(
    painting: () => boolean,
    private readonly changed: MaskListener,
  ) {
    this.tally = new Tally(painting);
  }

  get layers(): Layers | null {
    return this.replica?.layers ?? null;
  }

  /** The mask as GGM1 bytes takes the place of what was there. */
  async open(container: Uint8Array): Promise<void> {
    const { header, layers } = await readContainer(container);
    this.replica = new Replica(layers, header.stroke_sequence, (layer, slices) => this.touched(layer, slices));
    this.place = { stroke_sequence: header.stroke_sequence, head_hash: header.head_hash };
    this.tally.open(layers);
    this.changed("anatomy", null);
    this.changed("findings", null);
  }

  touched(layer: LayerName, slices: readonly number[]): void {
    this.changed(layer, slices);
    this.tally.changed(slices);
  }

  /** Strokes of the log that are new here; false when the mask must be read anew. */
  async takeIn(log: readonly StoredStroke[]): Promise<boolean> {
    const { replica } = this;
    if (!replica || replica.isWrong) return false;
    const fresh = log.filter(({ stroke_sequence }) => stroke_sequence > replica.shown);
    if (fresh.length && !(await carryOut(replica.following(fresh.map(logged))))) return false;
    this.place = { ...this.place, stroke_sequence: Math.max(this.place.stroke_sequence, replica.shown) };
    return true;
  }
}
