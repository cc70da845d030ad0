/** The film of a mask: its strokes one after the other, forwards and backwards, on layers of its own. */
import { invertRuns, type SliceRuns } from "./delta";
import type { LayerName, Layers } from "./layers";

export interface Frame {
  layer: LayerName;
  /** Decoded when it is first needed. */
  delta(): SliceRuns[];
}

export class Film {
  private at = 0;

  /** `layers` is the state before the first frame, and belongs to the film. */
  constructor(
    readonly layers: Layers,
    private readonly frames: readonly Frame[],
  ) {}

  get position(): number {
    return this.at;
  }

  get length(): number {
    return this.frames.length;
  }

  /** Goes to the state after `position` frames; tells which slices of which layer are others now. */
  seek(position: number): Record<LayerName, number[]> {
    const changed: Record<LayerName, Set<number>> = { anatomy: new Set(), findings: new Set() };
    const wanted = Math.max(0, Math.min(this.frames.length, position));
    const step = (frame: Frame, delta: SliceRuns[]): void => {
      this.layers[frame.layer].apply(delta);
      delta.forEach(({ z }) => changed[frame.layer].add(z));
    };
    while (this.at < wanted) {
      const frame = this.frames[this.at++];
      step(frame, frame.delta());
    }
    while (this.at > wanted) {
      const frame = this.frames[--this.at];
      step(frame, invertRuns(frame.delta()));
    }
    return { anatomy: [...changed.anatomy], findings: [...changed.findings] };
  }

  /** The slice on which the frame before `position` changed most; null at the beginning. */
  sliceOf(position: number): number | null {
    const frame = this.frames[position - 1];
    if (!frame) return null;
    const size = ({ runs }: SliceRuns): number => runs.reduce((sum, run) => sum + run.length, 0);
    return frame.delta().reduce((best, slice) => (size(slice) > size(best) ? slice : best)).z;
  }
}
