import { expect, it } from "vitest";
import { EditHistory } from "../src/edits/history";

interface Logged {
  tool: string;
  undoes: string | null;
  id: string;
  edit: string;
}

/** A log as it grows under a hand that edits (E: in two strokes), undoes and redoes. */
function logOf(acts: string): { log: Logged[]; history: EditHistory } {
  const history = new EditHistory();
  const log: Logged[] = [];
  for (const [n, act] of [...acts].entries()) {
    const step = act === "u" ? history.nextUndo() : act === "r" ? history.nextRedo() : null;
    const parts = step?.parts.map(({ undoes }) => undoes) ?? (act === "E" ? [null, null] : [null]);
    const ids = parts.map((_, part) => `${n}.${part}`);
    if (step) history.commit(step, ids);
    else history.push({ layer: "findings", parts: ids.map((id) => ({ id, delta: [] })) });
    ids.forEach((id, part) => log.push({ id, tool: step?.tool ?? "brush", undoes: parts[part], edit: `${n}` }));
  }
  return { log, history };
}

function recalled(log: readonly Logged[]): EditHistory {
  const history = new EditHistory();
  log.forEach(({ tool, undoes, id, edit }) => history.remember(tool, undoes, "findings", { id, delta: [] }, edit));
  return history;
}

/** What stepping back (or forth) to the end names, stroke by stroke. */
function stepsOf(history: EditHistory, next: "nextUndo" | "nextRedo"): string[] {
  const named: string[] = [];
  for (let step = history[next](); step; step = history[next]()) {
    named.push(...step.parts.map(({ undoes }) => undoes));
    history.commit(step, step.parts.map(({ undoes }) => `again ${undoes}`));
  }
  return named;
}

it.each(["eeeeuuurr", "eEeuue", "eeEeeeuuuuurruu", "EEEuuuruu"])("a log read from any place on steps back and forth as the whole one does: %s", (acts) => {
  const { log, history } = logOf(acts);
  expect(recalled(log).undoable).toBe(history.undoable);
  for (let from = 0; from < log.length; from++) {
    const part = log.slice(from);
    for (const next of ["nextUndo", "nextRedo"] as const) {
      const [all, some] = [stepsOf(recalled(log), next), stepsOf(recalled(part), next)];
      expect(some).toEqual(all.slice(0, some.length));
      // What was done within the part can be undone; what was undone within it, redone.
      const within = (id: string): boolean => part.some((stroke) => stroke.id === id);
      expect(some.length).toBe(all.filter(within).length);
    }
  }
});

it("what undoes another stroke than the last one leaves nothing that could be undone", () => {
  const { log } = logOf("eee");
  const history = recalled([...log, { id: "9", tool: "undo", undoes: "0.0", edit: "9" }]);
  expect([history.canUndo, history.canRedo]).toEqual([false, false]);
});
