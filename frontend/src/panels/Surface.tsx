/** The mask as a surface in 3D: findings solid, lung as glass. Loaded when asked for; made anew at rest after a change. */
import { useEffect, useRef, useState } from "preact/hooks";
import { effect } from "@preact/signals";
import { carryOut, Cancelled } from "../edits/operation";
import * as display from "../display";
import { shownKeys } from "../keyboard";
import type { Desk } from "../reading/desk";
import { toggleSurface } from "../reading/view";
import * as state from "../state";
import { rgbOf } from "../viewer/picture";
import { coarsen } from "../viewer/surface/field";
import type { SurfaceJob } from "../viewer/surface/mesh";
import type { Turn } from "../viewer/surface/scene";
import type { Asked, Told } from "../viewer/surface/worker";
import "./surface.css";

const REST_MS = 900;
const LETTERS = ["L", "P", "H"];
const VIEWS: Record<"Front" | "Left" | "Top" | "Back", Turn> = { Front: [0, 0], Left: [Math.PI / 2, 0], Back: [Math.PI, 0], Top: [0, Math.PI / 2] };

type Ask = (asked: Asked, ...given: Transferable[]) => void;

type Progress = { kind: "working" } | { kind: "shown"; triangles: number } | { kind: "empty" } | { kind: "wrong"; sentence: string };

export default function Surface({ desk }: { desk: Desk }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const compass = useRef<SVGSVGElement>(null);
  const scene = useRef<Ask | null>(null);
  const [progress, setProgress] = useState<Progress>({ kind: "working" });
  const [lung, setLung] = useState(true);
  useEffect(() => {
    const { ask, end } = keepUp(desk, canvas.current!, setProgress, (axes) => point(compass.current, axes));
    scene.current = ask;
    return end;
  }, []);
  return (
    <>
      <canvas class="surface-canvas" ref={canvas} tabIndex={0} aria-label="Surface of the mask; drag turns it, the wheel comes closer" data-triangles={progress.kind === "shown" ? progress.triangles : 0} />
      <span class="pane-title">Surface</span>
      <span class="surface-state dim" role="status">
        {progress.kind === "working" ? "working it out" : progress.kind === "empty" ? "The mask is empty." : progress.kind === "wrong" ? progress.sentence : ""}
      </span>
      <svg class="compass" ref={compass} viewBox="-30 -30 60 60" width="60" height="60" aria-hidden="true">
        {LETTERS.map((letter) => (
          <g key={letter}>
            <line x1="0" y1="0" />
            <text>{letter}</text>
          </g>
        ))}
      </svg>
      <div class="surface-tools">
        {Object.entries(VIEWS).map(([name, turn]) => (
          <button key={name} class="compact" onClick={() => scene.current?.({ kind: "look", turn })}>
            {name}
          </button>
        ))}
        <button
          class="compact"
          aria-pressed={lung}
          onClick={() => {
            setLung(!lung);
            scene.current?.({ kind: "lung", shown: !lung });
          }}
        >
          Lung
        </button>
        <button class="compact" title={`Close (${shownKeys("surface")})`} aria-label="Close the surface" onClick={toggleSurface}>
          ×
        </button>
      </div>
    </>
  );
}

/** The letters at the ends of the patient's axes. */
function point(compass: SVGSVGElement | null, axes: readonly [number, number][]): void {
  compass?.querySelectorAll("g").forEach((group, axis) => {
    const [x, y] = [axes[axis][0] * 18, -axes[axis][1] * 18];
    const [line, text] = [group.querySelector("line")!, group.querySelector("text")!];
    line.setAttribute("x2", String(x));
    line.setAttribute("y2", String(y));
    text.setAttribute("x", String(x * 1.4));
    text.setAttribute("y", String(y * 1.4 + 4));
    group.style.opacity = Math.hypot(x, y) < 5 ? "0.15" : "1";
  });
}

interface Kept {
  ask: Ask;
  end(): void;
}

/** Makes the surface now and after every change at rest. */
function keepUp(desk: Desk, canvas: HTMLCanvasElement, tell: (progress: Progress) => void, turned: (axes: readonly [number, number][]) => void): Kept {
  const worker = new Worker(new URL("../viewer/surface/worker.ts", import.meta.url), { type: "module" });
  const ask: Ask = (asked, ...given) => worker.postMessage(asked, given);
  let round = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const colours = () => new Map((state.reading.value?.label_set.labels ?? []).map(({ value, colour }) => [value, rgbOf(colour)] as const));
  worker.onmessage = ({ data }: MessageEvent<Told>) => {
    if (data.kind === "turned") turned(data.axes);
    else if (data.kind === "wrong") tell(data);
    else if (data.round === round) tell(data.triangles ? data : { kind: "empty" });
  };
  worker.onerror = () => tell({ kind: "wrong", sentence: "The surface could not be worked out." });
  const make = async (): Promise<void> => {
    const { layers } = desk.session;
    const { grid } = desk;
    if (!layers || !grid) return soon();
    const mine = ++round;
    const shown = (layer: "anatomy" | "findings"): Uint8Array =>
      Uint8Array.from({ length: 256 }, (_, value) => (value && !display.hiddenLabels.peek().has(display.labelKey(layer, value)) ? 1 : 0));
    try {
      const field = await carryOut(coarsen(layers, grid, { anatomy: shown("anatomy"), findings: shown("findings") }), { cancelled: () => mine !== round });
      const job: SurfaceJob = { round: mine, field, steps: grid.steps, voxels: grid.size };
      ask({ kind: "show", job, colours: colours() }, field.lung.buffer, field.findings.buffer, field.label.buffer);
    } catch (error) {
      if (!(error instanceof Cancelled)) throw error;
    }
  };
  const soon = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => void make(), REST_MS);
  };
  desk.maskWatchers.add(soon);
  if (begin(canvas, ask)) void make();
  else tell({ kind: "wrong", sentence: "This browser draws no 3D beside the page: the surface cannot be shown." });
  let first = true;
  const stop = effect(() => {
    void display.hiddenLabels.value;
    if (!first) soon();
    first = false;
  });
  const size = (): void => {
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight].map((pixels) => Math.max(1, Math.round(pixels * ratio)));
    ask({ kind: "size", width, height });
  };
  const resized = new ResizeObserver(size);
  resized.observe(canvas);
  attach(canvas, ask);
  const end = (): void => {
    round++;
    clearTimeout(timer);
    stop();
    desk.maskWatchers.delete(soon);
    resized.disconnect();
    worker.terminate();
  };
  return { ask, end };
}

/** Hands the canvas to the worker; false where the browser cannot. */
function begin(canvas: HTMLCanvasElement, ask: Ask): boolean {
  if (!canvas.transferControlToOffscreen) return false;
  const drawn = canvas.transferControlToOffscreen();
  ask({ kind: "begin", canvas: drawn }, drawn);
  return true;
}

function attach(canvas: HTMLCanvasElement, ask: Ask): void {
  let held = false;
  canvas.addEventListener("pointerdown", (event) => {
    held = true;
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => held && ask({ kind: "rotate", dx: event.movementX, dy: event.movementY }));
  for (const name of ["pointerup", "pointercancel"] as const) canvas.addEventListener(name, () => (held = false));
  canvas.addEventListener("dblclick", () => ask({ kind: "look", turn: VIEWS.Front }));
  canvas.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      ask({ kind: "zoom", factor: Math.exp(-event.deltaY / 500) });
    },
    { passive: false },
  );
}
