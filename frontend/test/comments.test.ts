/** Comments: whom an @ offers, and which pins lie on a slice. */
import { beforeEach, expect, it } from "vitest";
import type { CommentThread } from "../src/api/types";
import { Grid } from "../src/geometry/grid";
import { chosenThread, comments, composing, listed, openCount, pinsOn, pinsShown } from "../src/reading/comments";
import { matching, mentionAt } from "../src/reading/mentions";

const grid = new Grid([12, 48, 64], [[2, 0, 0, 0], [0, 2, 0, 0], [0, 0, 5, 0], [0, 0, 0, 1]]);

const thread = (id: string, voxel: CommentThread["voxel"], resolved = false): CommentThread => ({
  id, reading: "r", whose: { reader: "Kim", stage: "draft", mine: true }, voxel, label: null, resolved, resolved_by: null, resolved_at: null, comments: [],
});

function given(...threads: CommentThread[]): void {
  comments.value = { threads, may_comment: true, comment_refusal: null, people: [], readings: [] };
}

beforeEach(() => {
  comments.value = null;
  chosenThread.value = composing.value = null;
  pinsShown.value = true;
});

it("an @ at the beginning of a word is one, in an address it is not", () => {
  expect(mentionAt("look @ki", 8)).toEqual({ from: 5, word: "ki" });
  expect(mentionAt("@", 1)).toEqual({ from: 0, word: "" });
  expect(mentionAt("(@Ämi", 5)).toEqual({ from: 1, word: "Ämi" });
  expect(mentionAt("a@b", 3)).toBeNull();
  expect(mentionAt("look @ki there", 14)).toBeNull();
});

it("people are offered by any word of their name, and by user name", () => {
  const people = [{ name: "Kim Lee", username: "klee" }, { name: "Amara", username: "ao" }];
  expect(matching(people, "le").map(({ name }) => name)).toEqual(["Kim Lee"]);
  expect(matching(people, "AO").map(({ name }) => name)).toEqual(["Amara"]);
  expect(matching(people, "").length).toBe(2);
  expect(matching(people, "x")).toEqual([]);
});

it("a pin lies on the one slice of each plane that goes through its voxel", () => {
  given(thread("a", [10, 20, 3]));
  const [pin] = pinsOn(grid, "axial", 3);
  expect([pin.voxel, pin.text, pin.chosen]).toEqual([[10, 20, 3], "1", false]);
  expect(pinsOn(grid, "coronal", 20)).toHaveLength(1);
  expect(pinsOn(grid, "sagittal", 10)).toHaveLength(1);
  expect(pinsOn(grid, "axial", 10)).toEqual([]);
  pinsShown.value = false;
  expect(pinsOn(grid, "axial", 3)).toEqual([]);
});

it("a resolved thread loses its pin unless it is chosen, and numbers stay", () => {
  given(thread("a", [1, 1, 3], true), thread("b", null), thread("c", [2, 2, 3]));
  expect(pinsOn(grid, "axial", 3).map(({ text }) => text)).toEqual(["3"]);
  expect(listed.value.map(({ number }) => number)).toEqual([2, 3, 1]);
  expect(openCount.value).toBe(2);
  chosenThread.value = "a";
  expect(pinsOn(grid, "axial", 3).map(({ text, chosen }) => [text, chosen])).toEqual([["1", true], ["3", false]]);
});

it("where a comment is being written stands a pin, unless it is about the whole case", () => {
  composing.value = { voxel: [4, 5, 6], spot: [4, 5, 6] };
  expect(pinsOn(grid, "axial", 6).map(({ text }) => text)).toEqual(["+"]);
  composing.value = { voxel: null, spot: [4, 5, 6] };
  expect(pinsOn(grid, "axial", 6)).toEqual([]);
});
