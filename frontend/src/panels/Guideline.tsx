/** The campaign's guideline beside the picture; its own pictures open large on a click. */
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Desk } from "../reading/desk";
import * as state from "../state";

const page = signal<{ version: number | string; html: string } | null>(null);
const wrong = signal("");
const enlarged = signal<{ src: string; alt: string } | null>(null);

export function Guideline({ desk }: { desk: Desk }) {
  const has = state.reading.value?.guideline;
  useEffect(() => {
    if (!has || page.value?.version === has.version) return;
    wrong.value = "";
    desk.session.api.guideline().then(
      (found) => (page.value = found),
      (error: Error) => (wrong.value = error.message || "The guideline was not loaded."),
    );
  }, [has?.version]);
  const open = (event: MouseEvent): void => {
    const picture = (event.target as HTMLElement).closest("img");
    if (!picture) return;
    event.preventDefault();
    enlarged.value = { src: picture.src, alt: picture.alt };
  };
  // Pictures are for the keyboard too.
  const prepare = (element: HTMLElement | null): void =>
    element?.querySelectorAll("img").forEach((picture) => {
      picture.tabIndex = 0;
      picture.setAttribute("role", "button");
      picture.setAttribute("aria-label", `${picture.alt || "Picture"}: open large`);
    });
  const key = (event: KeyboardEvent): void => {
    const picture = event.target as HTMLElement;
    if (event.key !== "Enter" || !(picture instanceof HTMLImageElement)) return;
    event.stopPropagation();
    enlarged.value = { src: picture.src, alt: picture.alt };
  };
  if (!has) {
    return (
      <section class="guideline" aria-label="Guideline">
        <h2>Guideline</h2>
        <p class="dim">This campaign has no guideline yet. Its coordinator writes it on the page of the campaign; then it opens here, beside the picture.</p>
      </section>
    );
  }
  return (
    <section class="guideline" aria-label="Guideline">
      <div class="side-heading">
        <h2>Guideline</h2>
        <span class="dim">version {has.version}</span>
      </div>
      {wrong.value && <p class="caution">{wrong.value}</p>}
      {!page.value && !wrong.value && <p class="dim">Loading</p>}
      {page.value && (
        // The server lets through text and its own pictures, and nothing that runs.
        <div class="guideline-text" ref={prepare} onClick={open} onKeyDown={key} dangerouslySetInnerHTML={{ __html: page.value.html }} />
      )}
      {enlarged.value && <Picture />}
    </section>
  );
}

function Picture() {
  const dialog = useRef<HTMLDialogElement>(null);
  const { src, alt } = enlarged.value!;
  useEffect(() => dialog.current!.showModal(), []);
  const close = (): void => void (enlarged.value = null);
  return (
    <dialog class="sheet picture-sheet" ref={dialog} aria-label={alt || "Picture"} onCancel={close} onKeyDown={(event) => event.stopPropagation()}>
      <img src={src} alt={alt} onClick={close} />
      <p class="sheet-actions">
        <span class="dim">{alt}</span>
        <button class="go" autofocus onClick={close}>
          Close
        </button>
      </p>
    </dialog>
  );
}
