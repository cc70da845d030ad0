/** Menus of the pages (details.menu): one is open at a time; Escape, or a press elsewhere, closes it. */

export function attachMenus(): void {
  const menus = [...document.querySelectorAll<HTMLDetailsElement>("details.menu")];
  if (!menus.length) return;
  const close = (but: Element | null): void => {
    for (const menu of menus) if (menu !== but) menu.open = false;
  };
  document.addEventListener("pointerdown", (event) => close(event.target instanceof Element ? event.target.closest("details.menu") : null));
  document.addEventListener("keydown", (event) => {
    const open = menus.find((menu) => menu.open);
    if (event.key !== "Escape" || !open) return;
    open.open = false;
    open.querySelector("summary")?.focus();
  });
}
