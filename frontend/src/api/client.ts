/** Typed calls to the server. A signed-out session is its own error, so that nothing is lost over it. */
import type { Outcome, Part, StrokesAnswer } from "../edits/queue";
import type { Attesting, Branch, Difference, HistoryVersion, LeaseAnswer, LedgerRows, MaskHistory, MaskPlace, Provenance, Reading, ScanBeside, SeenRow, StoredStroke } from "./types";

export class SignedOut extends Error {}

/** A request that hangs (a network that went while it was under way) is as good as lost: strokes are sent again. */
const PATIENCE_MS = 60_000;

/**
 * The token that the server wants back. The cookie knows it best: signing in anew, perhaps in another tab, changes it.
 */
function tokenNow(before: string): string {
  return /(?:^|;\s*)csrftoken=([^;]+)/.exec(typeof document === "undefined" ? "" : document.cookie)?.[1] ?? before;
}

/** The server's answer to something it will not do, with its sentence for people. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    sentence: string,
    readonly body: Record<string, unknown> = {},
  ) {
    super(sentence);
  }
}

export class Api {
  constructor(
    private readonly reading: string,
    private token: string,
  ) {}

  private get csrf(): string {
    return tokenNow(this.token);
  }

  private get base(): string {
    return `/api/readings/${this.reading}`;
  }

  private async ask(path: string, body?: unknown): Promise<Response> {
    const init: RequestInit = { credentials: "same-origin", headers: { Accept: "application/json" }, signal: AbortSignal.timeout(PATIENCE_MS) };
    if (body !== undefined) {
      init.method = "POST";
      init.body = JSON.stringify(body);
      init.headers = { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": this.csrf };
    }
    const answer = await fetch(path, init);
    if (answer.ok) return answer;
    const said = (await answer.json().catch(() => ({}))) as Record<string, unknown>;
    if (answer.status === 401) throw new SignedOut();
    const sentence = String(said.sentence ?? said.detail ?? `The server answered ${answer.status}.`);
    throw new Refused(answer.status, String(said.error ?? ""), sentence, said);
  }

  async describe(): Promise<Reading> {
    return (await this.ask(`${this.base}/`)).json();
  }

  async mask(): Promise<Uint8Array> {
    return new Uint8Array(await (await this.ask(`${this.base}/mask/`)).arrayBuffer());
  }

  /** The log after one stroke, to its end or to another. */
  async strokesAfter(sequence: number, until?: number): Promise<StoredStroke[]> {
    const found: StoredStroke[] = [];
    for (let after = sequence; ; after = found[found.length - 1].stroke_sequence) {
      const range = `after=${after}${until === undefined ? "" : `&until=${until}`}`;
      const said = await this.json<{ strokes: StoredStroke[]; more?: boolean }>(`strokes/?${range}`);
      found.push(...said.strokes);
      if (!said.more) return found;
    }
  }

  /** For the save queue: every way this can end, in its words. */
  async sendStrokes(strokes: Record<string, unknown>[]): Promise<Outcome> {
    try {
      const answer = (await (await this.ask(`${this.base}/strokes/`, { strokes })).json()) as StrokesAnswer;
      return { kind: "ok", answer };
    } catch (error) {
      return outcomeOf(error);
    }
  }

  /** The payload of a stroke that will be sent by its hash. */
  async sendPart(part: Part): Promise<"ok" | Outcome> {
    try {
      await this.ask(`${this.base}/strokes/parts/`, part);
      return "ok";
    } catch (error) {
      return outcomeOf(error);
    }
  }

  async lease(tab: string, takeOver: boolean): Promise<LeaseAnswer> {
    try {
      const said = await (await this.ask(`${this.base}/lease/`, { tab, take_over: takeOver })).json();
      return { held: false, epoch: said.epoch, expires_in_s: said.expires_in_s };
    } catch (error) {
      if (!(error instanceof Refused) || error.code !== "held") throw error;
      const { holder_name, since } = error.body as { holder_name: string; since: string };
      return { held: true, sentence: error.message, holder_name, since };
    }
  }

  /** Hands the lease over: whoever waits for it is told. */
  async handOver(tab: string): Promise<void> {
    await this.ask(`${this.base}/lease/release/`, { tab });
  }

  /** On the way out of the page: keepalive, no answer awaited. */
  releaseLease(tab: string): void {
    this.onTheWayOut("lease/release/", { tab });
  }

  private onTheWayOut(path: string, body: unknown): void {
    void fetch(`${this.base}/${path}`, {
      method: "POST",
      keepalive: true,
      credentials: "same-origin",
      headers: { "Content-Type": "application/json", "X-CSRFToken": this.csrf },
      body: JSON.stringify(body),
    }).catch(() => undefined);
  }

  async sign(password: string, strokeSequence: number, statement: string, acknowledged: readonly string[]): Promise<void> {
    await this.ask(`${this.base}/sign/`, { password, stroke_sequence: strokeSequence, statement, acknowledged });
  }

  /** Hands the reading on to the next stage. */
  async submit(strokeSequence: number): Promise<void> {
    await this.ask(`${this.base}/submit/`, { stroke_sequence: strokeSequence });
  }

  /** Sends what the reading began from back to whoever submitted it. */
  async sendBack(reason: string, strokeSequence: number): Promise<void> {
    await this.ask(`${this.base}/return/`, { reason, stroke_sequence: strokeSequence });
  }

  /** Begins an amendment of a signed reading; answers with where it is. */
  async amend(reason: string): Promise<string> {
    return (await this.json<{ url: string }>("amend/", { reason })).url;
  }

  /** What a signature would attest as the server has it. */
  attesting(): Promise<Attesting> {
    return this.json("attesting/");
  }

  recordLedger(rows: LedgerRows): Promise<unknown> {
    return this.json("ledger/", rows);
  }

  /** On the way out of the page. */
  leaveLedger(rows: LedgerRows): void {
    this.onTheWayOut("ledger/", rows);
  }

  async signIn(username: string, password: string): Promise<void> {
    const said = await (await this.ask("/api/sign-in/", { username, password })).json();
    if (said.csrf) this.token = String(said.csrf);
  }

  /** Goes where a form posted to `url` leads: to begin the next reading, say. */
  leaveByPost(url: string): void {
    const form = Object.assign(document.createElement("form"), { method: "post", action: url, hidden: true });
    form.append(Object.assign(document.createElement("input"), { name: "csrfmiddlewaretoken", value: this.csrf }));
    document.body.append(form);
    form.submit();
  }

  /** Another address of this API, answered as JSON; with a body it is a POST. */
  async at<T>(address: string, body?: unknown): Promise<T> {
    return (await this.ask(address, body)).json() as Promise<T>;
  }

  private async json<T>(path: string, body?: unknown): Promise<T> {
    return (await this.ask(`${this.base}/${path}`, body)).json() as Promise<T>;
  }

  private async bytes(path: string): Promise<Uint8Array> {
    return new Uint8Array(await (await this.ask(`${this.base}/${path}`)).arrayBuffer());
  }

  guideline(): Promise<{ version: number | string; html: string }> {
    return this.json("guideline/");
  }

  /** Slices that were on the screen; the answer is every slice seen in this reading. */
  async recordSeen(seen: readonly SeenRow[]): Promise<number[]> {
    return (await this.json<{ seen: number[] }>("ledger/", { seen })).seen;
  }

  /** `leaving`: on the way out of the page, no answer awaited. */
  async savePreferences(tree: Record<string, unknown>, leaving: boolean): Promise<void> {
    const answer = await fetch("/api/preferences/viewer/", {
      method: "PUT",
      keepalive: leaving,
      credentials: "same-origin",
      headers: { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": this.csrf },
      body: JSON.stringify(tree),
    });
    if (!answer.ok) throw new Refused(answer.status, "", "The preferences were not kept.");
  }

  history(): Promise<MaskHistory> {
    return this.json("history/");
  }

  /** Applied strokes of one mask of the lineage; the server gives as many as it likes at once. */
  async chapterStrokes(mask: string, after: number, limit: number): Promise<StoredStroke[]> {
    return (await this.json<{ strokes: StoredStroke[] }>(`chapters/${mask}/strokes/?after=${after}&limit=${limit}`)).strokes;
  }

  /** A past or other state as GGM1: "head", "stroke:12", "version:<uuid>", "reading:<uuid>". */
  stateMask(state: string): Promise<Uint8Array> {
    return this.bytes(`states/${encodeURIComponent(state)}/mask/`);
  }

  /** Another scan of the same patient, by its case. */
  compareScan(caseId: string): Promise<ScanBeside> {
    return this.json(`scans/${caseId}/`);
  }

  /** The mask of such a scan as GGM1, at the address that came with it. */
  async maskAt(url: string): Promise<Uint8Array> {
    return new Uint8Array(await (await this.ask(url)).arrayBuffer());
  }

  difference(a: string, b: string): Promise<Difference> {
    return this.json(`difference/?a=${encodeURIComponent(a)}&b=${encodeURIComponent(b)}`);
  }

  provenanceAt(layer: string, [i, j, k]: readonly [number, number, number]): Promise<Provenance> {
    return this.json(`provenance/?layer=${layer}&i=${i}&j=${j}&k=${k}`);
  }

  /** GGM1 of one layer; its header lists the authors. */
  provenanceMap(layer: string): Promise<Uint8Array> {
    return this.bytes(`provenance/map/?layer=${layer}`);
  }

  restore(state: string, tab: string, epoch: number): Promise<{ version: HistoryVersion; mask: MaskPlace }> {
    return this.json("restore/", { state, tab, epoch });
  }

  async branches(): Promise<Branch[]> {
    return (await this.json<{ branches: Branch[] }>("branches/")).branches;
  }

  settleBranch(branch: Branch, decision: "merged" | "set_aside", strokes: readonly string[]): Promise<unknown> {
    const up_to = branch.strokes[branch.strokes.length - 1].stroke_sequence;
    return this.json("branches/settle/", { tab: branch.tab, epoch: branch.epoch, up_to, decision, strokes });
  }

  askForLease(tab: string): Promise<unknown> {
    return this.json("lease/ask/", { tab });
  }
}

/** How sending strokes failed. What another try may mend is "offline": so is a token that changed under us. */
export function outcomeOf(error: unknown): Outcome {
  if (error instanceof SignedOut) return { kind: "signed_out" };
  if (!(error instanceof Refused)) return { kind: "offline" };
  const { status, code, message, body } = error;
  if (status === 413) return { kind: "too_large", sentence: "This stroke is larger than the server, or one before it, lets through." };
  if (status === 403 && !code) return { kind: "signed_out" };
  if (code === "parts_missing" && Array.isArray(body.parts)) return { kind: "parts", hashes: body.parts.map(String) };
  const passing = status >= 500 || status === 408 || status === 425 || status === 429 || code === "csrf";
  if (passing) return { kind: "offline" };
  return { kind: "refused", sentence: message, ...(typeof body.stroke === "string" ? { stroke: body.stroke } : {}) };
}
