import { describe, expect, it } from "vitest";
import { outlines } from "../src/viewer/outlines";

function dice(seed: number): () => number {
  let state = seed >>> 0;
  return () => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32);
}

/** Every side of every pixel of a label beyond which the label ends, as unit pieces of the lattice. */
function plain(labels: Uint8Array, width: number, height: number): Map<number, Set<string>> {
  const found = new Map<number, Set<string>>();
  const at = (x: number, y: number): number => (x < 0 || y < 0 || x >= width || y >= height ? 0 : labels[y * width + x]);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const label = at(x, y);
      if (!label) continue;
      const sides = [[0, -1, "-", x, y], [0, 1, "-", x, y + 1], [-1, 0, "|", x, y], [1, 0, "|", x + 1, y]] as const;
      for (const [dx, dy, kind, ex, ey] of sides) {
        if (at(x + dx, y + dy) === label) continue;
        if (!found.has(label)) found.set(label, new Set());
        found.get(label)!.add(`${kind}${ex},${ey}`);
      }
    }
  }
  return found;
}

describe("outlines", () => {
  it("are the sides of pixels beyond which their label ends, each once", () => {
    for (let seed = 1; seed <= 60; seed++) {
      const roll = dice(seed);
      const [width, height] = [1 + Math.floor(roll() * 14), 1 + Math.floor(roll() * 14)];
      const kinds = 1 + Math.floor(roll() * 3);
      const labels = Uint8Array.from({ length: width * height }, () => (roll() < 0.6 ? 1 + Math.floor(roll() * kinds) : 0));
      const found = new Map<number, Set<string>>();
      for (const [label, edges] of outlines(labels, width, height)) {
        const units = new Set<string>();
        for (const [x0, y0, x1, y1] of edges) {
          const along = x0 === x1 ? "|" : "-";
          for (let n = 0; n < Math.max(x1 - x0, y1 - y0); n++) {
            const unit = along === "-" ? `-${x0 + 0.5 + n},${y0 + 0.5}` : `|${x0 + 0.5},${y0 + 0.5 + n}`;
            expect(units.has(unit)).toBe(false);
            units.add(unit);
          }
        }
        found.set(label, units);
      }
      expect(found).toEqual(plain(labels, width, height));
    }
  });

  it("drawn pixel by pixel lie on the borders, turned and mirrored as the plane is", () => {
    const labels = new Uint8Array(6 * 4);
    for (const i of [7, 8, 13, 14]) labels[i] = 2;
    const edges = outlines(labels, 6, 4).get(2)!;
    const draw = (a: number, b: number, c: number, d: number, e: number, f: number): string[] => {
      const words = new Uint32Array(16 * 16);
      edges.raster(words, 16, 16, { a, b, c, d, e, f }, 1, 7);
      return Array.from({ length: 16 }, (_, y) => [...words.subarray(16 * y, 16 * (y + 1))].map((word) => (word ? "#" : ".")).join(""));
    };
    // Two by two pixels at (1, 1), three times as large: a square from 3 to 9, one pixel of border.
    const square = draw(3, 0, 0, 3, 1.5, 1.5);
    expect(square.slice(2, 11)).toEqual(["................", ...["...#######......", ...Array<string>(5).fill("...#.....#......"), "...#######......"], "................"]);
    expect(draw(-3, 0, 0, 3, 13.5, 1.5).slice(3, 5)).toEqual(["......#######...", "......#.....#..."]);
    expect(draw(0, 3, 3, 0, 1.5, 1.5)).toEqual(square);
    // What lies beyond the canvas is left out.
    expect(draw(3, 0, 0, 3, -30, 1.5).join("")).not.toContain("#");
  });
});
