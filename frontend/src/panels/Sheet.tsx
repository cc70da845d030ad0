/** A dialog over the viewer: the only thing that may cover the picture, and only when it was asked for. */
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import * as state from "../state";

export const close = (): void => void (state.dialog.value = "none");

export function Sheet({ title, children, closable = true, wide = false }: { title: string; children: ComponentChildren; closable?: boolean; wide?: boolean }) {
  const dialog = useRef<HTMLDialogElement>(null);
  // With the first drawing: what is typed next belongs to the dialog.
  useLayoutEffect(() => {
    const element = dialog.current!;
    const before = document.activeElement as HTMLElement | null;
    element.showModal();
    const cancel = (event: Event): void => {
      event.preventDefault();
      if (closable) close();
    };
    element.addEventListener("cancel", cancel);
    return () => {
      element.close();
      before?.focus?.();
    };
  }, []);
  return (
    <dialog class={wide ? "sheet wide-sheet" : "sheet"} ref={dialog} aria-label={title}>
      <h1>{title}</h1>
      {children}
    </dialog>
  );
}
