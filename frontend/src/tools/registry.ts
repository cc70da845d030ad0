/** Every tool, in the order of the rail. */
import { brushTool, eraserTool, sphereTool, thresholdTool } from "./brush";
import { circleTool, lassoTool, rectangleTool } from "./shapes";
import type { Tool } from "./tool";
import { panTool, windowTool, zoomTool } from "./view";

export const TOOLS: readonly Tool[] = [
  brushTool, sphereTool, eraserTool, thresholdTool, lassoTool, rectangleTool, circleTool,
  windowTool, panTool, zoomTool,
];

const byName = new Map(TOOLS.map((tool) => [tool.name, tool]));

export function toolNamed(name: string): Tool | undefined {
  return byName.get(name as Tool["name"]);
}
