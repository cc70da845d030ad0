/** The tools, each with its key. */
import type { Desk } from "../reading/desk";
import * as display from "../display";
import { shownKeys, type KeyAction } from "../keyboard";
import { nextLook } from "../reading/keys";
import * as state from "../state";
import { TOOLS } from "../tools/registry";
import type { Tool, ToolGroup } from "../tools/tool";
import { Icon } from "./icons";
import "./rail.css";

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

const keys = (action: KeyAction): { key: string; shortcut?: string } => ({ key: shownKeys(action), shortcut: shownKeys(action) || undefined });

export function ToolRail({ desk }: { desk: Desk }) {
  const tool = state.tool.value;
  const locked = !desk.mayEdit;
  const pick = (item: Tool): ToolButton => ({
    icon: item.icon,
    name: item.title,
    does: item.does,
    ...(item.action && shownKeys(item.action) ? keys(item.action) : { key: item.hint ?? "" }),
    pressed: tool === item.name,
    disabled: item.edits && locked,
    run: () => desk.takeUp(item.name),
  });
  const of = (...groups: ToolGroup[]): ToolButton[] => TOOLS.filter((item) => groups.includes(item.group)).map(pick);
  const groups: ToolButton[][] = [
    of("paint", "shape"),
    of("region", "slices"),
    [
      { icon: "undo", name: "Undo", ...keys("undo"), disabled: locked || !state.canUndo.value, run: () => desk.undo() },
      { icon: "redo", name: "Redo", ...keys("redo"), disabled: locked || !state.canRedo.value, run: () => desk.redo() },
    ],
    of("view"),
    [
      { icon: "reset", name: "Fit", ...keys("reset"), run: () => desk.stage?.fit() },
      { icon: "outline", name: "Fill and outline", ...keys("outline"), pressed: display.look.value !== "both", run: nextLook },
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
              title={`${button.name}${button.key && ` (${button.key})`}${button.does ? `: ${button.does}` : ""}`}
              disabled={button.disabled}
              onClick={button.run}
            >
              <Icon name={button.icon} />
              {/* Drawn by the style sheet: the button's text is its name alone, the key is told by aria-keyshortcuts. */}
              {button.shortcut && <kbd data-key={button.shortcut.replace("Shift + ", "⇧").replace("⇧Up", "⇧↑")} />}
            </button>
          ))}
        </div>
      ))}
    </nav>
  );
}
