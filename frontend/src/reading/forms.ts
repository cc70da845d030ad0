/** Answers in the scoring forms of this reading: kept in this browser until the server has them, and said so. */
import { computed, effect, signal } from "@preact/signals";
import { Refused } from "../api/client";
import type { FormsAnswer } from "../api/types";
import { panelFolded } from "../layout";
import * as state from "../state";
import { onKey } from "./acts";
import type { Desk } from "./desk";
import { RowQueue } from "./rowqueue";
import { RowStore } from "./rowstore";
import { itemsBeside, type LetteredScores } from "./scoresbeside";
import { accepts, itemsOf, missingIn, type AnswerValue, type FormAnswers, type ScoringForm } from "./scoringrules";

export interface AnswerRow {
  form: string;
  item: string;
  value: AnswerValue | null;
}

export type FormsSaving = { kind: "saved"; at: string | null } | { kind: "sending" } | { kind: "waiting" } | { kind: "refused"; sentence: string };

export const forms = computed<readonly ScoringForm[]>(() => state.reading.value?.forms?.forms ?? []);
export const answers = signal<Readonly<Record<string, FormAnswers>>>({});
export const formsSaving = signal<FormsSaving>({ kind: "saved", at: null });
export const missingCount = computed(() => forms.value.reduce((sum, form) => sum + missingIn(form, answers.value[form.key] ?? {}).length, 0));

/** The answers with rows said after them, in order; the last word counts. */
export function withRows(said: Readonly<Record<string, FormAnswers>>, rows: readonly AnswerRow[]): Record<string, FormAnswers> {
  const next: Record<string, FormAnswers> = { ...said };
  for (const { form, item, value } of rows) next[form] = { ...next[form], [item]: value };
  return next;
}

class Answering {
  private readonly queue: RowQueue<AnswerRow>;
  private readonly address: string;

  constructor(private readonly desk: Desk) {
    const { you, may_edit, forms: said } = state.reading.value!;
    this.address = `/api/readings/${desk.session.id}/forms/`;
    const valid = ({ form, item, value }: AnswerRow): boolean => forms.value.some((one) => one.key === form && accepts(one, item, value));
    const store = may_edit ? new RowStore(localStorage, "answers", desk.session.id, you?.id ?? "", valid) : null;
    let kept = said!;
    this.queue = new RowQueue(store, {
      send: async (rows) => {
        formsSaving.value = { kind: "sending" };
        kept = await desk.session.api.at<FormsAnswer>(this.address, { answers: rows });
      },
      refused: (error) => {
        formsSaving.value = { kind: "refused", sentence: error.message };
        return this.reread();
      },
      moved: (waiting, retrying) => {
        if (retrying) formsSaving.value = { kind: "waiting" };
        else if (waiting) formsSaving.value = { kind: "sending" };
        else this.take(kept);
      },
    });
    this.take(kept);
  }

  private take(said: FormsAnswer): void {
    // What the server does not know of yet stays on the screen.
    answers.value = withRows(said.answers, this.queue.waiting);
    if (!this.queue.waiting.length) formsSaving.value = { kind: "saved", at: said.saved_at };
  }

  say(row: AnswerRow): void {
    answers.value = withRows(answers.peek(), [row]);
    this.queue.add(row);
  }

  private async reread(): Promise<void> {
    const said = await this.desk.session.api.at<FormsAnswer>(this.address).catch(() => null);
    if (said) answers.value = withRows(said.answers, this.queue.waiting);
  }

  /** Every answer is on the server; throws when it cannot be. */
  async flushed(): Promise<void> {
    if (!(await this.queue.flushed())) throw new Refused(0, "unsaved", "Some answers of the scoring forms are not saved yet.");
  }
}

let answering: Answering | null = null;

export const answersFlushed = (): Promise<void> => answering?.flushed() ?? Promise.resolve();

export const mayAnswer = computed(() => !!state.reading.value?.may_edit);

/** Gives an answer, or with null takes it back; what is none is not taken. */
export function say(form: ScoringForm, item: string, value: AnswerValue | null): boolean {
  if (!answering || !mayAnswer.value || !accepts(form, item, value)) return false;
  if ((answers.peek()[form.key]?.[item] ?? null) !== value) answering.say({ form: form.key, item, value });
  return true;
}

/** Answers every item of a form as `wanted` says, what it leaves open as well. */
export function sayAll(form: ScoringForm, wanted: FormAnswers): void {
  for (const { key } of itemsOf(form)) say(form, key, wanted[key] ?? null);
}

/** The readings that are settled here, with their answers; none where nothing is settled. */
export const disputed = computed<readonly LetteredScores[]>(() => (state.reading.value?.settles?.candidates ?? []).map(({ letter, answers }) => ({ letter, answers: answers ?? {} })));
/** How many items of all forms the readings differ in, of how many; null where there is nothing to compare. */
export const differing = computed(() => {
  const rows = forms.value.flatMap((form) => itemsBeside(form, disputed.value));
  return rows.length ? { differ: rows.filter(({ differs }) => differs).length, of: rows.length } : null;
});

export function openForms(): void {
  state.section.value = "scores";
  panelFolded.value = false;
}

onKey("scores", () => {
  if (!forms.value.length) return void (state.notice.value = "This protocol asks for no scores.");
  if (state.section.value === "scores" && !panelFolded.value) return void (state.section.value = "labels");
  openForms();
  // The keyboard goes there: digits score from now on.
  queueMicrotask(() => document.querySelector<HTMLElement>(".scores [tabindex='0'][role='radio'], .scores input, .scores textarea")?.focus());
});

export function watchForms(desk: Desk): void {
  const stop = effect(() => {
    if (!state.reading.value) return;
    queueMicrotask(() => {
      stop();
      if (forms.value.length) answering = new Answering(desk);
    });
  });
}
