/** Labels, classes of a difference and authors stay apart for readers who do not tell red from green. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { DIFFERENCE_COLOURS } from "../src/viewer/maskpainter";
import { deltaE2000, labOf, VISIONS } from "./colours";

const source = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const labels = [...source("webapp/masks/presets.py").matchAll(/"(#[0-9A-F]{6})"/g)].map((match) => match[1]);
const authors = [.../AUTHOR_COLOURS = \(([^)]+)\)/.exec(source("webapp/readings/history_api.py"))![1].matchAll(/#[0-9A-F]{6}/g)].map((match) => match[0]);

/** 2.3 is just noticeable side by side; patches that lie apart on grey need several times that. */
const APART = 10;

it("CIEDE2000 as published: pairs 1, 17 and 25 of Sharma's data", () => {
  expect(deltaE2000([50, 2.6772, -79.7751], [50, 0, -82.7485])).toBeCloseTo(2.0425, 4);
  expect(deltaE2000([50, 2.5, 0], [73, 25, -18])).toBeCloseTo(27.1492, 4);
  expect(deltaE2000([60.2574, -34.0099, 36.2677], [60.4626, -34.1751, 39.4387])).toBeCloseTo(1.2644, 4);
});

describe.each(Object.entries(VISIONS))("%s", (_, vision) => {
  it.each([
    ["labels", labels],
    ["classes of a difference", Object.values(DIFFERENCE_COLOURS)],
    ["authors", authors],
  ])("%s are apart", (_name, colours) => {
    expect(colours.length).toBeGreaterThan(2);
    const near: string[] = [];
    colours.forEach((one, n) =>
      colours.slice(n + 1).forEach((other) => {
        const away = deltaE2000(labOf(one, vision), labOf(other, vision));
        if (away < APART) near.push(`${one} ${other}: ${away.toFixed(1)}`);
      }),
    );
    expect(near).toEqual([]);
  });
});
