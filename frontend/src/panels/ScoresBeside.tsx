/** The scores of the readings in dispute, in the form that the adjudicator fills: a column each, and what to begin from. */
import { signal } from "@preact/signals";
import { answers, disputed, mayAnswer, say, sayAll } from "../reading/forms";
import { agreedOn, sameAnswers, shownValue, startFrom, type ItemBeside } from "../reading/scoresbeside";
import { accepts, totalOf, type FormAnswers, type ScoringForm } from "../reading/scoringrules";

/** What was begun from, and the answers before and after: it is taken back as long as nothing was answered since. */
const begun = signal<Readonly<Record<string, { before: FormAnswers; after: FormAnswers }>>>({});

/** How many items differ, the totals side by side, and the buttons that begin from one of the readings. */
export function HeadBeside({ form, rows }: { form: ScoringForm; rows: readonly ItemBeside[] }) {
  const own = answers.value[form.key] ?? {};
  const differ = rows.filter(({ differs }) => differs).length;
  const columns = [...disputed.value.map(({ letter, answers: said }) => ({ letter, said: said[form.key] ?? {} })), { letter: "You", said: own }];
  return (
    <div class="scores-beside">
      <table class="pair">
        <thead>
          <tr>
            <th scope="col" class="score-differ">
              {differ ? `${differ} of ${rows.length} differ` : "All alike"}
            </th>
            {columns.map(({ letter }) => (
              <th scope="col" key={letter} data-letter={letter}>
                {letter}
              </th>
            ))}
          </tr>
        </thead>
        {form.sum && (
          <tbody>
            <tr>
              <th scope="row">{form.sum.title}</th>
              {columns.map(({ letter, said }) => (
                <td class="num" key={letter}>
                  <b>{Math.round(totalOf(form, said)!.value * 1e6) / 1e6}</b>
                </td>
              ))}
            </tr>
          </tbody>
        )}
      </table>
      {mayAnswer.value && <StartFrom form={form} own={own} />}
    </div>
  );
}

function StartFrom({ form, own }: { form: ScoringForm; own: FormAnswers }) {
  const last = begun.value[form.key];
  const undoable = !!last && sameAnswers(form, own, last.after) && !sameAnswers(form, last.before, last.after);
  const begin = (after: FormAnswers): void => {
    begun.value = { ...begun.value, [form.key]: { before: own, after } };
    sayAll(form, after);
  };
  return (
    <div class="scores-start" role="group" aria-label={`Start ${form.title} from`}>
      <span class="dim">Start from</span>
      {disputed.value.map((reading) => (
        <button key={reading.letter} type="button" class="compact" title={`Answer as reading ${reading.letter} did, in the place of your own answers`} onClick={() => begin(startFrom(form, reading))}>
          {reading.letter}
        </button>
      ))}
      <button type="button" class="compact" title="Answer where the readings say the same; what differs is left open" onClick={() => begin(agreedOn(form, disputed.value))}>
        Agreed
      </button>
      {/* Its place is kept, so that nothing moves. */}
      <button type="button" class={`compact scores-undo ${undoable ? "" : "is-away"}`} disabled={!undoable} title="Your answers as they were before" onClick={() => last && sayAll(form, last.before)}>
        Undo
      </button>
    </div>
  );
}

/** The answers of the readings to one item; a click takes one. The keyboard does by its letter, so they are no stops of the Tab key. */
export function Values({ form, row }: { form: ScoringForm; row: ItemBeside | undefined }) {
  if (!row) return null;
  const { item, values, differs } = row;
  return (
    <span class="score-values">
      {differs && <span class="visually-hidden">differs:</span>}
      {values.map((value, at) => {
        const { letter } = disputed.value[at];
        const shown = shownValue(item, value);
        const takes = mayAnswer.value && value !== null && accepts(form, item.key, value);
        return (
          <button
            key={letter}
            type="button"
            class="score-value num"
            data-letter={letter}
            tabIndex={-1}
            disabled={!takes}
            aria-label={`${item.title}, reading ${letter}: ${value === null ? "no answer" : shown}`}
            title={takes ? `Reading ${letter}: ${shown}. Answer so (${letter})` : `Reading ${letter}: ${value === null ? "no answer" : shown}`}
            onClick={() => say(form, item.key, value)}
          >
            <b>{letter}</b> <span class="ellipsis">{shown}</span>
          </button>
        );
      })}
    </span>
  );
}
