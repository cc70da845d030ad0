/** What a tool is. One file a tool; `registry.ts` lists them in the order of the rail. */
import type { ComponentType } from "preact";
import type { Point } from "../geometry/disc";
import type { PlaneName, Vec3 } from "../geometry/grid";
import type { KeyAction } from "../keyboard";
import type { Desk } from "../reading/desk";
import type { ToolName } from "../state";

/** The pointer over a plane. */
export interface Spot {
  plane: PlaneName;
  /** Pixels of the plane's slice image, fractions kept. */
  point: Point;
  /** The voxel under it; may lie outside the scan. */
  voxel: Vec3;
  clientX: number;
  clientY: number;
  /** 0 left, 2 right. */
  button: number;
  shift: boolean;
}

/** What a press has begun. A drag lives until end or cancel. */
export interface Drag {
  move(at: Spot): void;
  end(at: Spot): void;
  cancel(): void;
}

export type ToolGroup = "paint" | "shape" | "region" | "slices" | "view";

export interface Tool {
  readonly name: ToolName;
  readonly title: string;
  /** One sentence: what it does, for the tooltip. */
  readonly does: string;
  readonly icon: string;
  /** The key of the table that takes it up. */
  readonly action?: KeyAction;
  /** What the rail shows when no key takes it up. */
  readonly hint?: string;
  readonly group: ToolGroup;
  /** Whether it changes the mask: not offered to who only looks. */
  readonly edits: boolean;
  /** Diameter in mm of the ring under the pointer; null for none. */
  ring?(): number | null;
  /** Left or right button went down on a plane; null: the tool does not want it (the right button then windows). */
  press?(desk: Desk, at: Spot): Drag | null;
  /** A press is all it takes: a key gives it at the crosshair as well. */
  readonly clicks?: boolean;
  hover?(desk: Desk, at: Spot | null): void;
  /** Taken up: for a tool that acts at once. Such a tool never becomes the tool in hand. */
  run?(desk: Desk): void;
  /** Put down: previews go. */
  putDown?(desk: Desk): void;
  /** Its settings, shown while it is in hand. */
  readonly Options?: ComponentType<{ desk: Desk }>;
}
