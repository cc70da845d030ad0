/** How the labels of a reading's label set are counted. */
import type { Reading } from "../api/types";
import type { LabelUse } from "../edits/measure";

export const usesOf = ({ labels }: Reading["label_set"]): LabelUse[] =>
  labels.map((label) => ({ value: label.value, isExclusion: label.is_exclusion, countsAsLung: label.counts_as_lung }));
