/** The scan from head to feet, one row or more a slice: lesion orange, edited with a blue tick, the shown slice lit. */
import { effect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Desk } from "../reading/desk";
import * as state from "../state";

function draw(canvas: HTMLCanvasElement): void {
  const total = state.reading.value?.scan.shape_zyx[0] ?? 0;
  const current = state.slices.value.axial;
  const lesion = state.lesionSlices.value;
  const edited = state.editedSlices.value;
  const ratio = window.devicePixelRatio || 1;
  const width = (canvas.width = Math.round(canvas.clientWidth * ratio));
  const height = (canvas.height = Math.round(canvas.clientHeight * ratio));
  const context = canvas.getContext("2d")!;
  if (!total) return;
  const row = height / total;
  for (let z = 0; z < total; z++) {
    const top = Math.floor((total - 1 - z) * row);
    const tall = Math.max(1, Math.floor((total - z) * row) - top - (row > 3 ? 1 : 0));
    context.fillStyle = lesion[z] ? "#E69F00" : "#2A333B";
    context.fillRect(Math.round(width * 0.2), top, Math.round(width * 0.45), tall);
    if (edited[z]) {
      context.fillStyle = "#4CB3D4";
      context.fillRect(Math.round(width * 0.7), top, Math.round(width * 0.18), tall);
    }
  }
  const at = (total - 1 - current + 0.5) * row;
  context.strokeStyle = "#D9E0E6";
  context.lineWidth = Math.max(1, 1.5 * ratio);
  context.strokeRect(ratio, Math.round(at - Math.max(row, 4 * ratio) / 2), width - 2 * ratio, Math.max(row, 4 * ratio));
}

export function SliceStrip({ desk }: { desk: Desk }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const element = canvas.current!;
    const observer = new ResizeObserver(() => draw(element));
    observer.observe(element);
    const stop = effect(() => draw(element));
    return () => {
      stop();
      observer.disconnect();
    };
  }, []);
  const sliceAt = (event: PointerEvent): number => {
    const box = canvas.current!.getBoundingClientRect();
    const total = state.reading.value?.scan.shape_zyx[0] ?? 1;
    return total - 1 - Math.floor(((event.clientY - box.top) / box.height) * total);
  };
  const drag = (event: PointerEvent): void => {
    const slice = sliceAt(event);
    canvas.current!.title = `Slice ${slice + 1}`;
    if (event.type === "pointerdown") canvas.current!.setPointerCapture(event.pointerId);
    if (event.buttons & 1) desk.showSlice("axial", slice);
  };
  const total = state.reading.value?.scan.shape_zyx[0] ?? 1;
  return (
    <canvas
      class="strip"
      ref={canvas}
      role="slider"
      tabIndex={0}
      aria-label="Axial slice"
      aria-orientation="vertical"
      aria-valuemin={1}
      aria-valuemax={total}
      aria-valuenow={state.slices.value.axial + 1}
      onPointerDown={drag}
      onPointerMove={drag}
    />
  );
}
