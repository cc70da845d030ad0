/**
 * The scan from head to feet beside the axial plane. Light: seen; grey: not seen; dark: no lung; orange: lesion; hatched:
 * seen and not decided; blue tick: edited; red edge: the compared masks differ, or verdict and mask do not fit; framed: the
 * slice on the screen.
 */
import { effect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Desk } from "../reading/desk";
import * as display from "../display";
import { contradicted, openSlices } from "../reading/decisions";
import { scanGrid } from "../layout";
import * as state from "../state";
import { bandsOf, describeSlice, partOf, sliceAtPart, type SliceFacts } from "./strip";
import "./strip.css";

const COLOURS = { empty: "#161c22", unseen: "#3a4651", seen: "#9fadb9", lesion: "#E69F00", edited: "#4CB3D4", disputed: "#E2685E", frame: "#FFFFFF" };

/** The slices as the strip counts them, from the feet up: a file may count from the head down. */
const rowOf = (z: number, total: number): number => (scanGrid.value?.planes.axial.ahead === -1 ? total - 1 - z : z);

/** From the feet up. */
function factsByRow(): SliceFacts {
  const facts = factsNow();
  if (rowOf(0, facts.total) === 0) return facts;
  const { total, ...marks } = facts;
  const turned = Object.fromEntries(Object.entries(marks).map(([name, of]) => [name, of.slice().reverse()])) as typeof marks;
  return { total, ...turned };
}

/** By the numbers of the slices. */
function factsNow(): SliceFacts {
  return {
    total: state.reading.value?.scan.shape_zyx[0] ?? 0,
    lung: display.lungSlices.value,
    seen: display.seenSlices.value,
    lesion: state.lesionSlices.value,
    edited: state.editedSlices.value,
    disputed: display.disputedSlices.value,
    undecided: openSlices.value,
    contradicted: contradicted.value,
    verdicts: display.verdicts.value,
  };
}

function draw(canvas: HTMLCanvasElement): void {
  const facts = factsByRow();
  const current = rowOf(state.slices.value.axial, facts.total);
  const ratio = window.devicePixelRatio || 1;
  const width = (canvas.width = Math.round(canvas.clientWidth * ratio));
  const height = (canvas.height = Math.round(canvas.clientHeight * ratio));
  const context = canvas.getContext("2d")!;
  const px = (css: number): number => Math.round(css * ratio);
  // Red edge, seen, lesion, tick: four columns of 28 px.
  const columns = { edge: [px(1), px(3)], seen: [px(5), px(6)], lesion: [px(11), px(10)], tick: [px(22), px(4)] } as const;
  for (const band of bandsOf(facts, height)) {
    const bar = ([x, wide]: readonly [number, number], colour: string): void => {
      context.fillStyle = colour;
      context.fillRect(x, band.top, wide, band.height);
    };
    const ground = facts.lung.length && !band.lung ? COLOURS.empty : COLOURS.unseen;
    bar(columns.seen, band.seen && band.lung ? COLOURS.seen : ground);
    bar(columns.lesion, band.lesion ? COLOURS.lesion : ground);
    if (band.undecided) hatch(context, columns.lesion[0], band.top, columns.lesion[1], band.height, ratio);
    if (band.edited) bar(columns.tick, COLOURS.edited);
    if (band.disputed || band.contradicted) bar(columns.edge, COLOURS.disputed);
  }
  if (!facts.total) return;
  const at = partOf(current, facts.total);
  const tall = Math.max((at.to - at.from) * height, 5 * ratio);
  const middle = ((at.from + at.to) / 2) * height;
  const top = Math.max(ratio, Math.min(height - tall - ratio, middle - tall / 2));
  context.lineWidth = Math.max(1, 1.5 * ratio);
  context.strokeStyle = "#000";
  context.strokeRect(ratio / 2, top - ratio, width - ratio, tall + 2 * ratio);
  context.strokeStyle = COLOURS.frame;
  context.strokeRect(ratio, top, width - 2 * ratio, tall);
}

function hatch(context: CanvasRenderingContext2D, x: number, top: number, wide: number, tall: number, ratio: number): void {
  context.save();
  context.beginPath();
  context.rect(x, top, wide, tall);
  context.clip();
  context.strokeStyle = "#D9E0E6";
  context.lineWidth = ratio;
  context.beginPath();
  // Stripes run on from band to band.
  const step = 4 * ratio;
  for (let y = Math.floor(top / step) * step - wide; y < top + tall + wide; y += step) {
    context.moveTo(x, y + wide);
    context.lineTo(x + wide, y);
  }
  context.stroke();
  context.restore();
}

const STEPS: Record<string, number> = {
  ArrowUp: 1,
  ArrowRight: 1,
  ArrowDown: -1,
  ArrowLeft: -1,
  PageUp: 10,
  PageDown: -10,
  Home: Infinity,
  End: -Infinity,
};

export function SliceStrip({ desk }: { desk: Desk }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const element = canvas.current!;
    let frame = 0;
    const soon = (): void => {
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        draw(element);
      });
    };
    const observer = new ResizeObserver(soon);
    observer.observe(element);
    const stop = effect(() => {
      void [factsNow(), state.slices.value];
      soon();
    });
    return () => {
      stop();
      cancelAnimationFrame(frame);
      observer.disconnect();
    };
  }, []);
  const total = state.reading.value?.scan.shape_zyx[0] ?? 1;
  const point = (event: PointerEvent): void => {
    const box = canvas.current!.getBoundingClientRect();
    const z = rowOf(sliceAtPart((event.clientY - box.top) / box.height, total), total);
    canvas.current!.title = describeSlice(z, factsNow());
    if (event.type === "pointerdown") canvas.current!.setPointerCapture(event.pointerId);
    if (event.buttons & 1) desk.showSlice("axial", z);
  };
  const key = (event: KeyboardEvent): void => {
    const step = STEPS[event.key];
    if (!step || event.ctrlKey || event.altKey || event.shiftKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    desk.scroll("axial", step);
  };
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
      aria-valuetext={describeSlice(state.slices.value.axial, factsNow())}
      onPointerDown={point}
      onPointerMove={point}
      onKeyDown={key}
    />
  );
}
