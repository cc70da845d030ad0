/**
 * Parts of a page that are read anew when something happens: an element with an id, data-live (the topic), data-from (where
 * its HTML is) and, where only some kinds of events matter, data-live-kinds (the first word of them). It is replaced where
 * it stands, so that nothing else on the page moves; what happens within data-live-every milliseconds is read at once. With
 * data-parts only those of its own elements with an id are replaced that read otherwise by then.
 */
import { listen } from "../api/push";

const GATHER_MS = 800;

export function isWanted(kinds: string | undefined, kind: string): boolean {
  return !kinds || kinds.split(" ").includes(kind.split(".")[0]);
}

export interface Part {
  id: string;
  outerHTML: string;
}

/** Which parts read otherwise than before, by their place; null where they are not the same parts in the same order. */
export function changedParts(before: readonly Part[], after: readonly Part[]): number[] | null {
  if (before.length !== after.length || before.some((part, place) => part.id !== after[place]!.id)) return null;
  return before.flatMap((part, place) => (part.outerHTML === after[place]!.outerHTML ? [] : [place]));
}

function replaceParts(old: HTMLElement, fresh: HTMLElement): boolean {
  const before = [...old.querySelectorAll("[id]")];
  const after = [...fresh.querySelectorAll("[id]")];
  const changed = changedParts(before, after);
  // A part in which somebody is choosing something stays as it is.
  changed
    ?.filter((place) => !before[place]!.contains(document.activeElement))
    .forEach((place) => before[place]!.replaceWith(document.importNode(after[place]!, true)));
  return changed !== null;
}

async function readAnew(id: string): Promise<void> {
  const old = document.getElementById(id);
  if (!old?.dataset.from) return;
  const byParts = old.dataset.parts !== undefined;
  // Whoever is choosing something in it keeps it as it is.
  const isBusy = (): boolean => old.contains(document.activeElement) && old !== document.activeElement;
  if (!byParts && isBusy()) return;
  const answer = await fetch(old.dataset.from, { credentials: "same-origin" });
  if (!answer.ok || answer.redirected) return;
  const parsed = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(id);
  if (!parsed || (byParts && (replaceParts(old, parsed) || isBusy()))) return;
  document.getElementById(id)?.replaceWith(document.importNode(parsed, true));
}

export function keepFragmentsFresh(): void {
  const elements = [...document.querySelectorAll<HTMLElement>("[data-live][id]")];
  if (!elements.length) return;
  const timers = new Map<string, ReturnType<typeof setTimeout>>();
  const read = (id: string): void => {
    if (timers.has(id)) return;
    const wait = Number(document.getElementById(id)?.dataset.liveEvery) || GATHER_MS;
    const again = (): void => {
      timers.delete(id);
      void readAnew(id).catch(() => undefined);
    };
    timers.set(id, setTimeout(again, wait));
  };
  const watched = elements.map(({ id, dataset }) => ({ id, topic: dataset.live!, kinds: dataset.liveKinds }));
  listen(
    [...new Set(watched.map(({ topic }) => topic))],
    (message) => watched.filter((one) => one.topic === message.topic && isWanted(one.kinds, message.kind)).forEach(({ id }) => read(id)),
    () => watched.forEach(({ id }) => read(id)),
  );
}
