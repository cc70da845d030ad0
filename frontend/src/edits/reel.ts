/** The strokes of a film, fetched in blocks as they are needed; long unused ones go where they would fill the memory. */
import { fromBase64 } from "./bytes";
import type { Frame } from "./film";
import type { LayerName } from "./layers";

/** A stroke of the history's list: whose log it is in, and where. */
export interface Listed {
  mask: string;
  stroke_sequence: number;
}

export interface Fetched {
  layer: LayerName;
  payload: string;
}

const BLOCK = 250;
const HELD_BYTES = 64 * 2 ** 20;

interface Block {
  first: number;
  /** One after the last. */
  end: number;
  frames: Promise<Frame[]> | null;
  held: Frame[] | null;
  bytes: number;
  used: number;
}

export class Reel {
  private readonly blocks: Block[] = [];
  private clock = 0;

  /** `ask`: strokes of one mask after a place in its log, some of `limit`, none only where there are no more. */
  constructor(
    private readonly list: readonly Listed[],
    private readonly ask: (mask: string, after: number, limit: number) => Promise<readonly Fetched[]>,
  ) {
    list.forEach(({ mask }, n) => {
      const last = this.blocks.at(-1);
      if (last && last.end - last.first < BLOCK && list[n - 1].mask === mask) last.end = n + 1;
      else this.blocks.push({ first: n, end: n + 1, frames: null, held: null, bytes: 0, used: 0 });
    });
  }

  get length(): number {
    return this.list.length;
  }

  private blockOf(n: number): Block {
    return this.blocks.find(({ end }) => n < end)!;
  }

  /** The positions between which stroke n's block lies: so far one may go once it is at hand. */
  rangeOf(n: number): { first: number; end: number } {
    return this.blockOf(n);
  }

  /** How many strokes of those between two positions are not at hand. */
  missing(from: number, to: number): number {
    const [low, high] = from < to ? [from, to] : [to, from];
    return this.blocks.reduce((sum, block) => sum + (block.held ? 0 : Math.max(0, Math.min(high, block.end) - Math.max(low, block.first))), 0);
  }

  /** Stroke n, counted from 0; its block must be at hand. */
  frame(n: number): Frame {
    const block = this.blockOf(n);
    block.used = ++this.clock;
    return block.held![n - block.first];
  }

  /** Brings the block of stroke n, unless it is here. */
  async need(n: number): Promise<void> {
    const block = this.blockOf(n);
    block.used = ++this.clock;
    block.frames ??= this.fetch(block).catch((error: unknown) => {
      block.frames = null;
      throw error;
    });
    await block.frames;
  }

  /** Brings all, the last first, as long as they fill no more than half of what may be held. */
  async fill(goOn: () => boolean): Promise<void> {
    for (const block of [...this.blocks].reverse()) {
      if (!goOn() || this.bytes > HELD_BYTES / 2) return;
      await this.need(block.first);
    }
  }

  private get bytes(): number {
    return this.blocks.reduce((sum, block) => sum + block.bytes, 0);
  }

  private async fetch(block: Block): Promise<Frame[]> {
    const frames: Frame[] = [];
    while (frames.length < block.end - block.first) {
      const next = block.first + frames.length;
      const { mask, stroke_sequence } = this.list[next];
      const got = await this.ask(mask, stroke_sequence - 1, block.end - next);
      if (!got.length) throw new Error(`stroke ${stroke_sequence} is not there any more`);
      for (const { layer, payload } of got) frames.push({ layer, payload: fromBase64(payload) });
    }
    block.held = frames;
    block.bytes = frames.reduce((sum, { payload }) => sum + payload.length, 0);
    this.makeRoom(block);
    return frames;
  }

  private makeRoom(keep: Block): void {
    const old = this.blocks.filter((block) => block.held && block !== keep).sort((a, b) => a.used - b.used);
    for (let bytes = this.bytes; bytes > HELD_BYTES && old.length; ) {
      const block = old.shift()!;
      bytes -= block.bytes;
      Object.assign(block, { frames: null, held: null, bytes: 0 });
    }
  }
}
