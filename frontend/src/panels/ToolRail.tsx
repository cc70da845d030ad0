/** The tools, each with its key. */
import type { Desk } from "../reading/desk";
import * as display from "../display";
import { shownKeys } from "../keyboard";
import { nextLook } from "../reading/keys";
import * as state from "../state";
import { TOOLS } from "../tools/registry";
import type { Tool, ToolGroup } from "../tools/tool";
import { Icon } from "./icons";

interface ToolButton {
  icon: string;
  name: string;
  does?: string;
  key: string;
  shortcut?: string;
  pressed?: boolean;
  disabled?: boolean;
  run(): void;
}

export function ToolRail({ desk }: { desk: Desk }) {
  const tool = state.tool.value;
  const locked = !desk.mayEdit;
  const pick = (item: Tool): ToolButton => ({
    icon: item.icon,
    name: item.title,
    does: item.does,
    key: (item.action && shownKeys(item.action)) || item.hint || "",
    shortcut: (item.action && shownKeys(item.action)) || undefined,
    pressed: tool === item.name,
    disabled: item.edits && locked,
    run: () => desk.takeUp(item.name),
  });
  const of = (...groups: ToolGroup[]): ToolButton[] => TOOLS.filter((item) => groups.includes(item.group)).map(pick);
  const groups: ToolButton[][] = [
    of("paint", "shape"),
    of("region", "slices"),
    [
      { icon: "undo", name: "Undo", key: "Z", shortcut: "Z", disabled: locked || !state.canUndo.value, run: () => desk.undo() },
      { icon: "redo", name: "Redo", key: "Shift + Z", shortcut: "Shift + Z", disabled: locked || !state.canRedo.value, run: () => desk.redo() },
    ],
    of("view"),
    [
      { icon: "reset", name: "Fit", key: "0", shortcut: "0", run: () => desk.stage?.fit() },
      {
        icon: "outline",
        name: "Fill and outline",
        key: "O",
        shortcut: "O",
        pressed: display.look.value !== "both",
        run: nextLook,
      },
    ],
  ];
  return (
    <nav class="rail" aria-label="Tools">
      {groups.filter((group) => group.length).map((group, index) => (
        <div class="rail-group" key={index}>
          {group.map((button) => (
            <button
              key={button.icon}
              class="tool"
              aria-label={button.name}
              aria-pressed={button.pressed}
              aria-keyshortcuts={button.shortcut}
              title={`${button.name} (${button.key})${button.does ? `: ${button.does}` : ""}`}
              disabled={button.disabled}
              onClick={button.run}
            >
              <Icon name={button.icon} />
              {button.shortcut && <kbd>{button.shortcut.replace("Shift + ", "⇧")}</kbd>}
            </button>
          ))}
        </div>
      ))}
    </nav>
  );
}
