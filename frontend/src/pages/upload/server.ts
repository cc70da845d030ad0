/** The upload's side of the server: open, find again, send a piece, finish, discard. */
import { markOf } from "./picking";
import type { Item, Outcome, Transport } from "./queue";

export interface Batch {
  id: string;
  code: string;
  campaign: string;
  site: string;
  data_set: string;
  single_pictures: boolean;
  files: number;
  piece_bytes: number;
  known_url: string;
  files_url: string;
  finish_url: string;
  discard_url: string;
  url: string;
}

/** What a sender says of an upload beside its campaign. */
export interface Particulars {
  site: string;
  data_set: string;
  licence: string;
  citation: string;
  single_pictures: boolean;
}

/** An answer that says no; `status` 0 where no answer came. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    sentence: string,
    readonly code = "",
  ) {
    super(sentence);
  }
}

const ASKED_AT_ONCE = 2000;
const LOST = "The connection to the server is lost.";

interface Said {
  sentence?: string;
  error?: string;
  received?: number;
  whole?: boolean;
}

export class Server implements Transport {
  private batch: Batch | undefined;

  constructor(private readonly fallbackToken: string) {}

  /** Another tab may have signed in since this page was made: the cookie has the token of now. */
  private get token(): string {
    const cookie = /(?:^|;\s*)csrftoken=([^;]+)/.exec(document.cookie);
    return cookie ? decodeURIComponent(cookie[1]) : this.fallbackToken;
  }

  /** The batch that pieces go to. */
  use(batch: Batch): void {
    this.batch = batch;
  }

  async ask<T>(url: string, body?: unknown): Promise<T> {
    const init: RequestInit = { credentials: "same-origin", headers: { Accept: "application/json" } };
    if (body !== undefined) {
      init.method = "POST";
      init.headers = { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": this.token };
      init.body = JSON.stringify(body);
    }
    let answer: Response;
    try {
      answer = await fetch(url, init);
    } catch {
      throw new Refused(0, LOST);
    }
    if (answer.ok) return (await answer.json()) as T;
    const said = (await answer.json().catch(() => ({}))) as Said;
    throw new Refused(answer.status, said.sentence ?? `The server answered ${answer.status}.`, said.error);
  }

  async signIn(username: string, password: string): Promise<void> {
    await this.ask("/api/sign-in/", { username, password });
  }

  /** How many bytes of each item an earlier upload has; items get that as their own when it is taken up. */
  async receivedOf(batch: Batch, items: Item[]): Promise<number[]> {
    const all: number[] = [];
    for (let at = 0; at < items.length; at += ASKED_AT_ONCE) {
      const files = items.slice(at, at + ASKED_AT_ONCE).map(({ path, size, mark }) => ({ path, size, mark }));
      all.push(...(await this.ask<{ received: number[] }>(batch.known_url, { files })).received);
    }
    return all;
  }

  mark(item: Item): Promise<string> {
    return markOf(item.file);
  }

  piece(item: Item, content: Blob, moved: (bytes: number) => void, signal: AbortSignal): Promise<Outcome> {
    const headers = {
      "Content-Type": "application/octet-stream",
      "X-File-Name": encodeURIComponent(item.path),
      "X-File-Size": String(item.size),
      "X-File-Mark": item.mark,
      "X-Offset": String(item.received),
    };
    return this.post(content, headers, moved, signal);
  }

  bundle(items: Item[], moved: (bytes: number) => void, signal: AbortSignal): Promise<Outcome> {
    const parts: BlobPart[] = [];
    for (const { path, size, mark, file } of items) {
      const said = new TextEncoder().encode(JSON.stringify({ path, size, mark }));
      const length = new Uint8Array(4);
      new DataView(length.buffer).setUint32(0, said.length, true);
      parts.push(length, said, file);
    }
    return this.post(new Blob(parts), { "Content-Type": "application/x-groundglass-files" }, moved, signal);
  }

  private post(
    body: Blob,
    headers: Record<string, string>,
    moved: (bytes: number) => void,
    signal: AbortSignal,
  ): Promise<Outcome> {
    return new Promise((done) => {
      if (signal.aborted || !this.batch) return done({ kind: "stopped" });
      // fetch tells nothing of how much of a body is sent.
      const request = new XMLHttpRequest();
      request.open("POST", this.batch.files_url);
      const all = { Accept: "application/json", "X-CSRFToken": this.token, ...headers };
      for (const [name, value] of Object.entries(all)) request.setRequestHeader(name, value);
      request.timeout = 120_000;
      request.upload.onprogress = (event) => moved(event.loaded);
      request.onload = () => done(outcomeOf(request.status, request.responseText));
      request.onerror = request.ontimeout = () => done({ kind: "later", sentence: LOST });
      request.onabort = () => done({ kind: "stopped" });
      signal.addEventListener("abort", () => request.abort(), { once: true });
      request.send(body);
    });
  }
}

/** What an answer to a piece means. */
export function outcomeOf(status: number, text: string): Outcome {
  let said: Said | null = null;
  try {
    said = JSON.parse(text) as Said;
  } catch {
    // Django's own pages, a proxy's page: only the status speaks.
  }
  const sentence = said?.sentence ?? `The server answered ${status}.`;
  if (status === 201) return { kind: "taken", received: said?.received ?? 0, whole: said?.whole ?? false };
  if (status === 409 && said?.error === "offset") return { kind: "elsewhere", received: said.received ?? 0 };
  // A page instead of JSON with 403: the token is of a session that has ended.
  if (status === 401 || (status === 403 && !said)) return { kind: "signed_out" };
  if (status === 413 && said?.error === "too_large") return { kind: "refused", sentence };
  if (status === 400) return { kind: "refused", sentence };
  if (status >= 500 || status === 429 || status === 408) {
    return { kind: "later", sentence: said?.sentence ?? "The server does not answer as it should." };
  }
  return { kind: "over", sentence };
}
