import { describe, expect, it, vi } from "vitest";
import { placesInTime, roundUp, trendOf } from "../src/panels/trend";
import { fetchAhead, fetched, watchNext } from "../src/reading/prefetch";
import { besidePlane, layout, lower, mayOneUp, narrow, nextLayout, nextPlane, visiblePlanes } from "../src/layout";
import * as state from "../src/state";
import { dropWindow, nextWindow, ownWindows, presentWindow, saveWindow } from "../src/windows";

describe("layouts", () => {
  it("V goes round: axial large, axial alone, three equal", () => {
    const seen = [0, 1, 2, 3].map(() => {
      const now = [layout.value, [...visiblePlanes.value].join(" ")];
      nextLayout();
      return now;
    });
    expect(seen).toEqual([
      ["large", "axial coronal sagittal"],
      ["axial", "axial"],
      ["four", "axial coronal sagittal"],
      ["large", "axial coronal sagittal"],
    ]);
    layout.value = "large";
  });

  it("V ends one plane on the whole screen, and changes the plane of two side by side", () => {
    state.oneUp.value = "sagittal";
    expect(visiblePlanes.value).toEqual(["sagittal"]);
    nextLayout();
    expect([state.oneUp.value, layout.value]).toEqual([null, "large"]);
    besidePlane.value = "axial";
    nextLayout();
    expect(visiblePlanes.value).toEqual(["coronal"]);
    expect(state.activePlane.value).toBe("coronal");
    besidePlane.value = null;
    state.activePlane.value = "axial";
  });

  it("a narrow window shows one plane below the axial one, by its tab", () => {
    narrow.value = true;
    expect(visiblePlanes.value).toEqual(["axial", "coronal"]);
    lower.value = "sagittal";
    expect(visiblePlanes.value).toEqual(["axial", "sagittal"]);
    narrow.value = false;
  });
});

describe("the active plane", () => {
  const round = (): string[] =>
    [0, 1, 2].map(() => {
      nextPlane();
      expect(visiblePlanes.value).toContain(state.activePlane.value);
      return `${state.activePlane.value} of ${visiblePlanes.value.join(" ")}`;
    });

  it("goes round by its key, and is on the screen in every layout", () => {
    const all = "axial coronal sagittal";
    expect(round()).toEqual([`coronal of ${all}`, `sagittal of ${all}`, `axial of ${all}`]);
    layout.value = "axial";
    expect(mayOneUp.value).toBe(false);
    expect(round()).toEqual(["coronal of coronal", "sagittal of sagittal", "axial of axial"]);
    expect(state.oneUp.value).toBeNull();
    layout.value = "large";
    narrow.value = true;
    expect(round()).toEqual(["coronal of axial coronal", "sagittal of axial sagittal", "axial of axial sagittal"]);
    narrow.value = false;
    lower.value = "coronal";
    state.oneUp.value = "axial";
    expect(round()).toEqual(["coronal of coronal", "sagittal of sagittal", "axial of axial"]);
    expect(mayOneUp.value).toBe(true);
    state.oneUp.value = null;
    besidePlane.value = "axial";
    expect(round()).toEqual(["coronal of coronal", "sagittal of sagittal", "axial of axial"]);
    expect(mayOneUp.value).toBe(false);
    besidePlane.value = null;
  });
});

describe("windows", () => {
  const desk = { setWindow: (width: number, level: number) => void (state.voi.value = { width, level }) };

  it("the present one is kept under a name, comes round with W, and can be forgotten", () => {
    desk.setWindow(700, -400);
    expect(presentWindow.value).toBeNull();
    expect(saveWindow(" Fibrosis ")).toBeNull();
    expect(presentWindow.value?.name).toBe("Fibrosis");
    nextWindow(desk);
    expect(presentWindow.value?.name).toBe("Lung");
    for (let n = 0; n < 3; n++) nextWindow(desk);
    expect(state.voi.value).toEqual({ width: 700, level: -400 });
    dropWindow("Fibrosis");
    expect(ownWindows.value).toEqual([]);
  });

  it("needs a name that is free; its own is replaced", () => {
    expect(saveWindow("  ")).toBeTruthy();
    expect(saveWindow("lung")).toContain("lung");
    desk.setWindow(300, 0);
    saveWindow("Mine");
    desk.setWindow(310, 5);
    saveWindow("mine");
    expect(ownWindows.value).toEqual([{ name: "mine", width: 310, level: 5 }]);
    dropWindow("mine");
  });
});

describe("a trend", () => {
  it("stands by date where every scan has one, else evenly", () => {
    expect(placesInTime(["2020-03-01", "2020-03-11", "2020-04-10"], 200)).toEqual([0, 50, 200]);
    expect(placesInTime(["2020-03-01", null, "2020-04-10"], 200)).toEqual([0, 100, 200]);
    expect(placesInTime(["2020-03-01"], 200)).toEqual([100]);
  });

  it("starts at nought, ends at a round number, and leaves a gap where a value is missing", () => {
    expect([0, 0.3, 4.2, 10, 170.6].map(roundUp)).toEqual([1, 0.5, 5, 10, 200]);
    const { path, points, top } = trendOf([null, null, null, null], [5, 10, null, 0], 90, 40);
    expect(top).toBe(10);
    expect(points.map(({ y }) => y)).toEqual([20, 0, null, 40]);
    expect(path).toBe("M0.0 20.0L30.0 0.0M90.0 40.0");
  });
});

describe("the next case", () => {
  const slabs = [0, 1, 2].map((n) => ({ url: `/slab/${n}`, bytes: 10 }));

  it("is fetched one slab after the other, with low priority, each to its end", async () => {
    const asked: string[] = [];
    let open = 0;
    const get = (async (url: string, init: RequestInit) => {
      expect(open++).toBe(0);
      asked.push(`${url} ${init.priority}`);
      return { ok: true, arrayBuffer: async () => void open-- };
    }) as unknown as typeof fetch;
    const before = fetched.slabs;
    await fetchAhead(slabs, new AbortController().signal, get);
    expect(asked).toEqual(["/slab/0 low", "/slab/1 low", "/slab/2 low"]);
    expect(fetched.slabs - before).toBe(3);
  });

  it("is given up when something else is wanted, and after a refusal", async () => {
    const stop = new AbortController();
    let asked = 0;
    await fetchAhead(slabs, stop.signal, (async () => {
      asked++;
      stop.abort();
      return { ok: true, arrayBuffer: async () => undefined };
    }) as unknown as typeof fetch);
    expect(asked).toBe(1);
    asked = 0;
    await fetchAhead(slabs, new AbortController().signal, (async () => {
      asked++;
      return { ok: false };
    }) as unknown as typeof fetch);
    expect(asked).toBe(1);
  });

  it("goes on where it broke off, later and later while it brings nothing", async () => {
    vi.useFakeTimers();
    vi.stubGlobal("navigator", {});
    const asked: string[] = [];
    let works = true;
    const get = (async (url: string) => {
      asked.push(url);
      if (asked.length === 2) works = false;
      if (!works) throw new TypeError("Failed to fetch");
      return { ok: true, arrayBuffer: async () => undefined };
    }) as unknown as typeof fetch;
    fetched.slabs = 0;
    state.loadedSlices.value = 3;
    state.reading.value = { scan: { shape_zyx: [3, 2, 2] }, next: { slabs: slabs.map((slab, n) => ({ ...slab, z_start: n })) } } as never;
    watchNext(get);
    await vi.advanceTimersByTimeAsync(2000);
    expect(asked).toEqual(["/slab/1", "/slab/0"]);
    await vi.advanceTimersByTimeAsync(31_000);
    expect(asked.length).toBe(3);
    await vi.advanceTimersByTimeAsync(31_000);
    expect(asked.length, "nothing came: twice as long").toBe(3);
    works = true;
    await vi.advanceTimersByTimeAsync(31_000);
    expect(asked.slice(3)).toEqual(["/slab/0", "/slab/2"]);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(asked.length).toBe(5);
    state.reading.value = null;
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });
});
