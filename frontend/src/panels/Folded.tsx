/** While the right panel is folded away: what it would have said, where the way of the mask stands, so that nothing moves. */
import type { Desk } from "../reading/desk";
import { panelFolded } from "../layout";
import * as state from "../state";

/** What weighs most comes first; null: nothing is to be said. */
export function firstWord(desk: Desk): string | null {
  if (!panelFolded.value) return null;
  const operation = state.operation.value;
  const saving = state.saving.value;
  const unsaved = state.setAside.value.length + (saving.kind === "refused" ? saving.count : 0);
  if (state.trouble.value) return `Not loaded: ${state.trouble.value}`;
  if (unsaved) return `${unsaved} ${unsaved === 1 ? "stroke" : "strokes"} could not be saved.`;
  if (state.asking.value) return `${state.asking.value} asks for this reading.`;
  if (operation) return `${operation.title}, ${Math.round(100 * operation.part)} % (Esc stops it)`;
  if (state.notice.value) return state.notice.value;
  if (state.writing.value.kind !== "writing" && state.writing.value.kind !== "starting") return desk.whyNot;
  if (state.catchingUp.value) return desk.whyNot;
  return state.keptBeside.value ? "Strokes are kept beside the mask." : null;
}

export function FoldedWord({ word }: { word: string }) {
  return (
    <span class="folded-word ellipsis" role="status" title={word}>
      {word}
    </span>
  );
}
