/** The one table of keys: what the viewer listens to and what the `?` sheet shows. */
export interface KeyBinding {
  /** As KeyboardEvent.key in lower case, with Ctrl+ and Shift+ before it where needed. */
  keys: readonly string[];
  shown: string;
  does: string;
  action: KeyAction;
}

export type KeyAction =
  | "slice_up"
  | "slice_down"
  | "page_up"
  | "page_down"
  | "brush"
  | "eraser"
  | "pan"
  | "zoom"
  | "smaller"
  | "larger"
  | "label"
  | "hide"
  | "outline"
  | "crosshair"
  | "undo"
  | "redo"
  | "presets"
  | "layout"
  | "reset"
  | "sign"
  | "sheet"
  | "escape";

export const KEYS: readonly KeyBinding[] = [
  { keys: ["arrowup"], shown: "Up, wheel", does: "Slice towards the head", action: "slice_up" },
  { keys: ["arrowdown"], shown: "Down, wheel", does: "Slice towards the feet", action: "slice_down" },
  { keys: ["pageup"], shown: "Page up", does: "Ten slices up", action: "page_up" },
  { keys: ["pagedown"], shown: "Page down", does: "Ten slices down", action: "page_down" },
  { keys: ["b"], shown: "B", does: "Brush", action: "brush" },
  { keys: ["e"], shown: "E", does: "Eraser (or the right button while the brush is on)", action: "eraser" },
  { keys: ["["], shown: "[", does: "Smaller brush (Shift + wheel)", action: "smaller" },
  { keys: ["]"], shown: "]", does: "Larger brush (Shift + wheel)", action: "larger" },
  { keys: ["1", "2", "3", "4", "5", "6", "7", "8", "9"], shown: "1 to 9", does: "Label", action: "label" },
  { keys: ["z", "ctrl+z"], shown: "Z", does: "Undo", action: "undo" },
  { keys: ["shift+z", "ctrl+shift+z", "ctrl+y"], shown: "Shift + Z", does: "Redo", action: "redo" },
  { keys: ["h"], shown: "H held", does: "Hide the masks", action: "hide" },
  { keys: ["o"], shown: "O", does: "Outline only, or outline and fill", action: "outline" },
  { keys: ["x"], shown: "X held + click", does: "Crosshair: the other planes go to this point", action: "crosshair" },
  { keys: ["w"], shown: "W", does: "Next window preset (right drag: window by hand)", action: "presets" },
  { keys: ["v"], shown: "V", does: "Layout: three planes or one (also double click)", action: "layout" },
  { keys: [], shown: "Middle drag", does: "Pan", action: "pan" },
  { keys: [], shown: "Ctrl + wheel", does: "Zoom", action: "zoom" },
  { keys: ["0"], shown: "0", does: "Fit the picture to the pane", action: "reset" },
  { keys: ["escape"], shown: "Esc", does: "Put the tool down; close a dialog", action: "escape" },
  { keys: ["ctrl+enter"], shown: "Ctrl + Enter", does: "Sign", action: "sign" },
  { keys: ["?", "shift+?"], shown: "?", does: "This sheet", action: "sheet" },
];

const byKey = new Map(KEYS.flatMap((binding) => binding.keys.map((key) => [key, binding] as const)));

export function keyName(event: KeyboardEvent): string {
  const key = event.key.toLowerCase();
  const shift = event.shiftKey && key !== "?" && key !== "[" && key !== "]" ? "shift+" : "";
  return `${event.ctrlKey || event.metaKey ? "ctrl+" : ""}${shift}${key}`;
}

export function bindingOf(event: KeyboardEvent): KeyBinding | undefined {
  return byKey.get(keyName(event));
}

/** Keys belong to the field that has the focus, not to the viewer. */
export function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}
