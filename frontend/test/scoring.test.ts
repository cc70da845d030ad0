/** Scoring forms: the same sums, missing items and refusals as the server's, by the same vectors. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { withRows } from "../src/reading/forms";
import { accepts, missingIn, totalOf, type FormAnswers, type ScoringForm } from "../src/reading/scoringrules";

interface Vectors {
  forms: Record<string, ScoringForm>;
  sums: { form: string; answers: FormAnswers; value: number; most: number | null; complete: boolean; missing: string[] }[];
  answers: { form: string; item: string; value: unknown; accepted: boolean }[];
}

const vectors = JSON.parse(readFileSync(new URL("../../tests/vectors/forms.json", import.meta.url), "utf8")) as Vectors;

describe("sums", () => {
  it.each(vectors.sums.map((one, n) => [n, one] as const))("%i", (_, { form, answers, value, most, complete, missing }) => {
    expect(totalOf(vectors.forms[form], answers)).toEqual({ value, most, complete });
    expect(missingIn(vectors.forms[form], answers).map(({ key }) => key)).toEqual(missing);
  });
});

it.each(vectors.answers.map((one) => [one.form, one.item, JSON.stringify(one.value).slice(0, 20), one] as const))("%s %s %s", (_form, _item, _value, { form, item, value, accepted }) => {
  expect(accepts(vectors.forms[form], item, value)).toBe(accepted);
});

it("answers that wait go over those that the server has, in order", () => {
  const said = { a: { x: 1, y: 2 } };
  const rows = [{ form: "a", item: "x", value: 5 }, { form: "a", item: "x", value: null }, { form: "b", item: "z", value: "word" }];
  expect(withRows(said, rows)).toEqual({ a: { x: null, y: 2 }, b: { z: "word" } });
  expect(said).toEqual({ a: { x: 1, y: 2 } });
});
