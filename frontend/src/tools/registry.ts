/** Every tool, in the order of the rail. */
import { brushTool, eraserTool, sphereTool, thresholdTool } from "./brush";
import { fillTool } from "./fill";
import { growTool } from "./grow";
import { islandsTool, keepTool, relabelTool } from "./islands";
import { lengthTool } from "./length";
import { replaceTool, thresholdLungTool } from "./ranges";
import { copyTool, interpolateTool } from "./slices";
import { smoothTool } from "./smooth";
import { circleTool, lassoTool, rectangleTool } from "./shapes";
import type { Tool } from "./tool";
import { panTool, windowTool, zoomTool } from "./view";

export const TOOLS: readonly Tool[] = [
  brushTool, sphereTool, eraserTool, thresholdTool, lassoTool, rectangleTool, circleTool,
  fillTool, growTool, thresholdLungTool, smoothTool, islandsTool, keepTool, relabelTool, replaceTool,
  interpolateTool, copyTool,
  windowTool, panTool, zoomTool, lengthTool,
];

const byName = new Map(TOOLS.map((tool) => [tool.name, tool]));

export function toolNamed(name: string): Tool | undefined {
  return byName.get(name as Tool["name"]);
}
