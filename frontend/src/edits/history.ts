/** Undo and redo as new strokes: which stroke can be undone, which undo can be redone, and with what delta. */
import { invertRuns, type SliceRuns } from "./delta";
import type { LayerName } from "./layers";

export interface Done {
  id: string;
  layer: LayerName;
  delta: SliceRuns[];
}

export interface Step {
  tool: "undo" | "redo";
  undoes: string;
  layer: LayerName;
  delta: SliceRuns[];
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

  /** A stroke by a tool: what was undone before can no longer be redone. */
  push(stroke: Done): void {
    this.done.push(stroke);
    this.undone.length = 0;
  }

  nextUndo(): Step | null {
    const last = this.done.at(-1);
    return last ? { tool: "undo", undoes: last.id, layer: last.layer, delta: invertRuns(last.delta) } : null;
  }

  nextRedo(): Step | null {
    const last = this.undone.at(-1);
    return last ? { tool: "redo", undoes: last.id, layer: last.layer, delta: invertRuns(last.delta) } : null;
  }

  /** The step was recorded as a stroke of this id. An undo can be redone; a redo can be undone. */
  commit(step: Step, id: string): void {
    const stroke: Done = { id, layer: step.layer, delta: step.delta };
    if (step.tool === "undo") {
      this.done.pop();
      this.undone.push(stroke);
    } else {
      this.undone.pop();
      this.done.push(stroke);
    }
  }

  /** Replays one stroke of the server's list, in order: rebuilds what a reload would otherwise forget. */
  remember(tool: string, undoes: string | null, stroke: Done): void {
    const { id, layer, delta } = stroke;
    if (tool !== "undo" && tool !== "redo") this.push(stroke);
    else if ((tool === "undo" ? this.done : this.undone).at(-1)?.id === undoes) this.commit({ tool, undoes: undoes!, layer, delta }, id);
    else this.clear();
  }

  clear(): void {
    this.done.length = 0;
    this.undone.length = 0;
  }
}
