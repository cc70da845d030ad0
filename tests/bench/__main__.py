"""`make bench`: figures on the real scan and on long phantoms and the stock loading path beside ours."""

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Playwright, sync_playwright

from tests.bench import (
    auditing,
    film,
    intake,
    loading,
    memory,
    painting,
    regions,
    scrolling,
    searching,
    segmenting,
    starting,
    worklists,
)
from tests.bench.figures import Figure, median, percentile, print_pauses, print_table, write_results
from tests.bench.subjects import PHANTOMS, REAL, SCAN, Subject, begin_reading, bring_in, file_phantom, say
from tests.journeys.site import ROOT, Site, running_site
from tests.journeys.viewer import launch_browser

PARTS = {
    "load": "first slice and the whole scan in fresh profiles",
    "stock": "the stock WADO-RS path, in turns with ours (with load, on the real scan)",
    "scroll": "new slices a second while the wheel turns",
    "paint": "brush latency, acknowledgement, bytes of a stroke",
    "tools": "key press to the next frame with the tool in hand",
    "mask": "fetching a mask",
    "regions": "region tools, undo and redo: does the page pause (on the scan of 600 slices)",
    "film": "the film of a mask with 5,000 strokes: opened, stepped, thrown far (on the real scan)",
    "memory": "the browser's processes",
    "intake": "300 files by the command and by C-STORE, the memory of 1,500",
    "worklist": "worklist, home and progress of 10,000 cases and 100,000 readings",
    "search": "the list of 10,000 scans: search, filters, counts",
    "audit": "the audit page over two million events, and checking them all",
    "segment": "groundglass segment on the real scan by each algorithm, the network of lungmask beside it",
    "start": "the second make run",
}
# These bring what they need.
WITHOUT_SCANS = {"intake", "search", "segment", "worklist", "audit", "start"}
SCROLLED = ("axial", "coronal", "sagittal")
# A minute and more of region tools is spent on one scan alone.
REGIONS_ON = ("600",)


def measure_loading(browser: Browser, site: Site, subject: Subject, runs: int, stock_address: str | None) -> None:
    """Ours and, with an address, stock in turns, so that both meet the same neighbours on the machine."""
    ours, stock = subject.raw.setdefault("load", []), subject.raw.setdefault("stock", [])
    for run in range(runs):
        ours.append(loading.load_ours(browser, site, subject.person, subject.reading_id))
        say(f"load {run + 1} of {runs}, {subject.name} slices, ours: {ours[-1]}")
        if stock_address:
            stock.append(loading.load_stock(browser, stock_address))
            say(f"load {run + 1} of {runs}, {subject.name} slices, stock: {stock[-1]}")


def measure_reading(browser: Browser, site: Site, subject: Subject, parts: set[str]) -> None:
    """What is measured in an open reading."""
    wanted = parts & {"scroll", "paint", "tools", "mask", "regions"}
    if not wanted or (wanted == {"regions"} and subject.name not in REGIONS_ON):
        return
    say(f"reading, {subject.name} slices ...")
    reader = subject.open(browser, site)
    reader.page.wait_for_timeout(memory.REST_MS)  # what opening started has come to rest
    if "mask" in parts:
        timings = reader.handle("g.timings")
        opening = {"opening_ms": timings["maskMs"] - timings["readingMs"]}
        subject.raw["mask"] = {**painting.mask_load_ms(reader), **opening}
    if "scroll" in parts:
        subject.raw["scroll"] = {plane: scrolling.scroll(reader, plane) for plane in SCROLLED}
    if "tools" in parts:
        subject.raw["tools"] = painting.switch_tools(reader)
    if "paint" in parts:
        subject.raw["paint"] = painting.paint_everywhere(reader)
    if "regions" in parts and subject.name in REGIONS_ON:
        subject.raw["regions"] = regions.region_tools(reader)
    subject.raw["troubles"] = reader.troubles
    reader.page.context.close()


def measure(
    playwright: Playwright, site: Site, subjects: list[Subject], parts: set[str], runs: int, data: Path
) -> None:
    """All parts but the start of the site, on every scan."""
    for subject in subjects:
        subject.raw["load_average"] = os.getloadavg()[0]
        browser = launch_browser(playwright)
        subject.raw["browser"] = browser.version
        begin_reading(browser, site, subject)
        if "load" in parts and "stock" in parts and subject.name == REAL:
            with loading.stock_server(data / SCAN) as address:
                measure_loading(browser, site, subject, runs, address)
        elif "load" in parts:
            measure_loading(browser, site, subject, runs, None)
        measure_reading(browser, site, subject, parts)
        browser.close()
        if "memory" in parts:
            say(f"memory, {subject.name} slices ...")
            browser = launch_browser(playwright)
            subject.raw["memory"] = memory.measure(browser, site, subject)
            browser.close()
        # Last: it gives the mask a history that the other parts shall not meet.
        if "film" in parts and subject.name == REAL:
            film.lengthen(site, subject)
            browser = launch_browser(playwright)
            reader = subject.open(browser, site)
            reader.page.wait_for_timeout(memory.REST_MS)
            subject.raw["film"] = film.measure(reader)
            say(film.shown(subject.raw["film"]))
            subject.raw["film_troubles"] = reader.troubles
            browser.close()


def longest_block(uses: dict[str, dict[str, Any]]) -> float:
    """The longest of all uses of the region tools, undoing and redoing among them."""
    return max(pause["longest_ms"] for use in uses.values() for pause in use.values())


def intake_figures(raw: dict[str, Any]) -> list[Figure]:
    """What came of the part on intake, in the column of the first scan; its series are of 300 and 1,500 images."""
    if not raw:
        return []
    lines = [
        Figure("300 files by manage.py ingest, whole command", "s", {REAL: median(raw["command_s"])}, floor=3.0),
        Figure("  of it until Python has started", "s", {REAL: median(raw["start_s"])}),
        Figure("1,500 files by manage.py ingest", "s", {REAL: raw["long_s"]}),
        Figure(
            "  its memory, highest", "GB", {REAL: raw["long_peak_bytes"] / 1e9}, floor=1.5, note="all its processes"
        ),
    ]
    if raw["store_s"]:
        lines[2:2] = [
            Figure("C-STORE by storescu, acknowledged", "s", {REAL: median(raw["store_s"])}, floor=300 / 40),
            Figure("  until the scan is filed", "s", {REAL: median(raw["store_filed_s"])}, note="2 s of quiet in it"),
        ]
    return lines


def audit_figures(raw: dict[str, Any]) -> list[Figure]:
    """What came of the part on the audit trail, in the column of the first scan."""
    if not raw:
        return []
    pages = {f"audit {address.rsplit('/', 1)[1] or 'page'}": ms for address, ms in raw["pages_ms"].items()}
    return [*page_figures(pages), Figure("2,000,000 events verified", "s", {REAL: raw["verify_s"]})]


def page_figures(pages: dict[str, list[float]]) -> list[Figure]:
    """Each page of a part, in the column of the first scan."""
    return [
        Figure(f"{name}, p95", "ms", {REAL: percentile(ms, 95)}, floor=150, note=f"p50 {median(ms):.0f} ms")
        for name, ms in pages.items()
    ]


def figures_of(
    subjects: list[Subject], second_start_s: float | None, search_ms: list[float], taken_in: dict[str, Any]
) -> list[Figure]:
    """The lines of the table: of what was measured."""

    def each(part: str, value: Any) -> dict[str, float]:
        return {s.name: float(value(s.raw[part])) for s in subjects if s.raw.get(part)}

    def runs(key: str) -> Any:
        return lambda loads: median([load[key] for load in loads]) / 1000

    def stock(key: str) -> float | None:
        return next((runs(key)(s.raw["stock"]) for s in subjects if s.raw.get("stock")), None)

    first, whole, edited = "first_slice_ms", "complete_ms", "paint"
    wire = next((s.raw["frame_bytes"] / 1e6 for s in subjects if s.raw.get("stock")), None)
    lines = [
        Figure("first slice visible", "s", each("load", runs(first)), stock(first), 1.5, note="medians"),
        Figure("all slices, three planes drawn", "s", each("load", runs(whole)), stock(whole), 5.0, (REAL,), "medians"),
        Figure("scan on the wire", "MB", each("slab_bytes", lambda n: n / 1e6), wire, note="stock: raw frames"),
        *(
            Figure(f"scrolling, {plane}", "frames/s", each("scroll", lambda planes, p=plane: planes[p]["frames_per_s"]))
            for plane in SCROLLED
        ),
        *(
            Figure(f"brush, {what}: move to drawn, {name}", "ms", each(edited, of(what)), floor=90)
            for what in ("axial", "coronal", "sagittal", "sphere")
            for name, of in (
                ("p50", lambda what: lambda p: median(p[what]["draw_ms"])),
                ("p95", lambda what: lambda p: percentile(p[what]["draw_ms"], 95)),
            )
        ),
        Figure("tool: key to the next frame, p50", "ms", each("tools", median), floor=50),
        Figure("tool: key to the next frame, p95", "ms", each("tools", lambda ms: percentile(ms, 95))),
        Figure("stroke sent to committed, p50", "ms", each(edited, lambda p: median(p["axial"]["save_ms"]))),
        Figure(
            "stroke sent to committed, p95",
            "ms",
            each(edited, lambda p: percentile(p["axial"]["save_ms"], 95)),
            floor=100,
        ),
        Figure("  of a 50 mm sphere, p95", "ms", each(edited, lambda p: percentile(p["sphere"]["save_ms"], 95))),
        Figure("bytes of a stroke, p50", "B", each(edited, lambda p: median(p["axial"]["bytes"]))),
        Figure("bytes of a stroke, most", "B", each(edited, lambda p: max(p["axial"]["bytes"]))),
        Figure("  of a 50 mm sphere, most", "kB", each(edited, lambda p: max(p["sphere"]["bytes"]) / 1000)),
        Figure("mask load, p50", "ms", each("mask", lambda mask: median(mask["ms"])), floor=500, note="two layers"),
        Figure("  at opening, unpacked", "ms", each("mask", lambda mask: mask["opening_ms"]), note="beside slabs"),
        Figure("mask on the wire", "kB", each("mask", lambda mask: mask["bytes"] / 1000)),
        Figure("browser memory, highest", "GB", each("memory", lambda m: m["peak"] / 1e9), floor=3.0),
        Figure("browser memory, at rest", "GB", each("memory", lambda m: m["rest"] / 1e9), note="renderers and GPU"),
        Figure("  performance.memory, scripts and arrays", "GB", each("memory", lambda m: (m["js_heap"] or 0) / 1e9)),
        Figure("longest block of the page, region tools", "ms", each("regions", longest_block), floor=100),
        Figure(f"film of {film.STROKES} strokes, opened", "s", each("film", lambda f: f["open_s"])),
        Figure("film: a stroke back or on, p50", "ms", each("film", lambda f: median(film.steps(f))), floor=50),
        Figure("film: a stroke back or on, p95", "ms", each("film", lambda f: percentile(film.steps(f), 95))),
        Figure("film: thrown far, the first time, most", "ms", each("film", lambda f: max(film.jumps(f, "jumps")))),
        Figure(
            "film: thrown far, again, most", "ms", each("film", lambda f: max(film.jumps(f, "jumps_again"))), floor=300
        ),
        Figure("film: longest block of the page", "ms", each("film", film.longest_block), floor=100),
        Figure("film: browser memory more than before", "GB", each("film", lambda f: film.memory_bytes(f) / 1e9)),
        Figure("a past state from the server, most", "ms", each("film", lambda f: max(f["server_ms"])), floor=300),
        Figure("ingest, the whole command", "s", each("ingest_s", float)),
        Figure("AI draft, classical baseline", "s", each("draft_s", float), note="worker on the same machine"),
        *intake_figures(taken_in),
        Figure("a page of 10,000 scans, p50", "ms", {REAL: median(search_ms)} if search_ms else {}),
        Figure("a page of 10,000 scans, p95", "ms", {REAL: percentile(search_ms, 95)} if search_ms else {}, floor=150),
        Figure("second make run until the site answers", "s", {REAL: second_start_s} if second_start_s else {}),
    ]
    return [line for line in lines if line.values]


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description=__doc__,
        epilog="Parts: " + "; ".join(f"{part}: {what}" for part, what in PARTS.items()),
    )
    parser.add_argument("--only", default=",".join(PARTS), help="parts to measure, with commas between")
    parser.add_argument("--scans", default=",".join((REAL, *PHANTOMS)), help="248 is the real scan, others phantoms")
    parser.add_argument("--runs", type=int, default=3, help="loads of each kind (default 3)")
    parser.add_argument("--weights", help="weights to segment by beside those that ship")
    options = parser.parse_args()
    parts, scans = set(options.only.split(",")), options.scans.split(",")
    if unknown := parts - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    if not all(scan.isdigit() for scan in scans):
        parser.error("scans are named by their numbers of slices")
    data = os.environ.get("GROUNDGLASS_DATA")
    if REAL in scans and not data and parts - WITHOUT_SCANS:
        print(
            "GROUNDGLASS_DATA is not set: the real scan is not here (--scans 600,1500 does without).", file=sys.stderr
        )
        return 1
    if "stock" in parts and REAL in scans:
        say("building the stock loader's page ...")
        loading.build_stock_page()
    folder = Path(data or ".").resolve()
    second_start_s: float | None = None
    search_ms: list[float] = []
    listed: dict[str, list[float]] = {}
    taken_in: dict[str, Any] = {}
    audited: dict[str, Any] = {}
    segmented: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="groundglass-bench-") as home:
        if scans != [""] and parts - WITHOUT_SCANS:
            with running_site(Path(home) / "site") as site, sync_playwright() as playwright:
                subjects = [bring_in(site, folder / SCAN) if s == REAL else file_phantom(site, s) for s in scans]
                measure(playwright, site, subjects, parts, options.runs, folder)
        else:
            subjects = []
        if "intake" in parts:
            with running_site(Path(home) / "intake", INTAKE_QUIET_S="2") as site:
                taken_in = intake.measure(site, options.runs)
        if parts & {"worklist", "audit"}:
            # One site, so that each is measured beside what the other holds.
            with running_site(Path(home) / "large") as site:
                if "audit" in parts:
                    say("writing 2,000,000 audit events ...")
                    audited = auditing.measure(site)
                if "worklist" in parts:
                    say("seeding 10,000 cases and 100,000 readings ...")
                    listed = worklists.measure(site)
        if "search" in parts:
            say("filing 10,000 scans' records ...")
            with running_site(Path(home) / "search") as site:
                search_ms = searching.measure(site)
        if "segment" in parts and data:
            segmented = segmenting.measure(folder / SCAN, Path(home) / "segment", options.runs, options.weights)
        if "start" in parts:
            say("starting make run twice ...")
            second_start_s = starting.second_start_s(Path(home) / "run")
    figures = [
        *figures_of(subjects, second_start_s, search_ms, taken_in),
        *audit_figures(audited),
        *page_figures(listed),
        *segmenting.figures_of(segmented),
    ]
    print_table(figures, scans)
    for subject in subjects:
        if "regions" in subject.raw:
            print_pauses(subject.raw["regions"])
    raw = {subject.name: subject.raw for subject in subjects}
    raw |= {
        "second_start_s": second_start_s,
        "search_ms": search_ms,
        "intake": taken_in,
        "audit": audited,
        "worklist": listed,
        "segment": segmented,
    }
    measured = [vars(figure) for figure in figures]
    print(f"\nEvery run: {write_results(ROOT / 'bench-results', {'measured': measured, 'raw': raw})}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
