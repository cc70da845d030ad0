/** What a reload would forget: the steps back and forth, rebuilt from strokes that were read back. */
import type { Api } from "../api/client";
import type { StoredStroke } from "../api/types";
import { fromBase64 } from "../edits/bytes";
import { decoding } from "../edits/delta";
import { PART_BYTES } from "../edits/editor";
import { EditHistory } from "../edits/history";
import type { LayerName, Shape } from "../edits/layers";
import { carryOutAtOnce, type Operation } from "../edits/operation";
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
function sameEdit(a: Measured, b: Measured): boolean {
  const alike = a.clientTime === b.clientTime && a.tool === b.tool && a.layer === b.layer && a.plane === b.plane;
  return alike && a.payload.length + b.payload.length > PART_BYTES;
}

type Measured = Pick<Recalled, "clientTime" | "tool" | "plane"> & { layer: string; payload: { length: number } };

/** Without its bytes: how many they are says the length of the base64. */
function measured({ client_time, tool, plane, layer, payload }: StoredStroke): Measured {
  const padding = payload.endsWith("==") ? 2 : payload.endsWith("=") ? 1 : 0;
  return { clientTime: client_time ?? "", tool, layer, plane: plane as Recalled["plane"], payload: { length: (payload.length / 4) * 3 - padding } };
}

/** Puts the strokes into the history, in order; returns the axial slices that they touched. */
export function recall(history: EditHistory, strokes: readonly Recalled[], shape: Shape): Set<number> {
  return carryOutAtOnce(recalling(history, strokes, shape));
}

/** The same in small steps. */
export function* recalling(history: EditHistory, strokes: readonly Recalled[], shape: Shape): Operation<Set<number>> {
  const slices = new Set<number>();
  let before: Recalled | null = null;
  let edit = "";
  for (const [n, stroke] of strokes.entries()) {
    if (!before || !sameEdit(before, stroke)) edit = stroke.id;
    before = stroke;
    const delta = yield* decoding(stroke.payload, shape);
    delta.forEach(({ z }) => slices.add(z));
    history.remember(stroke.tool, stroke.undoes, stroke.layer, { id: stroke.id, delta }, edit);
    yield n / strokes.length;
  }
  return slices;
}

/** How many edits a reload can still undo; the log is asked for as many strokes at once. */
const RECALLED = 200;
/** Undoing and redoing lengthen the log too: so far back is looked for what can be undone. */
const RECALLED_MOST = 4000;
/** As base64: many edits of the largest kind would fill the memory. */
const RECALLED_BYTES = 96 * 2 ** 20;

const bytesIn = (strokes: readonly StoredStroke[]): number => strokes.reduce((sum, { payload }) => sum + payload.length, 0);

/** The end of the log, from before stroke `shown`: as far back as `RECALLED` edits can be undone. */
export async function recentStrokes(api: Api, shown: number): Promise<StoredStroke[]> {
  let from = Math.max(0, shown - RECALLED);
  let strokes = await api.strokesAfter(from);
  while (from > 0 && shown - from < RECALLED_MOST && bytesIn(strokes) < RECALLED_BYTES && undoableIn(strokes) < RECALLED) {
    const until = from;
    from = Math.max(0, from - RECALLED);
    strokes = [...(await api.strokesAfter(from, until)), ...strokes];
  }
  return strokes;
}

/** How many edits could be undone one after the other, were these strokes all that is known. */
export function undoableIn(strokes: readonly StoredStroke[]): number {
  const history = new EditHistory();
  let before: StoredStroke | null = null;
  let edit = "";
  for (const stroke of strokes) {
    if (!stroke.applied) continue;
    if (!before || !sameEdit(measured(before), measured(stroke))) edit = stroke.id;
    before = stroke;
    history.remember(stroke.tool, stroke.undoes, stroke.layer as LayerName, { id: stroke.id, delta: [] }, edit);
  }
  return history.undoable;
}
