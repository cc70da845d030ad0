/** What a reload would forget: the steps back and forth, rebuilt from strokes that were read back. */
import type { Api } from "../api/client";
import type { StoredStroke } from "../api/types";
import { fromBase64 } from "../edits/bytes";
import { decodeDelta, type SliceRuns } from "../edits/delta";
import { PART_BYTES } from "../edits/editor";
import { EditHistory } from "../edits/history";
import type { Shape } from "../edits/layers";
import type { Logged } from "../edits/replica";
import type { Stroke } from "../edits/strokelog";

export type Recalled = Pick<Stroke, "id" | "tool" | "plane" | "undoes" | "layer" | "payload" | "clientTime">;

export const logged = (stroke: StoredStroke): Logged => ({ ...stroke, payload: fromBase64(stroke.payload) });

export const recalled = (stroke: StoredStroke): Recalled => ({
  ...stroke,
  plane: stroke.plane as Stroke["plane"],
  payload: fromBase64(stroke.payload),
  clientTime: stroke.client_time ?? "",
});

/** Strokes one after the other are parts of one edit when they carry its time and were too large for one. */
function sameEdit(a: Recalled, b: Recalled): boolean {
  const alike = a.clientTime === b.clientTime && a.tool === b.tool && a.layer === b.layer && a.plane === b.plane;
  return alike && a.payload.length + b.payload.length > PART_BYTES;
}

function replay(history: EditHistory, strokes: readonly Recalled[], deltaOf: (stroke: Recalled) => SliceRuns[]): void {
  let before: Recalled | null = null;
  let edit = "";
  for (const stroke of strokes) {
    if (!before || !sameEdit(before, stroke)) edit = stroke.id;
    before = stroke;
    history.remember(stroke.tool, stroke.undoes, stroke.layer, { id: stroke.id, delta: deltaOf(stroke) }, edit);
  }
}

/** Puts the strokes into the history, in order; returns the axial slices that they touched. */
export function recall(history: EditHistory, strokes: readonly Recalled[], shape: Shape): Set<number> {
  const slices = new Set<number>();
  replay(history, strokes, ({ payload }) => {
    const delta = decodeDelta(payload, shape);
    delta.forEach(({ z }) => slices.add(z));
    return delta;
  });
  return slices;
}

/** How many edits a reload can still undo; the log is asked for as many strokes at once. */
const RECALLED = 200;
/** Undoing and redoing lengthen the log too: so far back is looked for what can be undone. */
const RECALLED_MOST = 4000;

/** The end of the log, from before stroke `shown`: as far back as `RECALLED` edits can be undone. */
export async function recentStrokes(api: Api, shown: number): Promise<StoredStroke[]> {
  let from = Math.max(0, shown - RECALLED);
  let strokes = await api.strokesAfter(from);
  while (from > 0 && shown - from < RECALLED_MOST && undoableIn(strokes) < RECALLED) {
    const until = from;
    from = Math.max(0, from - RECALLED);
    strokes = [...(await api.strokesAfter(from, until)), ...strokes];
  }
  return strokes;
}

/** How many edits could be undone one after the other, were these strokes all that is known. */
export function undoableIn(strokes: readonly StoredStroke[]): number {
  const history = new EditHistory();
  replay(history, strokes.filter(({ applied }) => applied).map(recalled), () => []);
  return history.undoable;
}
