/**
 * The drop zone of the intake page: [data-upload] with data-create-url and data-csrf. Files go up one request each,
 * three at a time, under their path in the dropped folder; then the batch is finished and its page opened.
 */
interface Batch {
  id: string;
  files_url: string;
  finish_url: string;
  url: string;
}

interface Picked {
  path: string;
  file: File;
}

const AT_A_TIME = 3;
const TRIES = 4;

async function post(url: string, csrf: string, body: BodyInit | null, headers: Record<string, string> = {}): Promise<Response> {
  const answer = await fetch(url, { method: "POST", credentials: "same-origin", body, headers: { Accept: "application/json", "X-CSRFToken": csrf, ...headers } });
  if (answer.ok) return answer;
  const said = (await answer.json().catch(() => ({}))) as { sentence?: string };
  const error = new Error(said.sentence ?? `The server answered ${answer.status}.`);
  throw Object.assign(error, { final: answer.status < 500 && answer.status !== 429 });
}

async function sendFile(batch: Batch, csrf: string, { path, file }: Picked): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await post(batch.files_url, csrf, file, { "X-File-Name": encodeURIComponent(path), "Content-Type": "application/octet-stream" });
      return;
    } catch (error) {
      if ((error as { final?: boolean }).final || attempt === TRIES) throw error;
      await new Promise((wait) => setTimeout(wait, 500 * 2 ** attempt));
    }
  }
}

async function readEntry(entry: FileSystemEntry, prefix: string): Promise<Picked[]> {
  if (entry.isFile) {
    const file = await new Promise<File>((done, failed) => (entry as FileSystemFileEntry).file(done, failed));
    return [{ path: prefix + file.name, file }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: Picked[] = [];
  for (;;) {
    const part = await new Promise<FileSystemEntry[]>((done, failed) => reader.readEntries(done, failed));
    if (!part.length) return found;
    for (const child of part) found.push(...(await readEntry(child, `${prefix}${entry.name}/`)));
  }
}

async function dropped(data: DataTransfer): Promise<Picked[]> {
  const entries = [...data.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  if (!entries.length) return chosen(data.files);
  return (await Promise.all(entries.map((entry) => readEntry(entry, "")))).flat();
}

const chosen = (files: FileList): Picked[] => [...files].map((file) => ({ path: file.webkitRelativePath || file.name, file }));

class DropZone {
  private readonly bar: HTMLProgressElement;
  private readonly words: HTMLElement;
  private busy = false;

  constructor(private readonly zone: HTMLElement) {
    this.bar = zone.querySelector("progress") ?? zone.appendChild(document.createElement("progress"));
    this.bar.hidden = true;
    this.words = zone.querySelector("[data-text]") ?? zone.appendChild(document.createElement("p"));
    this.words.setAttribute("aria-live", "polite");
    zone.querySelectorAll<HTMLInputElement>("input[type=file]").forEach((input) =>
      input.addEventListener("change", () => input.files?.length && void this.send(Promise.resolve(chosen(input.files)))),
    );
    zone.addEventListener("dragover", (event) => {
      event.preventDefault();
      zone.classList.add("over");
    });
    zone.addEventListener("dragleave", () => zone.classList.remove("over"));
    zone.addEventListener("drop", (event) => {
      event.preventDefault();
      zone.classList.remove("over");
      if (event.dataTransfer) void this.send(dropped(event.dataTransfer));
    });
    zone.querySelectorAll("form").forEach((form) => form.addEventListener("submit", (event) => event.preventDefault()));
  }

  private async send(picking: Promise<Picked[]>): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    const warn = (event: BeforeUnloadEvent): void => event.preventDefault();
    addEventListener("beforeunload", warn);
    try {
      const files = await picking;
      if (!files.length) throw new Error("There was no file in what you dropped.");
      const batch = await this.upload(files);
      removeEventListener("beforeunload", warn);
      location.href = batch.url;
    } catch (error) {
      removeEventListener("beforeunload", warn);
      this.busy = false;
      this.zone.classList.add("failed");
      this.words.textContent = `Not uploaded: ${(error as Error).message} You can try again.`;
    }
  }

  private async upload(files: Picked[]): Promise<Batch> {
    const { createUrl = "", csrf = "", campaign } = this.zone.dataset;
    const body = new URLSearchParams();
    const select = this.zone.closest("form, section, main")?.querySelector<HTMLSelectElement>("select[name=campaign]");
    const into = select?.value || campaign;
    if (into) body.set("campaign", into);
    const batch = (await (await post(createUrl, csrf, body)).json()) as Batch;
    const total = files.reduce((sum, { file }) => sum + file.size, 0) || 1;
    let sent = 0;
    let count = 0;
    this.bar.hidden = false;
    this.bar.max = total;
    const waiting = [...files];
    const lane = async (): Promise<void> => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        await sendFile(batch, csrf, next);
        sent += next.file.size;
        this.bar.value = sent;
        this.words.textContent = `${++count} of ${files.length} files, ${(sent / 1e6).toFixed(0)} of ${(total / 1e6).toFixed(0)} MB`;
      }
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, lane));
    this.words.textContent = "Checking what came in.";
    await post(batch.finish_url, csrf, null);
    return batch;
  }
}

export function attachUploads(): void {
  document.querySelectorAll<HTMLElement>("[data-upload]").forEach((zone) => new DropZone(zone));
}
