import { describe, expect, it } from "vitest";
import { changedParts, isWanted } from "../src/pages/fragments";
import { fetchAhead } from "../src/reading/ahead";

describe("parts of a page that are read anew", () => {
  it("hear every kind of event, or those alone that they name", () => {
    expect(isWanted(undefined, "case.settled")).toBe(true);
    expect(isWanted("notice", "notice.made")).toBe(true);
    expect(isWanted("notice comment", "comment.added")).toBe(true);
    expect(isWanted("notice", "reading.assigned")).toBe(false);
    expect(isWanted("notice", "noticeboard.made")).toBe(false);
  });
});

describe("parts that read otherwise", () => {
  const part = (id: string, outerHTML: string) => ({ id, outerHTML });

  it("are those alone that changed", () => {
    const before = [part("a", "<td>1</td>"), part("b", "<td>2</td>"), part("c", "<td>3</td>")];
    const after = [part("a", "<td>1</td>"), part("b", "<td>5</td>"), part("c", "<td>4</td>")];
    expect(changedParts(before, after)).toEqual([1, 2]);
    expect(changedParts(before, before)).toEqual([]);
  });

  it("cannot be told where lines came, went or moved", () => {
    const before = [part("a", "x"), part("b", "y")];
    expect(changedParts(before, [part("b", "y"), part("a", "x")])).toBeNull();
    expect(changedParts(before, [part("a", "x")])).toBeNull();
  });
});

describe("slabs fetched ahead", () => {
  const slabs = ["/a", "/b", "/c"].map((url) => ({ url, bytes: 1 }));

  it("come one after the other, each read to its end", async () => {
    const asked: string[] = [];
    let open = 0;
    const get = (async (url: string) => {
      expect(open).toBe(0);
      open++;
      asked.push(url);
      return { ok: true, arrayBuffer: async () => void open-- };
    }) as unknown as typeof fetch;
    await fetchAhead(slabs, new AbortController().signal, get);
    expect(asked).toEqual(["/a", "/b", "/c"]);
  });

  it("stop at the first that fails and when told to", async () => {
    const asked: string[] = [];
    const get = (async (url: string) => {
      asked.push(url);
      return { ok: url !== "/b", arrayBuffer: async () => undefined };
    }) as unknown as typeof fetch;
    await fetchAhead(slabs, new AbortController().signal, get);
    expect(asked).toEqual(["/a", "/b"]);
    const stopped = new AbortController();
    stopped.abort();
    await fetchAhead(slabs, stopped.signal, get);
    expect(asked).toHaveLength(2);
  });
});
