/** The scoring forms beside the image, by keyboard first: arrows from region to region, a digit scores and goes on. */
import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { shownKeys } from "../keyboard";
import type { Desk } from "../reading/desk";
import { answers, differing, disputed, forms, formsSaving, mayAnswer, say } from "../reading/forms";
import { itemsBeside, type ItemBeside } from "../reading/scoresbeside";
import { accepts, itemsOf, missingIn, totalOf, type AnswerValue, type FormItem, type ScoringForm } from "../reading/scoringrules";
import { clock } from "./App";
import { HeadBeside, Values } from "./ScoresBeside";
import "./forms.css";

export function Forms(_: { desk: Desk }) {
  return (
    <section class="scores" aria-label="Scores">
      {!forms.value.length && <p class="dim">The protocol of this reading asks for no scores.</p>}
      {forms.value.length > 0 && (
        <p class="dim scores-saved" role="status">
          <Saved />
        </p>
      )}
      {forms.value.map((form) => (
        <One key={form.key} form={form} />
      ))}
      {forms.value.length > 0 && <p class="dim">Read by eye: nothing here is computed from the mask. {shownKeys("scores")} opens and closes this.{differing.value && " In a row, the letter of a reading answers as it did."}</p>}
    </section>
  );
}

function Saved() {
  const saving = formsSaving.value;
  switch (saving.kind) {
    case "sending":
      return <>saving</>;
    case "waiting":
      return <span class="is-wait">not saved yet: kept in this browser and sent again</span>;
    case "refused":
      return <span class="is-bad">not saved: {saving.sentence}</span>;
    default:
      return <>{saving.at ? `saved ${clock(saving.at)}` : mayAnswer.value ? "nothing to save" : "not answered"}</>;
  }
}

function One({ form }: { form: ScoringForm }) {
  const said = answers.value[form.key] ?? {};
  const total = totalOf(form, said);
  const missing = missingIn(form, said).length;
  const beside = new Map(itemsBeside(form, disputed.value).map((row) => [row.item.key, row]));
  return (
    <fieldset class="score-form">
      <legend title={form.source || undefined}>
        {form.title}
        {beside.size > 0 && <span class="dim num">{missing ? `, ${missing} missing` : ", complete"}</span>}
      </legend>
      {beside.size > 0 && <HeadBeside form={form} rows={[...beside.values()]} />}
      <p class="score-sum" hidden={beside.size > 0}>
        {total && (
          <>
            {form.sum!.title} <b class="num">{rounded(total.value)}</b>
            {total.most !== null && <span class="num dim"> of {rounded(total.most)}</span>}
          </>
        )}
        <span class="dim num">
          {total && ", "}
          {missing ? `${missing} missing` : "complete"}
        </span>
      </p>
      {form.fields.map((field) => {
        const items = itemsOf({ ...form, fields: [field] });
        const row = beside.get(items[0].key);
        if (field.kind === "number") return <NumberField key={field.key} form={form} item={items[0]} beside={row} />;
        if (field.kind === "text") return <TextField key={field.key} form={form} item={items[0]} beside={row} />;
        return <Choices key={field.key} form={form} items={items} beside={beside} />;
      })}
    </fieldset>
  );
}

const rounded = (value: number): number => Math.round(value * 1e6) / 1e6;

/**
 * Rows of radio buttons: left and right choose, up and down go to the next row, a digit chooses and goes on. Of readings
 * in dispute a letter takes the answer of its reading.
 */
function Choices({ form, items, beside }: { form: ScoringForm; items: FormItem[]; beside: ReadonlyMap<string, ItemBeside> }) {
  const rows = useRef<HTMLDivElement>(null);
  const { field } = items[0];
  const choices = field.choices ?? [];
  const said = answers.value[form.key] ?? {};
  const numbered = choices.every(({ value }) => typeof value === "number");
  const focusRow = (index: number): void => {
    const row = rows.current?.querySelectorAll("[role=radiogroup]")[Math.max(0, Math.min(items.length - 1, index))];
    row?.querySelector<HTMLElement>("[role=radio][tabindex='0']")?.focus();
  };
  const press = (event: KeyboardEvent, index: number): void => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    const { key } = items[index];
    const now = choices.findIndex(({ value }) => value === said[key]);
    const digit = /^\d$/.test(event.key) ? event.key : /^(?:Digit|Numpad)(\d)$/.exec(event.code)?.[1];
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const end = { Home: 0, End: items.length - 1 }[event.key];
    const letter = disputed.value.findIndex((one) => one.letter === event.key.toUpperCase());
    const theirs = letter < 0 ? null : (beside.get(key)?.values[letter] ?? null);
    if (digit !== undefined) {
      const chosen = numbered ? choices.find(({ value }) => String(value) === digit) : choices[Number(digit) - 1];
      if (chosen && say(form, key, chosen.value)) focusRow(index + 1);
    } else if (step) {
      const next = choices[Math.max(0, Math.min(choices.length - 1, now < 0 ? (step > 0 ? 0 : choices.length - 1) : now + step))];
      say(form, key, next.value);
      requestAnimationFrame(() => focusRow(index));
    } else if (theirs !== null) {
      if (say(form, key, theirs)) focusRow(index + 1);
    } else if (move) focusRow(index + move);
    else if (end !== undefined) focusRow(end);
    else if (event.key === "Delete" || event.key === "Backspace") say(form, key, null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div class="score-rows" ref={rows}>
      {items.length > 1 && numbered && (
        <ul class="score-legend dim" aria-label="What the numbers mean">
          {choices.map(({ value, title }) => (
            <li key={value}>
              <b class="num">{value}</b> {title}
            </li>
          ))}
        </ul>
      )}
      {items.map(({ key, title }, index) => {
        const now = choices.findIndex(({ value }) => value === said[key]);
        return (
          <div class={`score-row ${numbered ? "" : "in-words"} ${beside.size ? "has-beside" : ""} ${beside.get(key)?.differs ? "differs" : ""}`} key={key} onKeyDown={(event) => press(event, index)}>
            <span id={`score-${form.key}-${key}`}>{title}</span>
            <Values form={form} row={beside.get(key)} />
            <span class="segmented" role="radiogroup" aria-labelledby={`score-${form.key}-${key}`}>
              {choices.map((choice, n) => (
                <button
                  key={choice.value}
                  type="button"
                  role="radio"
                  class="compact num"
                  aria-checked={n === now}
                  aria-label={numbered ? `${choice.value}, ${choice.title}` : choice.title}
                  title={choice.title}
                  tabIndex={n === Math.max(0, now) ? 0 : -1}
                  disabled={!mayAnswer.value}
                  onClick={() => say(form, key, n === now ? null : choice.value)}
                >
                  {numbered ? choice.value : choice.title}
                  {beside.get(key)?.values.map((value, at) => value === choice.value && <i key={at} class="score-mark" data-letter={disputed.value[at].letter} />)}
                </button>
              ))}
            </span>
          </div>
        );
      })}
    </div>
  );
}

function NumberField({ form, item, beside }: { form: ScoringForm; item: FormItem; beside?: ItemBeside }) {
  const { field, key, title } = item;
  const said = answers.value[form.key]?.[key] ?? null;
  return <Entry form={form} item={item} beside={beside} shown={said === null ? "" : String(said)} read={(text) => (text.trim() === "" ? null : Number(text.replace(",", ".")))} wrong={`${title}: write ${field.integer ? "a whole number" : "a number"}${bounds(item)}.`} />;
}

function TextField({ form, item, beside }: { form: ScoringForm; item: FormItem; beside?: ItemBeside }) {
  const said = answers.value[form.key]?.[item.key] ?? null;
  return <Entry form={form} item={item} beside={beside} shown={said === null ? "" : String(said)} read={(text) => (text.trim() === "" ? null : text)} wrong={`${item.title}: at most 1,000 letters.`} />;
}

function bounds({ field: { min, max } }: FormItem): string {
  return `${min === null || min === undefined ? "" : ` from ${min}`}${max === null || max === undefined ? "" : ` up to ${max}`}`;
}

/** A line to write in; what is no answer stays to be mended, is marked, and is not saved. */
function Entry({ form, item, beside, shown, read, wrong }: { form: ScoringForm; item: FormItem; beside?: ItemBeside; shown: string; read: (text: string) => AnswerValue | null; wrong: string }) {
  const faulty = useSignal(false);
  /** What was written and is no answer: it stays to be mended. */
  const written = useSignal<string | null>(null);
  const id = `score-${form.key}-${item.key}`;
  const Line = item.field.kind === "text" ? "textarea" : "input";
  return (
    <div class={`score-entry ${beside?.differs ? "differs" : ""}`}>
      <label for={id}>
        {item.title}
        {item.field.unit ? `, ${item.field.unit}` : ""}
        {item.field.required === false && <span class="dim"> if any</span>}
      </label>
      <Values form={form} row={beside} />
      <Line
        id={id}
        inputMode={item.field.kind === "number" ? "decimal" : undefined}
        maxLength={1000}
        value={written.value ?? shown}
        readOnly={!mayAnswer.value}
        aria-invalid={faulty.value}
        aria-describedby={faulty.value ? `${id}-wrong` : undefined}
        onChange={(event: Event) => {
          const text = (event.currentTarget as HTMLInputElement).value;
          const value = read(text);
          faulty.value = !accepts(form, item.key, value);
          written.value = faulty.value ? text : null;
          if (!faulty.value) say(form, item.key, value);
        }}
      />
      {faulty.value && (
        <p class="is-bad" id={`${id}-wrong`} role="alert">
          {wrong} It is not saved.
        </p>
      )}
    </div>
  );
}
