/** The scores of the readings in dispute beside each other: where they differ, and what can be begun from. Pure. */
import { accepts, itemsOf, type AnswerValue, type FormAnswers, type FormItem, type ScoringForm } from "./scoringrules";

export interface LetteredScores {
  letter: string;
  /** By form. */
  answers: Readonly<Record<string, FormAnswers>>;
}

export interface ItemBeside {
  item: FormItem;
  /** In the order of the letters; null where a reading has no answer. */
  values: readonly (AnswerValue | null)[];
  differs: boolean;
}

/** What each reading answered, item by item; empty where none of them answered anything of the form. */
export function itemsBeside(form: ScoringForm, readings: readonly LetteredScores[]): ItemBeside[] {
  if (!readings.some(({ answers }) => Object.values(answers[form.key] ?? {}).some((value) => value !== null))) return [];
  return itemsOf(form).map((item) => {
    const values = readings.map(({ answers }) => answers[form.key]?.[item.key] ?? null);
    return { item, values, differs: values.some((value) => value !== values[0]) };
  });
}

/** A reading's answers as far as the form takes them: one that was filled under another protocol may say what it does not know. */
export function startFrom(form: ScoringForm, reading: LetteredScores): FormAnswers {
  return taken(form, (key) => reading.answers[form.key]?.[key] ?? null);
}

/** What all readings answered alike; what they differ in is left open. */
export function agreedOn(form: ScoringForm, readings: readonly LetteredScores[]): FormAnswers {
  const agreed = new Map(itemsBeside(form, readings).filter(({ differs }) => !differs).map(({ item, values }) => [item.key, values[0]]));
  return taken(form, (key) => agreed.get(key) ?? null);
}

function taken(form: ScoringForm, valueOf: (key: string) => AnswerValue | null): FormAnswers {
  return Object.fromEntries(
    itemsOf(form).map(({ key }) => {
      const value = valueOf(key);
      return [key, accepts(form, key, value) ? value : null];
    }),
  );
}

/** Whether two sets of answers say the same of every item of a form. */
export const sameAnswers = (form: ScoringForm, one: FormAnswers, other: FormAnswers): boolean => itemsOf(form).every(({ key }) => (one[key] ?? null) === (other[key] ?? null));

/** How an answer is shown: the title of a choice in words, a number with its unit. */
export function shownValue({ field }: FormItem, value: AnswerValue | null): string {
  if (value === null) return "–";
  if (typeof value === "string") return field.choices?.find((choice) => choice.value === value)?.title ?? value;
  return field.unit ? `${value} ${field.unit}` : String(value);
}
