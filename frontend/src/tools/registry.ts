/** Every tool, in the order of the rail. */
import { brushTool, eraserTool } from "./brush";
import type { Tool } from "./tool";
import { panTool, windowTool, zoomTool } from "./view";

export const TOOLS: readonly Tool[] = [brushTool, eraserTool, windowTool, panTool, zoomTool];

const byName = new Map(TOOLS.map((tool) => [tool.name, tool]));

export function toolNamed(name: string): Tool | undefined {
  return byName.get(name as Tool["name"]);
}
