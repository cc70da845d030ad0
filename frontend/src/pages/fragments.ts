/**
 * Parts of a page that are read anew when something happens: an element with an id, data-live (the topic), data-from (where
 * its HTML is) and, where only some kinds of events matter, data-live-kinds (the first word of them). It is replaced where
 * it stands, so that nothing else on the page moves; what happens within data-live-every milliseconds is read at once.
 */
import { listen } from "../api/push";

const GATHER_MS = 800;

export function isWanted(kinds: string | undefined, kind: string): boolean {
  return !kinds || kinds.split(" ").includes(kind.split(".")[0]);
}

async function readAnew(id: string): Promise<void> {
  const old = document.getElementById(id);
  // Whoever is choosing something in it keeps it as it is.
  if (!old?.dataset.from || (old.contains(document.activeElement) && old !== document.activeElement)) return;
  const answer = await fetch(old.dataset.from, { credentials: "same-origin" });
  if (!answer.ok || answer.redirected) return;
  const parsed = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(id);
  if (parsed) document.getElementById(id)?.replaceWith(document.importNode(parsed, true));
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
