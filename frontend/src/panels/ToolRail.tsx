/** The tools, each with its key. */
import type { Desk } from "../reading/desk";
import { nextPreset } from "../reading/keys";
import * as state from "../state";
import { Icon } from "./icons";

interface ToolButton {
  icon: string;
  name: string;
  key: string;
  shortcut?: string;
  pressed?: boolean;
  disabled?: boolean;
  run(): void;
}

export function ToolRail({ desk }: { desk: Desk }) {
  const tool = state.tool.value;
  const locked = !state.mayPaint.value;
  const pick = (name: state.ToolName, label: string, key: string, disabled = false): ToolButton => ({
    icon: name,
    name: label,
    key,
    shortcut: key.length === 1 ? key : undefined,
    pressed: tool === name,
    disabled,
    run: () => (state.tool.value = name),
  });
  const groups: ToolButton[][] = [
    [pick("brush", "Brush", "B", locked), pick("eraser", "Eraser", "E", locked)],
    [
      { icon: "undo", name: "Undo", key: "Z", shortcut: "Z", disabled: locked || !state.canUndo.value, run: () => desk.undo() },
      { icon: "redo", name: "Redo", key: "Shift + Z", shortcut: "Shift+Z", disabled: locked || !state.canRedo.value, run: () => desk.redo() },
    ],
    [pick("window", "Window", "right drag"), pick("pan", "Pan", "middle drag"), pick("zoom", "Zoom", "Ctrl + wheel")],
    [
      { icon: "reset", name: "Fit", key: "0", shortcut: "0", run: () => desk.stage?.fit() },
      {
        icon: "outline",
        name: "Outline only",
        key: "O",
        shortcut: "O",
        pressed: state.outlineOnly.value,
        run: () => (state.outlineOnly.value = !state.outlineOnly.value),
      },
      {
        icon: "layout",
        name: "One plane",
        key: "V",
        shortcut: "V",
        pressed: state.oneUp.value !== null,
        run: () => desk.toggleOneUp(state.activePlane.value),
      },
    ],
  ];
  return (
    <nav class="rail" aria-label="Tools">
      {groups.map((group, index) => (
        <div class="rail-group" key={index}>
          {group.map((button) => (
            <button
              key={button.icon}
              class="tool"
              aria-label={button.name}
              aria-pressed={button.pressed}
              aria-keyshortcuts={button.shortcut}
              title={`${button.name} (${button.key})`}
              disabled={button.disabled}
              onClick={button.run}
            >
              <Icon name={button.icon} />
              {button.shortcut && <kbd>{button.shortcut.replace("Shift+", "⇧")}</kbd>}
            </button>
          ))}
        </div>
      ))}
      <button class="tool preset" title="Next window preset (W)" aria-label="Next window preset" aria-keyshortcuts="W" onClick={() => nextPreset(desk)}>
        {presetName()}
        <kbd>W</kbd>
      </button>
    </nav>
  );
}

function presetName(): string {
  const { width, level } = state.voi.value;
  const found = state.WINDOW_PRESETS.find((preset) => preset.width === width && preset.level === level);
  return found ? found.name.slice(0, 4) : "Own";
}
