/** One reading on the screen: its mask, its strokes on their way to the server, its lease. */
import { Api, Refused, SignedOut } from "../api/client";
import { listen, type PushMessage } from "../api/push";
import type { Reading, StoredStroke } from "../api/types";
import { readHeader, type ContainerHeader } from "../edits/container";
import { Editor, type EditorEvents } from "../edits/editor";
import type { Layers } from "../edits/layers";
import { EditHistory } from "../edits/history";
import { carryOut } from "../edits/operation";
import { SaveQueue, type StrokeResult, type StrokesAnswer } from "../edits/queue";
import type { Replica } from "../edits/replica";
import { StorageFull, StrokeLog, type NotKept, type Stroke } from "../edits/strokelog";
import * as state from "../state";
import { Aside } from "./aside";
import { take } from "./hands";
import { LeaseKeeper } from "./lease";
import { MaskCopy, type MaskListener } from "./maskcopy";
import { recalled, recalling, recentStrokes } from "./recall";
import { identifyTab, livingTabs, type TabIdentity } from "./tab";
import { Turns } from "./turns";

const RETRY_MS = 5000;
const LOOK_AGAIN_MS = 30_000;
const SIGNED = "This reading is signed: it no longer changes.";

export class Session {
  editor: Editor | null = null;
  /** Null until the browser's log is open. */
  aside: Aside | null = null;
  private readonly copy: MaskCopy;
  private queue: SaveQueue | null = null;
  private log: StrokeLog | null = null;
  private identity: TabIdentity = { tab: "", sequence: 0 };
  private readonly turns = new Turns();
  private mending: Promise<void> | null = null;
  private wake: () => void = () => undefined;
  /** Strokes that the server has answered to this page: what else it keeps beside is news. */
  private readonly answered = new Set<string>();
  private readonly lease: LeaseKeeper;

  constructor(
    readonly id: string,
    readonly api: Api,
    maskChanged: MaskListener,
  ) {
    this.copy = new MaskCopy(() => this.editor?.painting ?? false, maskChanged);
    this.lease = new LeaseKeeper(api, {
      lost: (holder, since) => this.lost(holder, since),
      regained: (epoch) => this.regained(epoch),
      signedOut: () => (state.dialog.value = "signin"),
      busy: () => (this.queue?.size ?? 0) > 0 || (this.editor?.painting ?? false) || (this.editor?.working ?? false) || (this.editor?.writing ?? false),
    });
  }

  /** The name of this tab, as the lease knows it. */
  get tab(): string {
    return this.identity.tab;
  }

  get layers(): Layers | null {
    return this.copy.layers;
  }

  private get replica(): Replica | null {
    return this.copy.replica;
  }

  get mask(): MaskCopy["place"] {
    return this.copy.place;
  }

  get hu(): readonly (Int16Array | null)[] {
    return this.copy.tally.hu;
  }

  /** The two answers that the picture waits for: what is read, and where in it the mask lies. */
  async load(): Promise<{ reading: Reading; header: ContainerHeader; container: Uint8Array }> {
    const [reading, container] = await Promise.all([this.api.describe(), this.api.mask()]);
    this.describes(reading);
    return { reading, header: readHeader(container).header, container };
  }

  private describes(reading: Reading): void {
    state.reading.value = reading;
    state.keptBeside.value = reading.kept_beside ?? 0;
    this.copy.tally.markEdited(reading.mask.edited_slices ?? []);
  }

  openMask(container: Uint8Array): Promise<void> {
    return this.copy.open(container);
  }

  sliceLoaded(z: number, voxels: Int16Array): void {
    this.copy.tally.sliceLoaded(z, voxels);
  }

  scanLoaded(): void {
    this.copy.tally.scanLoaded();
  }

  /** Opens the browser's log, sends what an earlier visit left there, and takes the lease. */
  async startWriting(): Promise<void> {
    const reading = state.reading.value!;
    listen([`reading:${this.id}`], (message) => void this.heard(message), () => void this.refreshed());
    setInterval(() => void this.lookAgain(), LOOK_AGAIN_MS);
    addEventListener("pagehide", () => this.leave());
    // Shown again out of the browser's memory: who knows what happened meanwhile.
    addEventListener("pageshow", (event) => event.persisted && void this.refreshed());
    addEventListener("online", () => this.again());
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.again());
    try {
      this.log = await StrokeLog.open();
      this.identity = await identifyTab(this.log, this.id, reading.lease?.tab);
    } catch (error) {
      return this.readOnly(`${(error as Error).message} You may look, not paint.`);
    }
    void navigator.storage?.persist?.();
    this.queue = new SaveQueue(this.log, (strokes) => this.api.sendStrokes(strokes), {
      state: (saving) => this.savingIs(saving),
      acknowledged: (result, stroke, mask) => this.acknowledged(result, stroke, mask),
      setAside: (stroke) => this.setAside(stroke),
    }, (part) => this.api.sendPart(part));
    this.aside = new Aside(this.log, this.queue);
    if (reading.may_edit) return this.takeUp();
    // What this person left here is kept beside a mask that is closed: it must not stay in this browser unseen. It waits
    // in the queue before anything is said, so that nothing is called saved meanwhile.
    await this.queueLeftBehind();
    this.readOnly(reading.edit_refusal ?? "This reading is not open for editing.");
    await this.queue.settled();
  }

  /** Takes the lease as soon as it can be had: a network that is away for a moment ends nothing. */
  private async takeUp(): Promise<void> {
    while (state.writing.value.kind === "starting") {
      try {
        await this.takeLease(false);
      } catch (error) {
        if (error instanceof Refused && error.status < 500) return this.readOnly(error.message);
        if (error instanceof SignedOut) state.dialog.value = "signin";
        await this.pause();
      }
    }
  }

  private pause(): Promise<void> {
    return new Promise((go) => {
      this.wake = go;
      setTimeout(go, RETRY_MS);
    });
  }

  /** The network is back, or the page, or the session. */
  private again(): void {
    this.queue?.resume();
    this.wake();
    void this.lease.renew();
    void this.checkUp();
  }

  /** Sends strokes of this person's that no living tab will send, under the lease that they were painted under. */
  private async sendLeftBehind(): Promise<void> {
    await this.queueLeftBehind();
    await this.queue!.settled();
  }

  private async queueLeftBehind(): Promise<void> {
    const [pending, living] = await Promise.all([this.log!.pending(this.id), livingTabs()]);
    const you = state.reading.value?.you?.id;
    const mine = pending.filter((stroke) => (stroke.reader ?? you) === you);
    this.aside!.add(...mine.filter(({ refused }) => refused !== undefined));
    this.queue!.add(...mine.filter(({ refused, tab }) => refused === undefined && (tab === this.identity.tab || !living.has(tab))));
  }

  /** Throws when the server cannot be asked. */
  async takeLease(takeOver: boolean): Promise<void> {
    await this.turns.take(async () => {
      if (!this.log || state.writing.value.kind === "writing") return;
      await this.editor?.flushed();
      await this.sendLeftBehind();
      if (state.saving.value.kind === "refused") return;
      const answer = await this.lease.take(this.identity.tab, takeOver);
      if (answer.held) {
        state.writing.value = { kind: "held", holder: answer.holder_name, since: answer.since };
        return;
      }
      await this.bringUpToDate();
      state.asking.value = null;
      state.writing.value = { kind: "writing" };
    });
  }

  /** The layers as the server's mask is now, with the strokes under way on top, and a history to step back through. */
  private async bringUpToDate(): Promise<void> {
    const sequence = this.editor?.lastSequence ?? this.identity.sequence;
    let log = await recentStrokes(this.api, this.replica!.shown);
    const reread = !(await this.takeIn(log));
    if (reread) {
      await this.openMask(await this.api.mask());
      log = await recentStrokes(this.api, this.replica!.shown);
      await this.takeIn(log);
    }
    const { tab } = this.identity;
    const { epoch } = this.lease;
    const stored = new Set(log.map(({ id }) => id));
    const unsent = this.queue!.pending.filter((stroke) => stroke.tab === tab && stroke.epoch === epoch && !stored.has(stroke.id));
    const drawn = unsent.filter(({ id, layer, payload }) => this.replica!.draw(id, layer, payload));
    const known = [...log.filter(({ applied }) => applied).map(recalled), ...drawn];
    const shape = this.layers!.findings.shapeZyx;
    const history = new EditHistory();
    const touched = await carryOut(recalling(history, known, shape));
    this.makeEditor(sequence, history);
    // What was read anew may hold strokes that were never drawn here one by one.
    if (reread) this.copy.tally.markEdited(touched);
    this.historyMoved();
  }

  /** Strokes of the log that are new here; false when the mask must be read anew. */
  private async takeIn(log: readonly StoredStroke[]): Promise<boolean> {
    const { shown } = this.replica!;
    if (log.some(({ id, applied, stroke_sequence }) => !applied && stroke_sequence > shown && !this.answered.has(id))) void this.countBeside();
    return this.copy.takeIn(log);
  }

  private async countBeside(): Promise<void> {
    const reading = await this.api.describe().catch(() => null);
    if (reading) this.describes(reading);
  }

  private makeEditor(sequence: number, history: EditHistory): void {
    const events: EditorEvents = {
      changed: (layer, slices) => this.copy.touched(layer, slices),
      recorded: (stroke) => this.replica!.painted(stroke.id),
      kept: (...strokes) => this.queue!.add(...strokes),
      unkept: (strokes, why) => this.unkept(strokes, why),
      historyMoved: () => this.historyMoved(),
      outdated: () => void this.mend(),
    };
    const writer = { reading: this.id, reader: state.reading.value!.you!.id, tab: this.identity.tab, epoch: this.lease.epoch };
    this.editor = new Editor(this.replica!.layers, this.log!, writer, sequence, events, history);
  }

  private historyMoved(): void {
    state.canUndo.value = this.editor?.history.canUndo ?? false;
    state.canRedo.value = this.editor?.history.canRedo ?? false;
  }

  private savingIs(saving: typeof state.saving.value): void {
    state.saving.value = saving;
    if (saving.kind === "signed_out" && state.dialog.value !== "signin") state.dialog.value = "signin";
    if (saving.kind === "refused") this.readOnly(saving.sentence);
  }

  private acknowledged(result: StrokeResult, stroke: Stroke, mask: StrokesAnswer["mask"]): void {
    this.copy.place = mask;
    const branched = result.status === "branched";
    this.answered.add(stroke.id);
    // Signed in again elsewhere: there is nothing to ask any more.
    if (state.dialog.value === "signin") state.dialog.value = "none";
    this.replica?.acknowledged(stroke.id, result.stroke_sequence ?? 0, !branched);
    if (branched) {
      void this.countBeside();
      state.notice.value = result.sentence || "A stroke was kept beside the mask and was not applied.";
    }
    this.checkUpSoon();
  }

  private setAside(stroke: Stroke): void {
    this.aside!.add(stroke);
    this.replica?.refused(stroke.id);
    this.checkUpSoon();
  }

  /** After all answers of a batch. */
  private checkUpSoon(): void {
    queueMicrotask(() => void this.checkUp());
  }

  /** Whether the screen is what the server holds, once nothing of this page's is under way. */
  private async checkUp(): Promise<void> {
    const { replica, queue, editor } = this;
    if (!replica || queue?.size || editor?.working || editor?.writing || !(replica.isWrong || replica.isBehind)) return;
    if (state.writing.value.kind === "writing") await this.mend();
    else await this.follow();
  }

  /** Who only looks sees the writer's strokes as they are saved. */
  private follow(): Promise<void> {
    return this.turns
      .take(async () => {
        if (!this.replica || state.writing.value.kind === "writing") return;
        if (!(await this.takeIn(await this.api.strokesAfter(this.replica.shown)))) await this.openMask(await this.api.mask());
      })
      .catch(() => undefined);
  }

  /**
   * The writer's screen is not what the server holds, so somebody else has written: painting rests until the screen is
   * right and it is known whose the lease is. Were painting let on between the two, it would stop again under a stroke.
   * The stroke in hand is finished and sent first; it is tried again until the server answers.
   */
  private mend(): Promise<void> {
    state.catchingUp.value = true;
    this.mending ??= this.turns
      .take(async () => {
        while (state.writing.value.kind === "writing") {
          try {
            await this.atRest();
            if (!(await this.lease.renew())) await this.pause();
            else if (state.writing.value.kind === "writing") return await this.bringUpToDate();
          } catch (error) {
            if (error instanceof SignedOut) state.dialog.value = "signin";
            await this.pause();
          }
        }
      })
      .finally(() => {
        this.mending = null;
        state.catchingUp.value = false;
        // Lost meanwhile: then it is followed.
        if (state.writing.value.kind !== "writing") void this.checkUp();
      });
    return this.mending;
  }

  /** No stroke is in hand, and none is under way to the disk or the server, unless sending has stopped. */
  private async atRest(): Promise<void> {
    while (this.editor?.painting || this.editor?.working) await new Promise((go) => setTimeout(go, 50));
    await this.editor?.flushed();
    await this.queue?.settled();
  }

  private regained(epoch: number): void {
    this.editor?.setEpoch(epoch);
    void this.mend();
  }

  private async heard(message: PushMessage): Promise<void> {
    const writes = state.writing.value.kind === "writing";
    switch (message.kind) {
      case "subscribed":
      case "stroke.applied":
        this.replica?.hears(Number(message.stroke_sequence ?? 0));
        return message.kind === "subscribed" && !writes ? this.follow() : this.checkUp();
      case "lease.asked":
        if (writes && message.tab !== this.identity.tab) state.asking.value = String(message.who);
        return;
      case "lease.changed":
        if (message.epoch === this.lease.epoch) return;
        return writes ? void this.lease.renew() : this.refreshed();
      case "lease.released":
        if (state.writing.value.kind === "held" && state.writing.value.asked) return take(this, false);
        return writes ? this.lease.released() : this.refreshed();
      case "reading.deleted":
        return this.readOnly("The scan of this reading was deleted. Nothing more can be painted or signed.");
      case "branch.settled":
      case "reading.signed":
      case "reading.submitted":
      case "reading.returned":
      case "reading.released":
      case "reading.superseded":
      case "reading.set_aside":
      case "reread":
        return this.refreshed();
    }
  }

  /** Now and then: whoever had the mask may have gone without a word, and left strokes in this browser. */
  private async lookAgain(): Promise<void> {
    const { kind } = state.writing.value;
    // Who looks on is told by the socket alone, and that may be dead without a word; what is signed stays as it is.
    const looksOn = kind === "held" || kind === "free" || (kind === "read_only" && !state.reading.value?.signature);
    if (looksOn && document.visibilityState === "visible") await this.refreshed();
    else await this.checkUp();
    if (this.queue && state.writing.value.kind !== "starting") await this.sendLeftBehind().catch(() => undefined);
  }

  private async refreshed(): Promise<void> {
    const reading = await this.api.describe().catch(() => null);
    if (!reading) return;
    this.describes(reading);
    const { writing } = state;
    if (!reading.may_edit) {
      if (writing.value.kind !== "read_only") this.readOnly(reading.edit_refusal ?? "This reading is no longer open.");
    } else if (writing.value.kind === "writing") {
      await this.lease.renew();
      this.replica?.hears(reading.mask.stroke_sequence);
      return this.checkUp();
    } else if (writing.value.kind === "held" || writing.value.kind === "free") {
      const { lease } = reading;
      const asked = writing.value.kind === "held" && writing.value.asked;
      writing.value = lease && lease.tab !== this.identity.tab ? { kind: "held", holder: lease.holder_name, since: lease.since, asked } : { kind: "free" };
    }
    await this.follow();
  }

  /** A stroke in hand is finished, not dropped: it goes to the server like every other, which may keep it beside. */
  private readOnly(sentence: string): void {
    this.lease.drop();
    this.editor?.finish();
    state.asking.value = null;
    state.writing.value = { kind: "read_only", sentence };
  }

  private lost(holder: string, since: string): void {
    this.editor?.finish();
    state.asking.value = null;
    state.writing.value = { kind: "held", holder, since };
    void this.checkUp();
  }

  /** The browser keeps nothing more: what is drawn already goes to the server from here, and painting stops. */
  private unkept(strokes: readonly Stroke[], why: NotKept): void {
    this.queue!.add(...strokes);
    const remedy = why instanceof StorageFull ? "Free some disk space, then load the page again." : "Load the page again.";
    if (state.writing.value.kind === "writing") this.readOnly(`${why.message} Painting has stopped; what is painted is still being saved. ${remedy}`);
  }

  /** Waits until every stroke is on the server; throws when it cannot be. */
  async settled(): Promise<void> {
    this.editor?.settle();
    await this.editor?.flushed();
    if (!(await this.queue?.settled())) throw new Refused(0, "unsaved", "Some strokes are not saved yet.");
  }

  /** Makes a past state the present one, on the server; then brings its strokes in here, where they can be undone. */
  async restore(wanted: string): Promise<void> {
    state.catchingUp.value = true;
    try {
      await this.turns.take(async () => {
        await this.atRest();
        await this.settled();
        try {
          await this.api.restore(wanted, this.identity.tab, this.lease.epoch);
        } finally {
          // Also where the answer was lost: the server may have done it.
          await this.bringUpToDate();
        }
      });
    } finally {
      state.catchingUp.value = this.mending !== null;
      void this.checkUp();
    }
  }

  /** The numbers are those of the mask as it is. */
  get counted(): boolean {
    return this.copy.tally.done;
  }

  /** The lease goes to whoever waits for it; the stroke in hand is finished, and everything saved, before. */
  async letGo(): Promise<void> {
    state.catchingUp.value = true;
    try {
      await this.atRest();
      await this.settled();
      await this.api.handOver(this.tab);
      this.lease.drop();
      state.asking.value = null;
      state.writing.value = { kind: "free" };
    } finally {
      state.catchingUp.value = this.mending !== null;
    }
  }

  /** Every finished stroke has been answered by the server; what it refused is at least on this machine's disk. */
  get allSaved(): boolean {
    const { editor, queue } = this;
    const kept = state.setAside.value.every(({ key }) => key !== undefined);
    return !editor?.painting && !editor?.working && !editor?.writing && !queue?.size && state.saving.value.kind === "saved" && kept;
  }

  private leave(): void {
    if (state.writing.value.kind === "writing" && this.allSaved) this.api.releaseLease(this.identity.tab);
  }

  async signIn(username: string, password: string): Promise<void> {
    await this.api.signIn(username, password);
    await this.refreshed();
    this.again();
  }

  /** Ends the reading as it is on the screen: no other state of the mask will do. `end` tells the server how. */
  private async endAsShown(end: (strokeSequence: number) => Promise<void>, sentence: string): Promise<void> {
    this.editor?.settle();
    await this.editor?.flushed();
    if (!(await this.queue?.settled())) throw new Refused(0, "unsaved", "Some strokes are not saved yet. Go on when they are.");
    if (this.replica!.isBehind || this.replica!.isWrong) {
      await this.mend();
      throw new Refused(0, "unseen", "The mask was brought up to date just now: look again, then go on.");
    }
    await end(this.replica!.shown);
    this.readOnly(sentence);
    this.describes(await this.api.describe());
  }

  sign(password: string, acknowledged: readonly string[] = []): Promise<void> {
    return this.endAsShown((sequence) => this.api.sign(password, sequence, state.reading.value!.statement, acknowledged), SIGNED);
  }

  submit(): Promise<void> {
    return this.endAsShown((sequence) => this.api.submit(sequence), "This reading was handed on: it no longer changes.");
  }

  sendBack(reason: string): Promise<void> {
    return this.endAsShown((sequence) => this.api.sendBack(reason, sequence), "The submission went back to its reader. This reading was set aside.");
  }
}
