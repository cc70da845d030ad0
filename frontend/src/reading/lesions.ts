/** The list of lesions: connected components of the findings, counted again at rest and only where slices changed. */
import { effect, signal } from "@preact/signals";
import { carryOut, type Operation } from "../edits/operation";
import { RunBook, type Component } from "../edits/regions/components";
import type { Layer, Layers } from "../edits/layers";
import type { Vec3 } from "../geometry/grid";
import * as state from "../state";
import { onKey } from "./acts";
import type { Desk } from "./desk";
import { voxelVolume } from "../units";

export interface Lesion {
  component: Component;
  label: number;
  volumeMl: number;
  /** Its voxel nearest to its centre. */
  at: Vec3;
  place: string;
  meanHu: number | null;
}

export const lesions = signal<readonly Lesion[]>([]);
/** Every piece, also of those that are too many to be listed: the largest first. */
let pieces: readonly Component[] = [];
export const countingLesions = signal(true);
export const currentLesion = signal(-1);

const REST_MS = 300;
/** Far smaller things are one voxel of noise to a reader; the mask keeps them, the list counts them together. */
export const LISTED_MOST = 200;

export class LesionBook {
  private book: RunBook | null = null;
  private of: Layers | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private round = 0;

  constructor(private readonly desk: Desk) {
    // Hounsfield means need the whole scan.
    effect(() => {
      const total = state.reading.value?.scan.shape_zyx[0];
      if (total && state.loadedSlices.value === total) this.soon();
    });
  }

  /** The findings of these slices changed; null: all of them. */
  changed(slices: readonly number[] | null): void {
    const { layers } = this.desk.session;
    if (!layers) return;
    if (this.of !== layers || !slices || !this.book) {
      this.of = layers;
      this.book = new RunBook(layers.findings, new Uint8Array(256).fill(1));
    } else slices.forEach((z) => this.book!.touch(z));
    this.soon();
  }

  private soon(): void {
    clearTimeout(this.timer);
    countingLesions.value = true;
    this.round++;
    this.timer = setTimeout(() => void this.count(this.round), REST_MS);
  }

  private async count(round: number): Promise<void> {
    if (!this.book) return;
    if (this.desk.session.editor?.painting) return this.soon();
    const found = await carryOut(this.book.components(), { cancelled: () => round !== this.round }).catch(() => null);
    if (!found || round !== this.round) return;
    const chosen = lesions.peek()[currentLesion.peek()];
    const listed = await carryOut(this.describing(found.slice(0, LISTED_MOST)), { cancelled: () => round !== this.round }).catch(() => null);
    if (!listed || round !== this.round) return;
    pieces = found;
    lesions.value = listed;
    currentLesion.value = chosen ? lesions.value.findIndex((one) => one.label === chosen.label && distance(one.at, chosen.at) < 3) : -1;
    countingLesions.value = false;
  }

  private *describing(components: readonly Component[]): Operation<Lesion[]> {
    const described: Lesion[] = [];
    const lung = yield* lungEnds(this.desk.session.layers!.anatomy);
    for (const component of components) {
      described.push(yield* this.describe(component, lung));
      yield described.length / components.length;
    }
    return described;
  }

  private *describe(component: Component, lung: LungEnds): Operation<Lesion> {
    const { session, grid } = this.desk;
    const voxelMl = voxelVolume.value;
    const at = nearestVoxel(component);
    return {
      component,
      label: component.label,
      volumeMl: component.voxels * voxelMl,
      at,
      place: placeOf(session.layers!, lung, at, component.centre[2], grid!.planes.axial.ahead),
      meanHu: yield* meanHu(component, session.hu, grid!.size[0]),
    };
  }
}

const distance = (a: Vec3, b: Vec3): number => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);

export function nearestVoxel({ runs, centre }: Component): Vec3 {
  let best: Vec3 = [runs[2], runs[1], runs[0]];
  let least = Infinity;
  for (let n = 0; n < runs.length; n += 4) {
    const x = Math.max(runs[n + 2], Math.min(runs[n + 3] - 1, Math.round(centre[0])));
    const away = (x - centre[0]) ** 2 + (runs[n + 1] - centre[1]) ** 2 + (runs[n] - centre[2]) ** 2;
    if (away < least) [least, best] = [away, [x, runs[n + 1], runs[n]]];
  }
  return best;
}

/** Runs between two looks at the clock. */
const RUNS_A_STEP = 8000;

function* meanHu({ runs, voxels }: Component, hu: readonly (Int16Array | null)[], nx: number): Operation<number | null> {
  let sum = 0;
  for (let n = 0; n < runs.length; n += 4) {
    if (n % RUNS_A_STEP === 0) yield 0;
    const slice = hu[runs[n]];
    if (!slice) return null;
    for (let i = runs[n + 1] * nx + runs[n + 2]; i < runs[n + 1] * nx + runs[n + 3]; i++) sum += slice[i];
  }
  return state.reading.value?.scan.has_hu ? sum / voxels : null;
}

type LungEnds = readonly [low: number, high: number] | null;

/** The first slice that holds lung, and the one after the last; null where none does. An allocated slice may be empty. */
function* lungEnds(anatomy: Layer): Operation<LungEnds> {
  const count = anatomy.slices.length;
  let low = 0;
  for (; low < count && anatomy.isEmpty(low); low++) yield 0;
  if (low === count) return null;
  let high = count;
  for (; anatomy.isEmpty(high - 1); high--) yield 0;
  return [low, high];
}

/** In words: the lung it lies in, and the third of the lungs' height. */
function placeOf(layers: Layers, lung: LungEnds, [x, y, z]: Vec3, centreZ: number, ahead: 1 | -1): string {
  const side = layers.anatomy.at(x, y, z);
  if (!lung) return "no lung drawn";
  const [low, high] = lung;
  const thirds = ahead > 0 ? ["lower", "mid", "upper"] : ["upper", "mid", "lower"];
  const third = thirds[Math.max(0, Math.min(2, Math.floor((3 * (centreZ + 0.5 - low)) / (high - low))))];
  return side === 1 ? `left ${third}` : side === 2 ? `right ${third}` : `no lung, ${third}`;
}

/** All other pieces of a lesion's label. */
export const othersLike = ({ component, label }: Lesion): Component[] => pieces.filter((other) => other !== component && other.label === label);

export function goToLesion(desk: Desk, index: number): void {
  const lesion = lesions.value[index];
  if (!lesion) return;
  currentLesion.value = index;
  desk.centreOn(lesion.at);
}

function step(desk: Desk, by: 1 | -1): void {
  const count = lesions.value.length;
  if (!count) return void (state.notice.value = "This mask holds no lesion.");
  const from = currentLesion.value;
  goToLesion(desk, from < 0 ? (by > 0 ? 0 : count - 1) : (from + by + count) % count);
}

onKey("next_lesion", (desk) => step(desk, 1));
onKey("previous_lesion", (desk) => step(desk, -1));
