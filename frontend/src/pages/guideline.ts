/**
 * The page on which a guideline is written ([data-guideline]): what readers will see follows the text as it is typed,
 * Ctrl+S saves, and leaving with unsaved text is asked about. Without this script its buttons do the same.
 */
const REST_MS = 350;

export function attachGuideline(): void {
  const form = document.querySelector<HTMLFormElement>("form[data-guideline]");
  if (form) new Writing(form);
}

class Writing {
  private readonly text: HTMLTextAreaElement;
  private readonly preview: HTMLElement;
  private readonly state: HTMLElement;
  private dirty: boolean;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private round = 0;

  constructor(private readonly form: HTMLFormElement) {
    this.text = form.querySelector("textarea")!;
    this.preview = form.querySelector("#preview")!;
    this.state = form.querySelector("[data-state]")!;
    this.dirty = this.state.textContent !== "saved";
    this.text.addEventListener("input", () => this.typed());
    form.addEventListener("submit", () => (this.dirty = false));
    addEventListener("beforeunload", (event) => this.dirty && event.preventDefault());
    addEventListener("keydown", (event) => {
      if (event.key.toLowerCase() !== "s" || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return;
      event.preventDefault();
      form.requestSubmit(form.querySelector<HTMLButtonElement>('button[value="save"]'));
    });
  }

  private typed(): void {
    this.dirty = true;
    this.state.textContent = "not saved yet";
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.look(), REST_MS);
  }

  private async look(): Promise<void> {
    const mine = ++this.round;
    const body = new FormData(this.form);
    body.delete("picture");
    body.set("do", "preview");
    try {
      const answer = await fetch(location.href, { method: "POST", credentials: "same-origin", body });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const shown = page.getElementById("preview");
      if (mine !== this.round || !answer.ok || !shown) return;
      this.preview.replaceChildren(...shown.childNodes);
    } catch {
      // The text is what counts; the next key tries again.
    }
  }
}
