import { afterEach, expect, it } from "vitest";
import { panelFolded } from "../src/layout";
import { firstWord } from "../src/panels/Folded";
import type { Desk } from "../src/reading/desk";
import * as state from "../src/state";

const desk = { whyNot: "Kim is editing this reading: you are looking on." } as Desk;

afterEach(() => {
  panelFolded.value = false;
  state.notice.value = null;
  state.trouble.value = null;
  state.writing.value = { kind: "starting" };
});

it("a folded panel loses no word: what weighs most is said outside of it, and nothing twice", () => {
  state.writing.value = { kind: "held", holder: "Kim", since: "" };
  expect(firstWord(desk), "the panel is there and says it").toBeNull();
  panelFolded.value = true;
  expect(firstWord(desk)).toContain("looking on");
  state.notice.value = "Nothing to erase here.";
  expect(firstWord(desk)).toBe("Nothing to erase here.");
  state.trouble.value = "the server cannot be reached.";
  expect(firstWord(desk)).toContain("Not loaded");
  state.trouble.value = state.notice.value = null;
  state.writing.value = { kind: "writing" };
  expect(firstWord(desk)).toBeNull();
});
