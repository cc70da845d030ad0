/** The outline of the brush under the pointer; broken while something bounds what it writes. */
import { useEffect, useRef } from "preact/hooks";
import { effect } from "@preact/signals";
import type { PlaneName } from "../geometry/grid";
import * as state from "../state";
import { isGuarded } from "../tools/options";
import { toolNamed } from "../tools/registry";

export function BrushRing({ plane }: { plane: PlaneName }) {
  const ring = useRef<HTMLDivElement>(null);
  useEffect(
    () =>
      effect(() => {
        const at = state.hovered.value;
        const diameterMm = toolNamed(state.tool.value)?.ring?.() ?? null;
        const style = ring.current!.style;
        const place = state.placeOf.value;
        if (!at || at.plane !== plane || diameterMm === null || !state.mayPaint.value || !place) {
          style.display = "none";
          return;
        }
        const { x, y, mmPerPixel } = place(plane, at.u, at.v);
        const size = diameterMm / mmPerPixel;
        style.display = "block";
        style.borderStyle = isGuarded() ? "dashed" : "solid";
        style.width = style.height = `${size}px`;
        style.transform = `translate(${x - size / 2}px, ${y - size / 2}px)`;
      }),
    [],
  );
  return <div class="brush-ring" ref={ring} aria-hidden="true" />;
}
