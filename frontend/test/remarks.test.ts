import { describe, expect, it } from "vitest";
import type { Reading } from "../src/api/types";
import { biasWords } from "../src/panels/Remarks";

const scan = (warnings: Reading["scan"]["warnings"]): Reading["scan"] => ({ warnings }) as Reading["scan"];

describe("what biases a weight", () => {
  it("is named in a word each, and what does not bias it is left out", () => {
    const words = biasWords(
      scan([
        { code: "thick_slices", short: "thick slices", sentence: "Thick slices (5 mm).", biases_weight: true },
        { code: "no_modality", short: "no modality", sentence: "The files do not name a modality.", biases_weight: false },
      ]),
    );
    expect(words).toEqual(["thick slices"]);
  });

  it("counts a warning that says nothing about itself, by its code", () => {
    expect(biasWords(scan([{ code: "something_new", sentence: "Something new." }]))).toEqual(["something new"]);
  });

  it("is nothing where there is no scan or no warning", () => {
    expect(biasWords(undefined)).toEqual([]);
    expect(biasWords(scan([]))).toEqual([]);
  });
});
