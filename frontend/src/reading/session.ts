/** One reading on the screen: its mask, its strokes on their way to the server, its lease. */
import { Api, Refused } from "../api/client";
import { listen, type PushMessage } from "../api/push";
import type { Reading, StoredStroke } from "../api/types";
import { fromBase64 } from "../edits/bytes";
import { readContainer, readHeader, type ContainerHeader } from "../edits/container";
import { DeltaConflict, decodeDelta, type SliceRuns } from "../edits/delta";
import { Editor, type EditorEvents } from "../edits/editor";
import type { LayerName, Layers } from "../edits/layers";
import { MeasureBook } from "../edits/measure";
import { SaveQueue, type StrokeResult, type StrokesAnswer } from "../edits/queue";
import { StrokeLog, type Stroke } from "../edits/strokelog";
import * as state from "../state";
import { Counting } from "./counting";
import { LeaseKeeper } from "./lease";
import { identifyTab, type TabIdentity } from "./tab";
import { usesOf } from "./uses";

/** How many strokes a reload can still undo. */
const RECALLED = 200;
const FULL =
  "This browser has no room left to keep strokes safe, so painting has stopped. Free some disk space, then load the page again.";

/** Voxels of a layer changed on these axial slices; null: anywhere. */
export type MaskListener = (layer: LayerName, slices: readonly number[] | null) => void;

export class Session {
  layers: Layers | null = null;
  editor: Editor | null = null;
  /** The server's count of strokes, as far as it has answered. */
  mask = { stroke_sequence: 0, head_hash: "" };
  readonly hu: (Int16Array | null)[] = [];
  /** The last stroke of the server's log that the layers here hold. */
  private shown = 0;
  private book: MeasureBook | null = null;
  private queue!: SaveQueue;
  private log!: StrokeLog;
  private identity!: TabIdentity;
  private stopped = false;
  private readonly counting = new Counting(
    () => this.book,
    () => this.editor?.painting ?? false,
  );
  private readonly lease: LeaseKeeper;

  constructor(
    readonly id: string,
    readonly api: Api,
    private readonly maskChanged: MaskListener,
  ) {
    this.lease = new LeaseKeeper(api, {
      lost: (holder, since) => this.lost(holder, since),
      epoch: (epoch) => this.editor?.setEpoch(epoch),
      signedOut: () => (state.dialog.value = "signin"),
      busy: () => this.queue.size > 0 || (this.editor?.painting ?? false),
    });
  }

  /** The two answers that the picture waits for: what is read, and where in it the mask lies. */
  async load(): Promise<{ reading: Reading; header: ContainerHeader; container: Uint8Array }> {
    const [reading, container] = await Promise.all([this.api.describe(), this.api.mask()]);
    state.reading.value = reading;
    return { reading, header: readHeader(container).header, container };
  }

  async openMask(container: Uint8Array): Promise<void> {
    const { scan, label_set } = state.reading.value!;
    const { header, layers } = await readContainer(container);
    this.layers = layers;
    this.mask = { stroke_sequence: header.stroke_sequence, head_hash: header.head_hash };
    this.shown = header.stroke_sequence;
    this.book = new MeasureBook(layers, usesOf(label_set), scan.voxel_volume_ml, (z) => (scan.has_hu ? (this.hu[z] ?? null) : null));
    this.maskChanged("anatomy", null);
    this.maskChanged("findings", null);
    this.counting.soon();
  }

  sliceLoaded(z: number, voxels: Int16Array): void {
    this.hu[z] = voxels;
    this.book?.touch(z);
  }

  scanLoaded(): void {
    this.counting.open();
  }

  /** Opens the browser's log, sends what an earlier visit left there, and takes the lease. */
  async startWriting(): Promise<void> {
    const reading = state.reading.value!;
    this.log = await StrokeLog.open();
    void navigator.storage?.persist?.();
    this.identity = await identifyTab(this.log, this.id);
    this.queue = new SaveQueue(this.log, (strokes) => this.api.sendStrokes(strokes), {
      state: (saving) => this.savingIs(saving),
      acknowledged: (result, stroke, mask) => this.acknowledged(result, stroke, mask),
    });
    addEventListener("online", () => this.queue.resume());
    addEventListener("pagehide", () => this.leave());
    listen([`reading:${this.id}`], (message) => void this.heard(message), () => void this.refreshed());
    if (!reading.may_edit) {
      this.readOnly(reading.edit_refusal ?? "This reading is not open for editing.");
      return;
    }
    this.queue.add(...(await this.leftBehind()));
    await this.queue.settled();
    await this.takeLease(false);
  }

  /** Strokes of this reading that no living tab will send. */
  private async leftBehind(): Promise<Stroke[]> {
    return (await this.log.pending(this.id)).filter((stroke) => !this.identity.alive.has(stroke.tab));
  }

  async takeLease(takeOver: boolean): Promise<void> {
    const answer = await this.lease.take(this.identity.tab, takeOver);
    if (answer.held) {
      state.writing.value = { kind: "held", holder: answer.holder_name, since: answer.since };
      return;
    }
    const sequence = this.editor?.lastSequence ?? this.identity.sequence;
    const recent = await this.api.strokesAfter(Math.max(0, this.shown - RECALLED));
    await this.catchUp(recent.filter((stroke) => stroke.stroke_sequence > this.shown));
    const unsent = await this.leftBehind();
    unsent.forEach((stroke) => this.bringIn(stroke.layer, stroke.payload));
    this.makeEditor(answer.epoch, sequence);
    this.recall(recent.filter((stroke) => stroke.applied));
    for (const stroke of unsent) this.remember(stroke.tool, stroke.undoes, stroke);
    state.notice.value = null;
    state.writing.value = { kind: "writing" };
  }

  private makeEditor(epoch: number, sequence: number): void {
    const events: EditorEvents = {
      changed: (layer, slices) => this.touched(layer, slices),
      kept: (stroke) => this.queue.add(stroke),
      historyMoved: () => this.historyMoved(),
      storageFull: () => void this.storageFull(),
    };
    const writer = { reading: this.id, tab: this.identity.tab, epoch };
    this.editor = new Editor(this.layers!, this.log, writer, sequence, events);
    this.historyMoved();
  }

  private recall(strokes: readonly StoredStroke[]): void {
    state.editedSlices.value = new Uint8Array(this.layers!.findings.shapeZyx[0]);
    for (const stroke of strokes) {
      this.remember(stroke.tool, stroke.undoes, { ...stroke, payload: fromBase64(stroke.payload) });
    }
  }

  private remember(tool: string, undoes: string | null, stroke: { id: string; layer: LayerName; payload: Uint8Array }): void {
    const delta = decodeDelta(stroke.payload, this.layers!.findings.shapeZyx);
    this.editor!.history.remember(tool, undoes, { id: stroke.id, layer: stroke.layer, delta });
    this.markEdited(delta.map((slice) => slice.z));
    this.historyMoved();
  }

  private historyMoved(): void {
    state.canUndo.value = this.editor?.history.canUndo ?? false;
    state.canRedo.value = this.editor?.history.canRedo ?? false;
  }

  private touched(layer: LayerName, slices: readonly number[]): void {
    slices.forEach((z) => this.book?.touch(z));
    this.maskChanged(layer, slices);
    if (!this.editor?.painting) this.markEdited(slices);
    this.counting.soon();
  }

  private markEdited(slices: readonly number[]): void {
    const marks = state.editedSlices.value.slice();
    if (!slices.length || !marks.length) return;
    slices.forEach((z) => (marks[z] = 1));
    state.editedSlices.value = marks;
  }

  /** A delta from the server or from this browser's log; null when the mask already holds it or holds other voxels. */
  private bringIn(layer: LayerName, payload: Uint8Array): SliceRuns[] | null {
    const delta = decodeDelta(payload, this.layers!.findings.shapeZyx);
    try {
      this.layers![layer].apply(delta);
    } catch (error) {
      if (error instanceof DeltaConflict) return null;
      throw error;
    }
    this.touched(layer, delta.map((slice) => slice.z));
    return delta;
  }

  private async catchUp(strokes: readonly StoredStroke[]): Promise<void> {
    for (const stroke of strokes) {
      if (stroke.applied && !this.bringIn(stroke.layer, fromBase64(stroke.payload))) return this.reload();
      this.shown = stroke.stroke_sequence;
      this.mask = { ...this.mask, stroke_sequence: Math.max(this.mask.stroke_sequence, this.shown) };
    }
  }

  /** Reads the whole mask again from the server. */
  private async reload(): Promise<void> {
    const sequence = this.editor?.lastSequence;
    await this.openMask(await this.api.mask());
    if (this.editor && sequence !== undefined) this.makeEditor(this.lease.epoch, sequence);
  }

  private savingIs(saving: typeof state.saving.value): void {
    state.saving.value = saving;
    if (saving.kind === "signed_out" && state.dialog.value !== "signin") state.dialog.value = "signin";
    if (saving.kind === "refused") this.readOnly(saving.sentence);
  }

  private acknowledged(result: StrokeResult, stroke: Stroke, mask: StrokesAnswer["mask"]): void {
    this.mask = mask;
    // Painted here, so shown already; what an earlier visit left is brought in with the lease.
    if (this.editor) this.shown = Math.max(this.shown, result.stroke_sequence ?? 0);
    if (result.status !== "branched" || !this.layers) return;
    state.notice.value = result.sentence || "A stroke was kept beside the mask and was not applied.";
    console.info("branched", stroke.id);
    if (!this.queue.size) void this.reload().then(() => this.lease.renew());
  }

  private async heard(message: PushMessage): Promise<void> {
    if (message.kind === "lease.changed" && message.epoch !== this.lease.epoch) await this.lease.renew();
    if (message.kind === "reading.signed") await this.refreshed();
    if (message.kind === "reading.deleted") this.readOnly("The scan of this reading was deleted. Nothing more can be painted or signed.");
    const behind = Number(message.stroke_sequence ?? 0) > this.shown;
    if (message.kind === "stroke.applied" && behind && !state.mayPaint.value) await this.follow();
  }

  /** A reader who only looks sees the writer's strokes as they are saved. */
  private async follow(): Promise<void> {
    await this.catchUp(await this.api.strokesAfter(this.shown)).catch(() => undefined);
  }

  private async refreshed(): Promise<void> {
    const reading = await this.api.describe().catch(() => null);
    if (!reading) return;
    state.reading.value = reading;
    if (!reading.may_edit && state.mayPaint.value) this.readOnly(reading.edit_refusal ?? "This reading is no longer open.");
    else if (state.mayPaint.value) await this.lease.renew();
    else await this.follow();
  }

  private readOnly(sentence: string): void {
    this.lease.drop();
    this.editor?.cancel();
    state.writing.value = { kind: "read_only", sentence };
  }

  private lost(holder: string, since: string): void {
    this.editor?.cancel();
    state.writing.value = { kind: "held", holder, since };
  }

  private async storageFull(): Promise<void> {
    if (this.stopped) return;
    this.stopped = true;
    this.readOnly(FULL);
    await this.queue.settled();
    // What could not be kept is taken off the screen, so that nothing is shown that would be lost.
    await this.reload();
  }

  /** Waits until every stroke is on the server; throws when it cannot be. */
  async settled(): Promise<void> {
    await this.editor?.flushed();
    if (!(await this.queue.settled())) throw new Refused(0, "unsaved", "Some strokes are not saved yet.");
  }

  /** Makes a past state the present one, on the server; then brings its strokes in here, where they can be undone. */
  async restore(wanted: string): Promise<void> {
    await this.settled();
    await this.api.restore(wanted, this.identity.tab, this.lease.epoch);
    const fresh = await this.api.strokesAfter(this.shown);
    await this.catchUp(fresh);
    for (const stroke of fresh) {
      if (stroke.applied) this.remember(stroke.tool, stroke.undoes, { ...stroke, payload: fromBase64(stroke.payload) });
    }
  }

  /** Every finished stroke has been answered by the server. */
  get allSaved(): boolean {
    return !this.editor?.painting && !this.editor?.writing && (this.queue?.size ?? 0) === 0 && state.saving.value.kind === "saved";
  }

  private leave(): void {
    if (state.mayPaint.value && this.allSaved) this.api.releaseLease(this.identity.tab);
  }

  async signIn(username: string, password: string): Promise<void> {
    await this.api.signIn(username, password);
    await this.refreshed();
    this.queue?.resume();
  }

  async sign(password: string): Promise<void> {
    await this.editor?.flushed();
    if (!(await this.queue.settled())) throw new Refused(0, "unsaved", "Some strokes are not saved yet. Sign when they are.");
    await this.api.sign(password, this.mask.stroke_sequence, state.reading.value!.statement);
    this.readOnly("This reading is signed: it no longer changes.");
    state.reading.value = await this.api.describe();
  }
}
