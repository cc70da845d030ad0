/** While the right panel is folded away: what it would have said, in one line of the status bar. */
import { panelFolded } from "../layout";
import { shownKeys } from "../keyboard";
import type { Desk } from "../reading/desk";
import * as state from "../state";

/** What weighs most comes first; null: nothing is to be said. */
export function firstWord(desk: Desk): string | null {
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

export function Folded({ desk }: { desk: Desk }) {
  if (!panelFolded.value) return null;
  const word = firstWord(desk);
  return (
    <>
      <span class="folded-word ellipsis" role="status" title={word ?? undefined}>
        {word}
      </span>
      <button class="compact" title={`Show the panel (${shownKeys("fold")})`} onClick={() => (panelFolded.value = false)}>
        Panel <kbd>{shownKeys("fold")}</kbd>
      </button>
    </>
  );
}
