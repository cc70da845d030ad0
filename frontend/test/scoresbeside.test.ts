import { describe, expect, it } from "vitest";
import { agreedOn, itemsBeside, sameAnswers, shownValue, startFrom } from "../src/reading/scoresbeside";
import type { ScoringForm } from "../src/reading/scoringrules";

const scale = [0, 1, 2].map((value) => ({ value, title: `grade ${value}` }));
const form: ScoringForm = {
  key: "f",
  title: "F",
  fields: [
    { key: "lobe", title: "Lobe", kind: "regions", regions: [{ key: "l", title: "Left" }, { key: "r", title: "Right" }], choices: scale },
    { key: "look", title: "Look", kind: "choice", choices: [{ value: "ggo", title: "Ground glass" }, { value: "cons", title: "Consolidation" }] },
    { key: "fluid", title: "Effusion", kind: "number", unit: "mL", min: 0 },
  ],
};
const a = { letter: "A", answers: { f: { "lobe/l": 1, "lobe/r": 2, look: "ggo" } } };
const b = { letter: "B", answers: { f: { "lobe/l": 1, "lobe/r": 0, look: "ggo", fluid: 12 } } };

describe("scores of readings in dispute", () => {
  it("stand beside each other item by item, and differ where one has no answer", () => {
    const rows = itemsBeside(form, [a, b]);
    expect(rows.map(({ values }) => values)).toEqual([[1, 1], [2, 0], ["ggo", "ggo"], [null, 12]]);
    expect(rows.map(({ differs }) => differs)).toEqual([false, true, false, true]);
  });

  it("are none where nobody answered anything of the form", () => {
    expect(itemsBeside(form, [{ letter: "A", answers: {} }, { letter: "B", answers: { f: { look: null } } }])).toEqual([]);
  });

  it("are begun from whole, with what was left open left open", () => {
    expect(startFrom(form, a)).toEqual({ "lobe/l": 1, "lobe/r": 2, look: "ggo", fluid: null });
    expect(agreedOn(form, [a, b])).toEqual({ "lobe/l": 1, "lobe/r": null, look: "ggo", fluid: null });
  });

  it("are not begun from where this form does not know an answer of an older one", () => {
    expect(startFrom(form, { letter: "A", answers: { f: { "lobe/l": 9, look: "crazy paving", gone: 1 } } })).toEqual({ "lobe/l": null, "lobe/r": null, look: null, fluid: null });
  });

  it("are the same whether an open item is null or not there", () => {
    expect(sameAnswers(form, { look: "ggo" }, { look: "ggo", fluid: null })).toBe(true);
    expect(sameAnswers(form, { look: "ggo" }, { look: "cons" })).toBe(false);
  });

  it("are shown in words and with their unit", () => {
    const [left, , look, fluid] = itemsBeside(form, [a, b]).map(({ item }) => item);
    expect([shownValue(left, 2), shownValue(look, "ggo"), shownValue(fluid, 12), shownValue(fluid, null)]).toEqual(["2", "Ground glass", "12 mL", "–"]);
  });
});
