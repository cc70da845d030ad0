/** Works surfaces out and draws them, off the page's own thread. */
import { meshes, type SurfaceJob } from "./mesh";
import { Scene, type Turn } from "./scene";

export type Asked =
  | { kind: "begin"; canvas: OffscreenCanvas }
  | { kind: "size"; width: number; height: number }
  | { kind: "show"; job: SurfaceJob; colours: ReadonlyMap<number, readonly [number, number, number]> }
  | { kind: "look"; turn: Turn }
  | { kind: "rotate"; dx: number; dy: number }
  | { kind: "zoom"; factor: number }
  | { kind: "lung"; shown: boolean };

export type Told =
  | { kind: "shown"; round: number; triangles: number }
  /** Screen directions (x right, y up) of patient left, back and head. */
  | { kind: "turned"; axes: readonly [number, number][] }
  | { kind: "wrong"; sentence: string };

const tell = (told: Told): void => (self as unknown as Worker).postMessage(told);
let scene: Scene | null = null;

function begin(canvas: OffscreenCanvas): void {
  try {
    scene = new Scene(canvas, (axes) => tell({ kind: "turned", axes }));
  } catch (error) {
    tell({ kind: "wrong", sentence: (error as Error).message });
  }
}

function show(on: Scene, { job, colours }: Extract<Asked, { kind: "show" }>): void {
  const { lung, findings } = meshes(job);
  on.show(lung, findings, colours);
  tell({ kind: "shown", round: job.round, triangles: (lung.triangles.length + findings.triangles.length) / 3 });
}

self.onmessage = ({ data }: MessageEvent<Asked>) => {
  if (data.kind === "begin") return begin(data.canvas);
  if (!scene) return;
  if (data.kind === "show") show(scene, data);
  else if (data.kind === "size") scene.resize(data.width, data.height);
  else if (data.kind === "look") scene.look(data.turn);
  else if (data.kind === "rotate") scene.rotate(data.dx, data.dy);
  else if (data.kind === "zoom") scene.zoom(data.factor);
  else {
    scene.lungShown = data.shown;
    scene.draw();
  }
};
