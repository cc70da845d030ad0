/**
 * The layers on the screen and the server's log of strokes: up to which stroke they agree, and whether they still do.
 * The screen must never show what the log does not amount to: a mask that is signed is the mask that was seen.
 */
import { DeltaConflict, decodeDelta } from "./delta";
import type { LayerName, Layers } from "./layers";
import { carryOutAtOnce, type Operation } from "./operation";

/** A stroke of the server's log. */
export interface Logged {
  stroke_sequence: number;
  id: string;
  applied: boolean;
  layer: LayerName;
  readonly payload: Uint8Array;
}

export class Replica {
  /** Strokes that the layers hold beyond `shown`: painted here, and not read back from the log yet. */
  private readonly ahead = new Set<string>();
  /** Places in the log after `shown` whose strokes are accounted for, while one before them is not. */
  private readonly placed = new Set<number>();
  private wrong = false;
  private heardOf = 0;

  constructor(
    readonly layers: Layers,
    /** The last stroke of the log up to which the layers hold every one. */
    public shown: number,
    private readonly changed: (layer: LayerName, slices: readonly number[]) => void,
  ) {}

  /** The layers hold a stroke of this page's. */
  painted(id: string): void {
    this.ahead.add(id);
  }

  /** The server has this stroke, at this place: applied, or kept beside. */
  acknowledged(id: string, sequence: number, applied: boolean): void {
    const held = this.ahead.delete(id);
    if (held && !applied) this.wrong = true;
    // One of an earlier visit's that is not in the layers: it is read from the log in its turn.
    else if (held || !applied) this.place(sequence);
    this.hears(sequence);
  }

  /** The server will not have a stroke that the layers may hold. */
  refused(id: string): void {
    if (this.ahead.delete(id)) this.wrong = true;
  }

  /** The log goes as far as this. */
  hears(sequence: number): void {
    this.heardOf = Math.max(this.heardOf, sequence);
  }

  /** The layers hold something that the mask does not: they must be read anew. */
  get isWrong(): boolean {
    return this.wrong;
  }

  get isBehind(): boolean {
    return this.heardOf > this.shown;
  }

  private place(sequence: number): void {
    if (sequence > this.shown) this.placed.add(sequence);
    while (this.placed.delete(this.shown + 1)) this.shown++;
  }

  /** Takes in the strokes of the log after `shown`, in order. False: the layers are wrong. */
  follow(strokes: readonly Logged[]): boolean {
    return carryOutAtOnce(this.following(strokes));
  }

  /** The same stroke by stroke, each whole; nobody else may change the layers meanwhile. */
  *following(strokes: readonly Logged[]): Operation<boolean> {
    for (const [n, stroke] of strokes.entries()) {
      yield n / strokes.length;
      if (this.wrong) return false;
      if (stroke.stroke_sequence <= this.shown) continue;
      const held = this.ahead.delete(stroke.id);
      if (held !== stroke.applied && !this.placed.has(stroke.stroke_sequence)) {
        if (held || !this.bringIn(stroke.layer, stroke.payload)) this.wrong = true;
      }
      if (!this.wrong) this.place(stroke.stroke_sequence);
    }
    return !this.wrong;
  }

  /** Draws a stroke that the log does not have yet; false when it does not fit. */
  draw(id: string, layer: LayerName, payload: Uint8Array): boolean {
    if (this.ahead.has(id)) return true;
    if (!this.bringIn(layer, payload)) return false;
    this.ahead.add(id);
    return true;
  }

  private bringIn(layer: LayerName, payload: Uint8Array): boolean {
    const delta = decodeDelta(payload, this.layers.findings.shapeZyx);
    try {
      this.layers[layer].apply(delta);
    } catch (error) {
      if (error instanceof DeltaConflict) return false;
      throw error;
    }
    this.changed(layer, delta.map((slice) => slice.z));
    return true;
  }
}
