/** Threads of comments of this case: what the server holds, which one is open, where the pins are, what is being written. */
import { computed, effect, signal } from "@preact/signals";
import { Refused, SignedOut } from "../api/client";
import { listen } from "../api/push";
import type { CommentThread, CommentsAnswer } from "../api/types";
import type { Grid, PlaneName, Vec3 } from "../geometry/grid";
import { panelFolded } from "../layout";
import { remember, yesOrNo } from "../preferences";
import * as state from "../state";
import type { ShownPin } from "../viewer/planeview";
import { onKey } from "./acts";
import type { Desk } from "./desk";

/** Several changes at once are read once. */
const TOGETHER_MS = 150;

export const comments = signal<CommentsAnswer | null>(null);
/** Why they could not be read, if they could not. */
export const commentsTrouble = signal<string | null>(null);
export const chosenThread = signal<string | null>(null);
export const pinsShown = signal(true);
remember("panels.pins", pinsShown, { valid: yesOrNo });
/** A comment in the making: where it will be pinned; null voxel: to the whole case. */
export const composing = signal<{ voxel: Vec3 | null; spot: Vec3 } | null>(null);

export interface Numbered {
  thread: CommentThread;
  /** As on its pin: the first thread of the case is 1. */
  number: number;
}

const numbered = computed<Numbered[]>(() => (comments.value?.threads ?? []).map((thread, n) => ({ thread, number: n + 1 })));
/** Open ones first, each in the order in which they were begun. */
export const listed = computed(() => [...numbered.value.filter(({ thread }) => !thread.resolved), ...numbered.value.filter(({ thread }) => thread.resolved)]);
export const openCount = computed(() => numbered.value.filter(({ thread }) => !thread.resolved).length);

/** Pins by plane and slice: a plane that is drawn looks its own up and no other. */
const pins = computed(() => {
  const found = new Map<string, ShownPin[]>();
  const add = (voxel: Vec3, text: string, chosen: boolean): void => {
    for (const [plane, across] of [["axial", 2], ["coronal", 1], ["sagittal", 0]] as const) {
      const key = `${plane} ${voxel[across]}`;
      found.set(key, [...(found.get(key) ?? []), { voxel, text, chosen }]);
    }
  };
  if (pinsShown.value)
    for (const { thread, number } of numbered.value) {
      const chosen = thread.id === chosenThread.value;
      if (thread.voxel && (chosen || !thread.resolved)) add(thread.voxel, String(number), chosen);
    }
  if (composing.value?.voxel) add(composing.value.voxel, "+", true);
  return found;
});

const NONE: readonly ShownPin[] = [];

/** What lies on a slice of a plane. `across` of the grid's plane says which coordinate its slices count. */
export function pinsOn(grid: Grid, plane: PlaneName, slice: number): readonly ShownPin[] {
  const name = (["sagittal", "coronal", "axial"] as const)[grid.planes[plane].across];
  return pins.value.get(`${name} ${slice}`) ?? NONE;
}

let timer: ReturnType<typeof setTimeout> | undefined;

export async function loadComments(desk: Desk): Promise<void> {
  try {
    comments.value = await desk.session.api.at<CommentsAnswer>(`${base(desk.session.id)}`);
    commentsTrouble.value = null;
  } catch (error) {
    if (error instanceof SignedOut) return;
    commentsTrouble.value = error instanceof Refused ? error.message : "The comments could not be read: the server did not answer.";
  }
}

const base = (reading: string): string => `/api/readings/${reading}/comments/`;

/** Sends, and takes the answer into what is shown; the sentence of what went wrong, or null. */
async function send(desk: Desk, address: string, body: unknown): Promise<string | null> {
  try {
    const thread = await desk.session.api.at<CommentThread>(address, body);
    const known = comments.value?.threads ?? [];
    const threads = known.some(({ id }) => id === thread.id) ? known.map((one) => (one.id === thread.id ? thread : one)) : [...known, thread];
    if (comments.value) comments.value = { ...comments.value, threads };
    chosenThread.value = thread.id;
    return null;
  } catch (error) {
    if (error instanceof SignedOut) {
      state.dialog.value = "signin";
      return "You are signed out. What you wrote is still here.";
    }
    return error instanceof Refused ? error.message : "Not sent: the server did not answer. What you wrote is still here.";
  }
}

export const addThread = (desk: Desk, text: string, voxel: Vec3 | null): Promise<string | null> => send(desk, base(desk.session.id), { text, voxel });
const at = ({ reading, id }: CommentThread): string => `${base(reading)}${id}/`;
export const answer = (desk: Desk, thread: CommentThread, text: string): Promise<string | null> => send(desk, at(thread), { text });
export const setResolved = (desk: Desk, thread: CommentThread, resolved: boolean): Promise<string | null> => send(desk, at(thread), { resolved });
export const edit = (desk: Desk, thread: CommentThread, comment: string, text: string): Promise<string | null> => send(desk, `${at(thread)}${comment}/`, { text });
export const withdraw = (desk: Desk, thread: CommentThread, comment: string): Promise<string | null> => send(desk, `${at(thread)}${comment}/`, { withdrawn: true });

/** Opens a thread and goes to its voxel on all planes; once more: closes it. */
export function choose(desk: Desk, thread: CommentThread): void {
  chosenThread.value = thread.id;
  if (thread.voxel) desk.centreOn(thread.voxel);
}

export function openComments(): void {
  state.section.value = "comments";
  panelFolded.value = false;
}

/** Writes begin here: pinned to what is under the pointer, else to where the planes cross. */
function compose(): void {
  const said = comments.value;
  if (said && !said.may_comment) return void (state.notice.value = said.comment_refusal);
  const { axial, coronal, sagittal } = state.slices.value;
  const spot = state.pointer.value?.voxel ?? ([sagittal, coronal, axial] as Vec3);
  composing.value = { voxel: spot, spot };
  openComments();
}

onKey("comment", compose);
onKey("comments", () => {
  const shown = state.section.value === "comments" && !panelFolded.value;
  if (shown) state.section.value = "labels";
  else openComments();
});

function watchPush(desk: Desk): void {
  let heard = "";
  let stop: () => void = () => undefined;
  const again = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => void loadComments(desk), TOGETHER_MS);
  };
  effect(() => {
    const you = state.reading.value?.you?.id;
    const topics = [...new Set([desk.session.id, ...(comments.value?.readings ?? [])])].map((id) => `reading:${id}`);
    if (you) topics.push(`person:${you}`);
    if (topics.join() === heard) return;
    heard = topics.join();
    stop();
    stop = listen(topics, (message) => message.kind === "comments.changed" && again(), again);
  });
}

/** The thread that the address names: a notice of a mention leads here. */
function openNamed(desk: Desk): void {
  const id = /^#comment-([0-9a-f-]{36})$/.exec(location.hash)?.[1];
  const thread = comments.value?.threads.find((one) => one.id === id);
  if (!thread) return;
  openComments();
  chosenThread.value = thread.id;
  const stop = effect(() => {
    if (!state.loadedSlices.value) return;
    queueMicrotask(() => {
      stop();
      choose(desk, thread);
    });
  });
}

export function watchComments(desk: Desk): void {
  const stop = effect(() => {
    if (!state.reading.value) return;
    queueMicrotask(() => {
      stop();
      void loadComments(desk).then(() => {
        openNamed(desk);
        watchPush(desk);
      });
      addEventListener("hashchange", () => openNamed(desk));
      addEventListener("online", () => void loadComments(desk));
    });
  });
  // What only the pins change is drawn without a stroke's help.
  let last = pins.value;
  effect(() => {
    if (pins.value === last) return;
    last = pins.value;
    desk.restyle();
  });
}
