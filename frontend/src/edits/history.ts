/** Undo and redo as new strokes: which edit can be undone, which undo can be redone, and with what deltas. */
import { invertRuns, type SliceRuns } from "./delta";
import type { LayerName } from "./layers";

/** One stroke of an edit; a large edit has several. */
export interface Part {
  id: string;
  delta: SliceRuns[];
}

export interface Done {
  layer: LayerName;
  parts: Part[];
  /** What the strokes of one edit have in common, where they were read from the log; strokes alone have none. */
  edit?: string;
}

export interface Step {
  tool: "undo" | "redo";
  layer: LayerName;
  parts: { undoes: string; delta: SliceRuns[] }[];
}

export class EditHistory {
  private readonly done: Done[] = [];
  private readonly undone: Done[] = [];

  get canUndo(): boolean {
    return this.done.length > 0;
  }

  get canRedo(): boolean {
    return this.undone.length > 0;
  }

  /** How many edits can be undone one after the other. */
  get undoable(): number {
    return this.done.length;
  }

  /** An edit by a tool: what was undone before can no longer be redone. */
  push(edit: Done): void {
    this.done.push(edit);
    this.undone.length = 0;
  }

  /** The edit that the next step takes back, or brings back. */
  next(tool: Step["tool"]): Done | undefined {
    return (tool === "undo" ? this.done : this.undone).at(-1);
  }

  nextUndo(): Step | null {
    return back("undo", this.next("undo"));
  }

  nextRedo(): Step | null {
    return back("redo", this.next("redo"));
  }

  /** The step was recorded as strokes of these ids. An undo can be redone; a redo can be undone. */
  commit(step: Step, ids: readonly string[]): void {
    const [from, to] = step.tool === "undo" ? [this.done, this.undone] : [this.undone, this.done];
    from.pop();
    to.push({ layer: step.layer, parts: step.parts.map(({ delta }, n) => ({ id: ids[n], delta })) });
  }

  /**
   * Replays one stroke of the server's list, in order: rebuilds what a reload would otherwise forget. Strokes with the
   * same `edit` are one edit. The list may begin in the middle: what an undo or redo took from before is not known, and
   * need not be.
   */
  remember(tool: string, undoes: string | null, layer: LayerName, part: Part, edit?: string): void {
    if (tool !== "undo" && tool !== "redo") {
      this.undone.length = 0;
      return this.gather(this.done, layer, part, edit);
    }
    const [from, to] = tool === "undo" ? [this.done, this.undone] : [this.undone, this.done];
    const last = from.at(-1);
    if (last && last.parts.at(-1)?.id !== undoes) return this.clear();
    last?.parts.pop();
    if (last && !last.parts.length) from.pop();
    this.gather(to, layer, part, edit);
  }

  private gather(list: Done[], layer: LayerName, part: Part, edit: string | undefined): void {
    const last = list.at(-1);
    if (last && edit !== undefined && last.edit === edit && last.layer === layer) last.parts.push(part);
    else list.push({ layer, parts: [part], edit });
  }

  clear(): void {
    this.done.length = 0;
    this.undone.length = 0;
  }
}

/** Last in, first out: each stroke's inverse, the last stroke first. */
function back(tool: Step["tool"], edit: Done | undefined): Step | null {
  if (!edit) return null;
  return { tool, layer: edit.layer, parts: [...edit.parts].reverse().map(({ id, delta }) => ({ undoes: id, delta: invertRuns(delta) })) };
}
