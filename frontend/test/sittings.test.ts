import { expect, it } from "vitest";
import { nextOf, peopleOf, sittingsOf } from "../src/edits/sittings";

const at = (who: string, minute: number) => ({ who, server_time: new Date(Date.UTC(2026, 0, 5, 9, minute)).toISOString() });
const STROKES = [at("A", 0), at("A", 20), at("B", 25), at("A", 26), at("A", 57), at("B", 58)];

it("a sitting is one reader's, and ends with a pause of half an hour", () => {
  const found = sittingsOf(STROKES);
  expect(found.map(({ who, first, last }) => [who, first, last])).toEqual([["A", 1, 2], ["B", 3, 3], ["A", 4, 4], ["A", 5, 5], ["B", 6, 6]]);
  expect(found[3].began).toBe(STROKES[4].server_time);
  expect(peopleOf(found)).toEqual(["A", "B"]);
  expect(sittingsOf([])).toEqual([]);
});

it("goes from stroke to stroke, of anyone or of one reader", () => {
  expect(nextOf(STROKES, 0, 1, null)).toBe(1);
  expect(nextOf(STROKES, 0, 1, "B")).toBe(3);
  expect(nextOf(STROKES, 3, 1, "B")).toBe(6);
  expect(nextOf(STROKES, 6, 1, "B")).toBeNull();
  expect(nextOf(STROKES, 6, -1, "A")).toBe(5);
  expect(nextOf(STROKES, 3, -1, "B")).toBe(0);
  expect(nextOf(STROKES, 0, -1, null)).toBeNull();
});
