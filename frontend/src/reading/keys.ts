/** Carries out the table of keys. */
import { bindingOf, isTyping, type KeyAction } from "../keyboard";
import * as state from "../state";
import type { Desk } from "./desk";


export function nextPreset(desk: Desk): void {
  const { width, level } = state.voi.value;
  const at = state.WINDOW_PRESETS.findIndex((preset) => preset.width === width && preset.level === level);
  const next = state.WINDOW_PRESETS[(at + 1) % state.WINDOW_PRESETS.length];
  desk.setWindow(next.width, next.level);
}

function run(desk: Desk, action: KeyAction, event: KeyboardEvent): void {
  const plane = state.activePlane.value;
  const labels = state.reading.value?.label_set.labels ?? [];
  const acts: Record<KeyAction, () => void> = {
    slice_up: () => desk.scroll(plane, 1),
    slice_down: () => desk.scroll(plane, -1),
    page_up: () => desk.scroll(plane, 10),
    page_down: () => desk.scroll(plane, -10),
    brush: () => (state.tool.value = "brush"),
    eraser: () => (state.tool.value = "eraser"),
    pan: () => (state.tool.value = "pan"),
    zoom: () => (state.tool.value = "zoom"),
    smaller: () => desk.resizeBrush(-1),
    larger: () => desk.resizeBrush(1),
    label: () => {
      const label = labels[Number(event.key) - 1];
      if (label) state.target.value = { layer: "findings", value: label.value };
    },
    hide: () => (state.masksHidden.value = true),
    outline: () => (state.outlineOnly.value = !state.outlineOnly.value),
    crosshair: () => (state.crosshair.value = true),
    undo: () => desk.undo(),
    redo: () => desk.redo(),
    presets: () => nextPreset(desk),
    layout: () => desk.toggleOneUp(plane),
    reset: () => desk.stage?.fit(),
    sign: () => (state.dialog.value = "sign"),
    sheet: () => (state.dialog.value = "keys"),
    escape: () => {
      desk.cancelStroke();
      state.tool.value = "window";
    },
  };
  acts[action]();
}

export function attachKeys(desk: Desk): void {
  addEventListener("keydown", (event) => {
    if (isTyping(event.target) || state.dialog.value !== "none") return;
    const binding = bindingOf(event);
    if (!binding) return;
    event.preventDefault();
    if (event.repeat && (binding.action === "hide" || binding.action === "crosshair" || binding.action === "layout")) return;
    run(desk, binding.action, event);
  });
  addEventListener("keyup", (event) => {
    const key = event.key.toLowerCase();
    if (key === "h") state.masksHidden.value = false;
    if (key === "x") state.crosshair.value = false;
  });
  addEventListener("blur", () => {
    state.masksHidden.value = false;
    state.crosshair.value = false;
  });
}
