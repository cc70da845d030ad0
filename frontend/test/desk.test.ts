import { afterEach, expect, it } from "vitest";
import * as display from "../src/display";
import { Grid } from "../src/geometry/grid";
import { Desk } from "../src/reading/desk";
import * as state from "../src/state";

/** A desk whose reading is not open yet. */
const desk = Object.create(Desk.prototype, { session: { value: { editor: null } }, hand: { value: "free", writable: true }, grid: { value: new Grid([4, 4, 4], [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]) } }) as Desk;

afterEach(() => {
  state.writing.value = { kind: "starting" };
  state.notice.value = null;
  state.catchingUp.value = false;
  display.shown.value = { kind: "mask" };
  state.tool.value = "window";
});

it.each([
  [{ kind: "held", holder: "Kim", since: "" }, "Kim is editing"],
  [{ kind: "free" }, "press Edit"],
  [{ kind: "read_only", sentence: "This reading is signed: it no longer changes." }, "signed"],
  [{ kind: "starting" }, "still being opened"],
] as const)("a tool that edits is not taken up in vain: it is said why (%o)", (writing, words) => {
  state.writing.value = writing as typeof state.writing.value;
  desk.takeUp("brush");
  expect(state.tool.value).toBe("window");
  expect(state.notice.value).toContain(words);
  state.notice.value = null;
  desk.takeUp("length");
  expect([state.tool.value, state.notice.value]).toEqual(["length", null]);
});

it("the writer is told of the past and of catching up, and otherwise nothing", () => {
  state.writing.value = { kind: "writing" };
  desk.takeUp("brush");
  expect([state.tool.value, state.notice.value]).toEqual(["brush", null]);
  state.catchingUp.value = true;
  desk.takeUp("lasso");
  expect([state.tool.value, state.notice.value?.includes("brought up to date")]).toEqual(["brush", true]);
  state.catchingUp.value = false;
  display.shown.value = { kind: "film", layers: {} as never, title: "" };
  desk.takeUp("lasso");
  expect([state.tool.value, state.notice.value?.includes("past")]).toEqual(["brush", true]);
});

it("a press that paints nothing says so, until a stroke is painted", () => {
  state.writing.value = { kind: "writing" };
  state.catchingUp.value = true;
  const editor = { painting: false, begin: () => undefined, settle: () => undefined };
  const painter = Object.create(Desk.prototype, { session: { value: { editor } }, steps: { value: [] } }) as Desk;
  expect(painter.beginStroke("axial", "brush", 1, null)).toBeNull();
  painter.refusePress();
  expect(state.notice.value).toMatch(/^Nothing was painted\. .*brought up to date/);
  state.catchingUp.value = false;
  expect(painter.beginStroke("axial", "brush", 1, null)).not.toBeNull();
  expect(state.notice.value).toBeNull();
});

it("no tool is taken up, and no slice turned, under what is being drawn", () => {
  state.writing.value = { kind: "writing" };
  state.tool.value = "brush";
  state.slices.value = { axial: 1, coronal: 1, sagittal: 1 };
  desk.hand = "drawing";
  desk.takeUp("eraser");
  desk.scroll("axial", 1);
  expect([state.tool.value, state.slices.value.axial]).toEqual(["brush", 1]);
  desk.hand = "free";
  desk.takeUp("eraser");
  desk.scroll("axial", 1);
  expect([state.tool.value, state.slices.value.axial]).toEqual(["eraser", 2]);
});
