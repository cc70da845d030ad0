/** Buttons that copy what stands in another element ([data-copy="id"]); hidden where the browser has no clipboard. */
export function attachCopies(): void {
  if (!navigator.clipboard) return;
  for (const button of document.querySelectorAll<HTMLElement>("[data-copy]")) {
    const source = document.getElementById(button.dataset.copy!);
    const said = button.parentElement?.querySelector("[data-copied]");
    if (!source) continue;
    button.hidden = false;
    button.addEventListener("click", () => {
      navigator.clipboard.writeText(source.textContent ?? "").then(
        () => said && (said.textContent = "copied"),
        () => said && (said.textContent = "could not be copied: mark it and copy by hand"),
      );
    });
  }
}
