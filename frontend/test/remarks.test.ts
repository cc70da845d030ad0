import { describe, expect, it } from "vitest";
import type { Reading } from "../src/api/types";
import { biasWords, WeightMark } from "../src/panels/Remarks";

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

  it("stands as a mark where there is no room for a line, and says the same", () => {
    const mark = WeightMark({ scan: scan([{ code: "contrast", short: "contrast medium", sentence: "With contrast.", biases_weight: true }]) });
    expect(mark?.props).toMatchObject({ title: "Weight biased by: contrast medium" });
    expect(WeightMark({ scan: scan([{ code: "no_modality", sentence: "No modality.", biases_weight: false }]) })).toBeNull();
  });

  it("is nothing where there is no scan or no warning", () => {
    expect(biasWords(undefined)).toEqual([]);
    expect(biasWords(scan([]))).toEqual([]);
  });
});
