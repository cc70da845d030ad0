/**
 * Keys of the server-rendered pages: up and down choose a line of the worklist ([data-worklist] tr[data-href]), Enter
 * opens it; elsewhere Enter presses the page's main button ([data-key~="Enter"]), and n begins the next case ([data-key~="n"]). A click on a line opens it too. A slash
 * goes to the page's search ([data-key="/"]).
 */
const OWN_KEYS = "input, select, textarea, button, summary, [contenteditable]";

export function attachKeys(): void {
  const rows = [...document.querySelectorAll<HTMLElement>("[data-worklist] tr[data-href]")];
  rows.forEach((row) => row.addEventListener("click", (event) => clicked(row, event)));
  document.addEventListener("keydown", (event) => pressed(rows, event));
}

function pressed(rows: HTMLElement[], event: KeyboardEvent): void {
  if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const target = event.target instanceof HTMLElement ? event.target : document.body;
  if (target.closest(OWN_KEYS)) return;
  const current = rows.findIndex((row) => row.contains(target));
  if ((event.key === "ArrowDown" || event.key === "ArrowUp") && rows.length) {
    const step = event.key === "ArrowDown" ? 1 : -1;
    const next = current < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(Math.max(current + step, 0), rows.length - 1);
    rows[next].focus();
    rows[next].scrollIntoView({ block: "nearest" });
    event.preventDefault();
  } else if (event.key === "Enter" && !target.closest("a")) {
    if (current >= 0) location.assign(rows[current].dataset.href!);
    else document.querySelector<HTMLElement>('[data-key~="Enter"]')?.click();
    event.preventDefault();
  } else if (event.key === "n") {
    const begin = document.querySelector<HTMLElement>('[data-key~="n"]');
    if (!begin) return;
    begin.click();
    event.preventDefault();
  } else if (event.key === "/") {
    const search = document.querySelector<HTMLInputElement>('[data-key="/"]');
    if (!search) return;
    search.focus();
    search.select();
    event.preventDefault();
  }
}

function clicked(row: HTMLElement, event: MouseEvent): void {
  const target = event.target instanceof HTMLElement ? event.target : row;
  // Somebody may be marking a pseudonym to copy it.
  if (target.closest("a, button") || getSelection()?.toString()) return;
  location.assign(row.dataset.href!);
}
