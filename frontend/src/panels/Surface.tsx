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
import type { SurfaceDone, SurfaceJob } from "../viewer/surface/mesh";
import { Scene, VIEWS } from "../viewer/surface/scene";
import "./surface.css";

const REST_MS = 900;
const LETTERS = ["L", "P", "H"];

type Progress = { kind: "working" } | { kind: "shown"; triangles: number } | { kind: "empty" } | { kind: "wrong"; sentence: string };

export default function Surface({ desk }: { desk: Desk }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const compass = useRef<SVGSVGElement>(null);
  const scene = useRef<Scene | null>(null);
  const [progress, setProgress] = useState<Progress>({ kind: "working" });
  const [lung, setLung] = useState(true);
  useEffect(() => {
    try {
      scene.current = new Scene(canvas.current!, (axes) => point(compass.current, axes));
    } catch (error) {
      setProgress({ kind: "wrong", sentence: (error as Error).message });
      return;
    }
    return keepUp(desk, scene.current, canvas.current!, setProgress);
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
          <button key={name} class="compact" onClick={() => scene.current?.look(turn)}>
            {name}
          </button>
        ))}
        <button
          class="compact"
          aria-pressed={lung}
          onClick={() => {
            setLung(!lung);
            if (!scene.current) return;
            scene.current.lungShown = !lung;
            scene.current.draw();
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

/** Makes the surface now and after every change at rest; hands back what ends it. */
function keepUp(desk: Desk, scene: Scene, canvas: HTMLCanvasElement, tell: (progress: Progress) => void): () => void {
  const worker = new Worker(new URL("../viewer/surface/worker.ts", import.meta.url), { type: "module" });
  let round = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const colours = () => new Map((state.reading.value?.label_set.labels ?? []).map(({ value, colour }) => [value, rgbOf(colour)] as const));
  worker.onmessage = ({ data }: MessageEvent<SurfaceDone>) => {
    if (data.round !== round) return;
    scene.show(data.lung, data.findings, colours());
    const triangles = (data.lung.triangles.length + data.findings.triangles.length) / 3;
    tell(triangles ? { kind: "shown", triangles } : { kind: "empty" });
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
      worker.postMessage(job, [field.lung.buffer as ArrayBuffer, field.findings.buffer as ArrayBuffer, field.label.buffer as ArrayBuffer]);
    } catch (error) {
      if (!(error instanceof Cancelled)) throw error;
    }
  };
  const soon = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => void make(), REST_MS);
  };
  desk.maskWatchers.add(soon);
  let first = true;
  const stop = effect(() => {
    void display.hiddenLabels.value;
    if (first) void make();
    else soon();
    first = false;
  });
  const resized = new ResizeObserver(() => scene.draw());
  resized.observe(canvas);
  attach(canvas, scene);
  return () => {
    round++;
    clearTimeout(timer);
    stop();
    desk.maskWatchers.delete(soon);
    resized.disconnect();
    worker.terminate();
    scene.dispose();
  };
}

function attach(canvas: HTMLCanvasElement, scene: Scene): void {
  let held = false;
  canvas.addEventListener("pointerdown", (event) => {
    held = true;
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => held && scene.rotate(event.movementX, event.movementY));
  for (const name of ["pointerup", "pointercancel"] as const) canvas.addEventListener(name, () => (held = false));
  canvas.addEventListener("dblclick", () => scene.look(VIEWS.Front));
  canvas.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      scene.zoom(Math.exp(-event.deltaY / 500));
    },
    { passive: false },
  );
}
