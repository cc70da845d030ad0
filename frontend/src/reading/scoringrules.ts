/**
 * Scoring forms by the rule of webapp/campaigns/scoring_forms.py: what a form asks, its sum, what is missing, what is an
 * answer. Pure; tests/vectors/forms.json holds both to the same.
 */
export type AnswerValue = number | string;
export type FormAnswers = Readonly<Record<string, AnswerValue | null>>;

export interface FormChoice {
  value: AnswerValue;
  title: string;
}

export interface FormField {
  key: string;
  title: string;
  kind: "choice" | "number" | "text" | "regions";
  required?: boolean;
  choices?: FormChoice[];
  regions?: { key: string; title: string }[];
  unit?: string;
  min?: number | null;
  max?: number | null;
  integer?: boolean;
}

export interface ScoringForm {
  key: string;
  title: string;
  source?: string;
  fields: FormField[];
  sum?: { title: string; of: string[] } | null;
}

export interface FormItem {
  key: string;
  title: string;
  field: FormField;
}

export interface FormTotal {
  value: number;
  most: number | null;
  complete: boolean;
}

const LONGEST_TEXT = 1000;

export function itemsOf(form: ScoringForm): FormItem[] {
  return form.fields.flatMap((field): FormItem[] =>
    field.kind === "regions" ? (field.regions ?? []).map(({ key, title }) => ({ key: `${field.key}/${key}`, title, field })) : [{ key: field.key, title: field.title, field }],
  );
}

export function totalOf(form: ScoringForm, answers: FormAnswers): FormTotal | null {
  const rule = form.sum;
  if (!rule) return null;
  const total: FormTotal = { value: 0, most: 0, complete: true };
  for (const { key, field } of itemsOf(form)) {
    if (!rule.of.includes(field.key)) continue;
    const said = answers[key] ?? null;
    total.value += said === null ? 0 : (said as number);
    total.complete &&= said !== null;
    const largest = field.kind === "number" ? (field.max ?? null) : Math.max(...field.choices!.map(({ value }) => value as number));
    total.most = total.most === null || largest === null ? null : total.most + largest;
  }
  return total;
}

export const missingIn = (form: ScoringForm, answers: FormAnswers): FormItem[] => itemsOf(form).filter(({ key, field }) => field.required !== false && (answers[key] ?? null) === null);

/** Whether a value answers an item; null takes an answer back. */
export function accepts(form: ScoringForm, key: string, value: unknown): boolean {
  const field = itemsOf(form).find((item) => item.key === key)?.field;
  if (!field) return false;
  if (value === null) return true;
  if (field.kind === "text") return typeof value === "string" && value.trim() !== "" && [...value].length <= LONGEST_TEXT && !/[^\P{C}\n\t]/u.test(value);
  if (field.kind !== "number") return !!field.choices?.some((choice) => choice.value === value);
  if (typeof value !== "number" || !Number.isFinite(value) || (field.integer && !Number.isInteger(value))) return false;
  return value >= (field.min ?? -Infinity) && value <= (field.max ?? Infinity);
}
