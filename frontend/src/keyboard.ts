/** The one table of keys: what the viewer listens to and what the `?` sheet shows. Readers may give an action other keys. */
import { signal } from "@preact/signals";

export type KeyAction =
  // looking
  | "slice_up" | "slice_down" | "page_up" | "page_down" | "first_slice" | "last_slice"
  | "pan" | "zoom" | "hide" | "outline" | "crosshair" | "presets" | "layout" | "reset" | "slab" | "length" | "remove_length" | "surface" | "compare"
  | "next_plane" | "one_up" | "fold"
  // painting
  | "brush" | "sphere" | "eraser" | "threshold" | "lasso" | "scissors" | "fill" | "grow" | "interpolate" | "smooth" | "islands"
  | "keep" | "copy_up" | "copy_down" | "replace" | "relabel" | "threshold_lung"
  | "spot_left" | "spot_right" | "spot_up" | "spot_down" | "paint_spot" | "erase_spot"
  | "smaller" | "larger" | "label" | "lung_label" | "inside_lung" | "undo" | "redo" | "apply"
  // going through
  | "next_lesion" | "previous_lesion" | "next_unseen" | "previous_unseen" | "next_undecided" | "next_contradiction" | "difference" | "next_difference" | "worst_difference" | "provenance"
  | "confirm_slice" | "present" | "absent" | "undecided" | "present_range" | "absent_range"
  | "lesions" | "history" | "guideline" | "comment" | "comments" | "scores" | "next_case" | "sign" | "sheet" | "escape";

export interface KeyBinding {
  /** As KeyboardEvent.key in lower case, with Ctrl+, Alt+ and Shift+ before it where needed. */
  keys: readonly string[];
  /** For what is no single key: what the sheet shows. */
  shown?: string;
  does: string;
  action: KeyAction;
  group: "Look" | "Paint" | "Regions" | "Decide" | "Go through" | "Session";
}

export const KEYS: readonly KeyBinding[] = [
  { group: "Look", keys: ["arrowup"], does: "Slice towards the head (wheel)", action: "slice_up" },
  { group: "Look", keys: ["arrowdown"], does: "Slice towards the feet (wheel)", action: "slice_down" },
  { group: "Look", keys: ["pageup"], does: "Ten slices up", action: "page_up" },
  { group: "Look", keys: ["pagedown"], does: "Ten slices down", action: "page_down" },
  { group: "Look", keys: ["home"], does: "First slice, at the head", action: "first_slice" },
  { group: "Look", keys: ["end"], does: "Last slice, at the feet", action: "last_slice" },
  { group: "Look", keys: ["h"], does: "Hide the masks while held", action: "hide" },
  { group: "Look", keys: ["o"], does: "Masks: fill and outline, outline, fill", action: "outline" },
  { group: "Look", keys: ["x"], does: "While held: crosshair; a click takes the other planes there", action: "crosshair" },
  { group: "Look", keys: ["w"], does: "Next window preset (right drag: window by hand)", action: "presets" },
  { group: "Look", keys: ["v"], does: "Next layout; side by side: next plane", action: "layout" },
  { group: "Look", keys: [","], does: "Next active plane: the one that slice keys and the crosshair's keys go by", action: "next_plane" },
  { group: "Look", keys: ["."], does: "The active plane to full size, and back (double click)", action: "one_up" },
  { group: "Look", keys: ["shift+f"], does: "Fold the right panel away, and back", action: "fold" },
  { group: "Look", keys: ["m"], does: "Slab: one slice, 5, 10, 20 mm of maximum intensity", action: "slab" },
  { group: "Look", keys: ["y"], does: "Measure a length", action: "length" },
  { group: "Look", keys: ["delete", "backspace"], does: "Remove the chosen length", action: "remove_length" },
  { group: "Look", keys: ["shift+v"], does: "Surface of the mask in 3D", action: "surface" },
  { group: "Look", keys: ["\\"], does: "Lay another state or scan beside", action: "compare" },
  { group: "Look", keys: ["0"], does: "Fit the picture to the pane", action: "reset" },
  { group: "Look", keys: [], shown: "Middle drag", does: "Pan", action: "pan" },
  { group: "Look", keys: [], shown: "Ctrl + wheel", does: "Zoom", action: "zoom" },

  { group: "Paint", keys: ["b"], does: "Brush (the right button erases)", action: "brush" },
  { group: "Paint", keys: ["shift+b"], does: "Sphere brush", action: "sphere" },
  { group: "Paint", keys: ["e"], does: "Eraser", action: "eraser" },
  { group: "Paint", keys: ["t"], does: "Threshold brush", action: "threshold" },
  { group: "Paint", keys: ["l"], does: "Lasso", action: "lasso" },
  { group: "Paint", keys: ["r"], does: "Scissors: rectangle, circle", action: "scissors" },
  { group: "Paint", keys: ["["], does: "Smaller brush (Shift + wheel)", action: "smaller" },
  { group: "Paint", keys: ["]"], does: "Larger brush (Shift + wheel)", action: "larger" },
  { group: "Paint", keys: ["1", "2", "3", "4", "5", "6", "7", "8", "9"], shown: "1 to 9", does: "Label", action: "label" },
  { group: "Paint", keys: ["shift+l"], does: "Lung: left, right", action: "lung_label" },
  { group: "Paint", keys: ["i"], does: "Between slices: fill what lies between drawn slices", action: "interpolate" },
  { group: "Paint", keys: ["shift+i"], does: "Only inside the lung, on or off", action: "inside_lung" },
  { group: "Paint", keys: ["z", "ctrl+z"], does: "Undo", action: "undo" },
  { group: "Paint", keys: ["shift+z", "ctrl+shift+z", "ctrl+y"], does: "Redo", action: "redo" },
  { group: "Paint", keys: ["alt+arrowleft"], does: "Without a pointer: crosshair to the left", action: "spot_left" },
  { group: "Paint", keys: ["alt+arrowright"], does: "Crosshair to the right", action: "spot_right" },
  { group: "Paint", keys: ["alt+arrowup"], does: "Crosshair up", action: "spot_up" },
  { group: "Paint", keys: ["alt+arrowdown"], does: "Crosshair down", action: "spot_down" },
  { group: "Paint", keys: ["alt+enter"], does: "The tool in hand at the crosshair: a click of it, else a disc of the brush", action: "paint_spot" },
  { group: "Paint", keys: ["alt+backspace", "alt+delete"], does: "The same with the right button: erases at the crosshair", action: "erase_spot" },

  { group: "Regions", keys: ["f"], does: "Fill: a hole, or alike Hounsfield values, in this slice", action: "fill" },
  { group: "Regions", keys: ["g"], does: "Grow a region in 3D from a click", action: "grow" },
  { group: "Regions", keys: ["s"], does: "Smooth", action: "smooth" },
  { group: "Regions", keys: ["k"], does: "Remove small islands", action: "islands" },
  { group: "Regions", keys: ["shift+k"], does: "Keep only the clicked island", action: "keep" },
  { group: "Regions", keys: ["shift+arrowup"], does: "Copy this slice's mask to the next slice up", action: "copy_up" },
  { group: "Regions", keys: ["shift+arrowdown"], does: "Copy this slice's mask to the next slice down", action: "copy_down" },
  { group: "Regions", keys: ["shift+r"], does: "Replace a label by another inside a box", action: "replace" },
  { group: "Regions", keys: ["shift+e"], does: "Relabel a whole lesion, for example to an exclusion", action: "relabel" },
  { group: "Regions", keys: ["shift+t"], does: "Threshold everything in the lung", action: "threshold_lung" },
  { group: "Regions", keys: ["enter"], does: "Apply what is previewed; otherwise the next case", action: "apply" },

  { group: "Go through", keys: ["j"], does: "Next lesion", action: "next_lesion" },
  { group: "Go through", keys: ["shift+j"], does: "Previous lesion", action: "previous_lesion" },
  { group: "Go through", keys: ["n"], does: "Next slice with lung that you have not seen", action: "next_unseen" },
  { group: "Go through", keys: ["shift+n"], does: "Previous unseen slice", action: "previous_unseen" },
  { group: "Decide", keys: [" "], shown: "Space", does: "Confirm what the mask says of this slice, and go on to the next undecided one", action: "confirm_slice" },
  { group: "Decide", keys: ["p"], does: "Lesion present on this slice", action: "present" },
  { group: "Decide", keys: ["a"], does: "Lesion absent on this slice", action: "absent" },
  { group: "Decide", keys: ["u"], does: "Undecided on this slice", action: "undecided" },
  { group: "Decide", keys: ["shift+p"], does: "Present on all slices from the last one decided to this one", action: "present_range" },
  { group: "Decide", keys: ["shift+a"], does: "Absent on all slices from the last one decided to this one", action: "absent_range" },
  { group: "Decide", keys: ["shift+u"], does: "Next slice with lung that is undecided", action: "next_undecided" },
  { group: "Decide", keys: ["shift+x"], does: "Next slice whose verdict and mask do not fit", action: "next_contradiction" },

  { group: "Go through", keys: ["d"], does: "Difference from another state of the mask", action: "difference" },
  { group: "Go through", keys: ["ctrl+d"], does: "Next slice that differs", action: "next_difference" },
  { group: "Go through", keys: ["shift+d"], does: "The slice that differs most", action: "worst_difference" },
  { group: "Go through", keys: ["q"], does: "Provenance: who set each voxel", action: "provenance" },

  { group: "Session", keys: ["shift+1", "!"], shown: "Shift + 1", does: "List of lesions", action: "lesions" },
  { group: "Session", keys: ["shift+h"], does: "History of the mask", action: "history" },
  { group: "Session", keys: ["shift+g"], does: "Guideline of the campaign", action: "guideline" },
  { group: "Session", keys: ["shift+s"], does: "Scoring forms: digits score, arrows go from region to region", action: "scores" },
  { group: "Session", keys: ["c"], does: "Comment on what is under the pointer", action: "comment" },
  { group: "Session", keys: ["shift+c"], does: "List of comments", action: "comments" },
  { group: "Session", keys: ["ctrl+arrowright"], does: "Next case", action: "next_case" },
  { group: "Session", keys: ["ctrl+enter"], does: "Sign, or hand on", action: "sign" },
  { group: "Session", keys: ["?"], does: "This sheet", action: "sheet" },
  { group: "Session", keys: ["escape"], does: "Put the tool down; close a dialog", action: "escape" },
];

/** Other keys that this reader has given to actions. */
export const remapped = signal<Readonly<Partial<Record<KeyAction, readonly string[]>>>>({});

export const keysOf = (binding: KeyBinding): readonly string[] => remapped.value[binding.action] ?? binding.keys;

export function shownKey(key: string): string {
  const names: Record<string, string> = {
    arrowup: "Up", arrowdown: "Down", arrowleft: "Left", arrowright: "Right", pageup: "Page up", pagedown: "Page down",
    home: "Home", end: "End", enter: "Enter", escape: "Esc", " ": "Space", ",": "Comma", ".": "Period",
  };
  const parts = key.split(/\+(?=.)/);
  return parts.map((part) => names[part] ?? (part.length === 1 ? part.toUpperCase() : part[0].toUpperCase() + part.slice(1))).join(" + ");
}

/** What the sheet, tooltips and rail show for an action; empty when no key takes it. */
export function shownKeys(action: KeyAction): string {
  const binding = KEYS.find((row) => row.action === action);
  if (!binding) return "";
  if (binding.shown && !remapped.value[action]) return binding.shown;
  return keysOf(binding)[0] ? shownKey(keysOf(binding)[0]) : "";
}

const known = (key: string): boolean => KEYS.some((binding) => keysOf(binding).includes(key));

/** The digit of a key in the digits' row, where the layout of the keyboard puts another sign on it (AZERTY). */
function digitOf({ code, shiftKey }: KeyboardEvent, key: string): string {
  const digit = /^Digit(\d)$/.exec(code ?? "")?.[1];
  return digit && !shiftKey && !known(key) ? digit : key;
}

export function keyName(event: KeyboardEvent): string {
  // AltGr writes a sign of its own; systems tell it as Ctrl and Alt, which nobody holds.
  if (event.key.length === 1 && event.getModifierState?.("AltGraph")) return event.key.toLowerCase();
  const key = digitOf(event, event.key.toLowerCase());
  // A sign that Shift itself makes ("?", "!") is named without it.
  const shift = event.shiftKey && (key.length > 1 || /[a-z0-9 ]/.test(key)) ? "shift+" : "";
  return `${event.ctrlKey || event.metaKey ? "ctrl+" : ""}${event.altKey ? "alt+" : ""}${shift}${key}`;
}

export function bindingOf(event: KeyboardEvent): KeyBinding | undefined {
  const name = keyName(event);
  return KEYS.find((binding) => keysOf(binding).includes(name));
}

const SLIDES = /^(Arrow|Page|Home$|End$)/;

/** A slider that the keyboard has gone to keeps the keys that move it; one that the pointer has left does not. */
export function isSliding(event: KeyboardEvent): boolean {
  const { target } = event;
  if (!(target instanceof HTMLInputElement) || target.type !== "range" || !SLIDES.test(event.key)) return false;
  return !event.ctrlKey && !event.altKey && !event.metaKey && target.matches(":focus-visible");
}

/** Keys belong to the field that has the focus, not to the viewer. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !/^(checkbox|radio|range|button)$/.test(target.type);
  return target.isContentEditable || /^(TEXTAREA|SELECT)$/.test(target.tagName);
}
