/** Carries out the table of keys: listens, and holds what the common keys do. Tools are taken up by their own. */
import { bindingOf, isSliding, isTyping, keyName, type KeyAction } from "../keyboard";
import * as display from "../display";
import { panelFolded } from "../layout";
import * as state from "../state";
import { TOOLS } from "../tools/registry";
import { acts, onKey, releases, type Act } from "./acts";
import type { Desk } from "./desk";

const NEXT_LOOK = { both: "outline", outline: "fill", fill: "both" } as const;

export function nextLook(): void {
  display.look.value = NEXT_LOOK[display.look.value];
}

const scroll = (by: number): Act => (desk) => desk.scroll(state.activePlane.value, by);

onKey("slice_up", scroll(1));
onKey("slice_down", scroll(-1));
onKey("page_up", scroll(10));
onKey("page_down", scroll(-10));
onKey("first_slice", scroll(Infinity));
onKey("last_slice", scroll(-Infinity));
onKey("smaller", (desk) => desk.resizeBrush(-1));
onKey("larger", (desk) => desk.resizeBrush(1));
onKey("label", (_, event) => {
  const label = state.reading.value?.label_set.labels[Number(keyName(event)) - 1];
  if (label) state.target.value = { layer: "findings", value: label.value };
});
onKey("lung_label", () => {
  const { layer, value } = state.target.value;
  state.target.value = { layer: "anatomy", value: layer === "anatomy" && value === 1 ? 2 : 1 };
});
onKey("hide", () => (state.masksHidden.value = true), () => (state.masksHidden.value = false));
onKey("crosshair", () => (state.crosshair.value = true), () => (state.crosshair.value = false));
onKey("outline", nextLook);
onKey("undo", (desk) => desk.undo());
onKey("redo", (desk) => desk.redo());
onKey("reset", (desk) => desk.stage?.fit());
onKey("sign", () => (state.dialog.value = "sign"));
onKey("sheet", () => (state.dialog.value = "keys"));
onKey("escape", (desk) => {
  if (display.shown.value.kind === "film") return void (display.shown.value = { kind: "mask" });
  if (desk.onCancel) return desk.dropDrag();
  state.operation.value?.cancel();
  desk.cancelStroke();
  desk.takeUp("window");
});
const toggle = (section: state.SectionName): Act => () => {
  state.section.value = state.section.value === section && !panelFolded.value ? "labels" : section;
  panelFolded.value = false;
};
onKey("lesions", toggle("lesions"));
onKey("history", toggle("history"));
onKey("guideline", toggle("guideline"));
for (const tool of TOOLS) if (tool.action && !acts.has(tool.action)) onKey(tool.action, (desk) => desk.takeUp(tool.name));

export function attachKeys(desk: Desk): void {
  /** Which held key will end which action, by the key's place: Shift may be let go first. */
  const held = new Map<string, KeyAction>();
  addEventListener("keydown", (event) => {
    if (isTyping(event.target) || isSliding(event) || state.dialog.value !== "none") return;
    const binding = bindingOf(event);
    const act = binding && acts.get(binding.action);
    if (!binding || !act) return;
    // The picture, the tool and the label stay as they are under what is being drawn.
    if (desk.hand !== "free" && !IN_HAND.has(binding.action)) return event.preventDefault();
    // A focused button is pressed by Enter and Space.
    if (event.target instanceof HTMLButtonElement && (event.key === "Enter" || event.key === " ") && !event.ctrlKey && !event.altKey) return;
    event.preventDefault();
    if (releases.has(binding.action)) {
      if (event.repeat) return;
      held.set(event.code, binding.action);
    }
    if (event.repeat && !REPEATS.has(binding.action)) return;
    act(desk, event);
  });
  const letGo = (code: string): void => {
    const action = held.get(code);
    held.delete(code);
    if (action) releases.get(action)?.(desk);
  };
  addEventListener("keyup", (event) => letGo(event.code));
  addEventListener("blur", () => [...held.keys()].forEach(letGo));
}

/** What a key may do while a pointer drags. */
const IN_HAND: ReadonlySet<KeyAction> = new Set(["hide", "escape"]);

const REPEATS: ReadonlySet<KeyAction> = new Set([
  "slice_up", "slice_down", "page_up", "page_down", "smaller", "larger", "undo", "redo", "next_lesion", "previous_lesion",
  "next_unseen", "previous_unseen", "next_undecided", "next_contradiction", "next_difference", "spot_left", "spot_right", "spot_up", "spot_down",
]);
