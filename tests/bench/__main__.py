"""`make bench`: figures on the real scan of the data folder, the stock loading path measured beside ours."""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from tests.bench import loading, painting, starting
from tests.bench.figures import Figure, median, percentile, print_table, write_results
from tests.journeys.site import ROOT, Person, Site, running_site
from tests.journeys.viewer import Reader, launch_browser

SCAN = Path("dicom") / "ricord-001012-covid"
SLUG = "bench"


def say(text: str) -> None:
    """Progress, apart from the table."""
    print(text, file=sys.stderr, flush=True)


def bring_in(site: Site, folder: Path, raw: dict[str, Any]) -> dict[str, Person]:
    """Ingest and draft the scan on an otherwise idle site; the people of its campaign."""
    people = site.furnish(SLUG, "coordinator", "radiologist")
    say("ingesting ...")
    began = time.monotonic()
    site.ingest(folder, slug=SLUG)
    raw["ingest_s"] = time.monotonic() - began
    say("drafting ...")
    (run,) = site.wait_for_drafts(SLUG)
    raw["draft_s"] = run["duration_s"]
    return people


def begin_reading(browser: Browser, site: Site, person: Person) -> str:
    """Start the reading that every load then opens; its id."""
    context = browser.new_context(viewport=loading.SCREEN)
    reader = Reader(site, context.new_page(), person)
    reader.sign_in()
    reader.start_reading(SLUG, 1)
    context.close()
    return reader.reading_id


def measure_loading(browser: Browser, site: Site, person: Person, folder: Path, runs: int, raw: dict[str, Any]) -> str:
    """Ours and stock in turns, so that both meet the same neighbours on the machine; the reading's id."""
    reading_id = begin_reading(browser, site, person)
    with loading.stock_server(folder) as address:
        for run in range(runs):
            raw["ours"].append(loading.load_ours(browser, site, person, reading_id))
            say(f"load {run + 1} of {runs}, ours:  {raw['ours'][-1]}")
            raw["stock"].append(loading.load_stock(browser, address))
            say(f"load {run + 1} of {runs}, stock: {raw['stock'][-1]}")
    return reading_id


def measure_painting(browser: Browser, site: Site, person: Person, reading_id: str, raw: dict[str, Any]) -> None:
    """Strokes and mask of a reading that is open."""
    context = browser.new_context(viewport=loading.SCREEN)
    reader = Reader(site, context.new_page(), person)
    reader.sign_in()
    reader.open_reading(reading_id)
    raw["mask"] = painting.mask_load_ms(reader)
    say("painting ...")
    raw["painting"] = painting.paint_many(reader)
    raw["slab_bytes"] = sum(slab["bytes"] for slab in reader.api()["scan"]["slabs"])
    context.close()


def figures_of(raw: dict[str, Any]) -> list[Figure]:
    """The lines of the table."""

    def both(name: str, key: str) -> Figure:
        ours, stock = ([run[key] for run in raw[who]] for who in ("ours", "stock"))
        return Figure(name, median(ours), "ms", median(stock), f"median of {len(ours)} fresh profiles each, in turns")

    paint, mask = raw["painting"], raw["mask"]
    megabytes, raw_megabytes = raw["slab_bytes"] / 1e6, raw["frame_bytes"] / 1e6
    lines = [
        both("first slice visible", "first_slice_ms"),
        both("all slices complete, three planes drawn", "complete_ms"),
        Figure("scan on the wire", megabytes, "MB", raw_megabytes, "stock: raw frames"),
        Figure("mask load, p50", median(mask["ms"]), "ms", note=f"{mask['bytes'] / 1000:.0f} kB, two layers"),
        Figure("brush: pointer to drawn, p50", median(paint["draw_ms"]), "ms", note=f"{len(paint['draw_ms'])} moves"),
        Figure("brush: pointer to drawn, p95", percentile(paint["draw_ms"], 95), "ms"),
        Figure(
            "stroke sent to committed, p50", median(paint["save_ms"]), "ms", note=f"{len(paint['save_ms'])} strokes"
        ),
        Figure("stroke sent to committed, p95", percentile(paint["save_ms"], 95), "ms"),
        Figure("bytes of a stroke, p50", median(paint["bytes"]), "B", note=f"at most {max(paint['bytes'])}"),
        Figure("ingest", raw["ingest_s"], "s", note="248 slices, the command from its start to its end"),
        Figure("AI draft, classical baseline", raw["draft_s"], "s", note="248 slices, worker on the same machine"),
    ]
    if raw["second_start_s"] is not None:
        lines.append(Figure("second make run until the site answers", raw["second_start_s"], "s"))
    return lines


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="loads of each kind (default 3)")
    parser.add_argument("--no-start", action="store_true", help="leave out the start of make run")
    options = parser.parse_args()
    data = os.environ.get("GROUNDGLASS_DATA")
    if not data:
        print("GROUNDGLASS_DATA is not set: make bench needs the real scan in that folder.", file=sys.stderr)
        return 1
    folder = Path(data).resolve() / SCAN
    raw: dict[str, Any] = {"ours": [], "stock": [], "frame_bytes": 248 * 512 * 512 * 2, "second_start_s": None}
    say("building the stock loader's page ...")
    loading.build_stock_page()
    with tempfile.TemporaryDirectory(prefix="groundglass-bench-") as home:
        with running_site(Path(home) / "site") as site, sync_playwright() as playwright:
            person = bring_in(site, folder, raw)["radiologist"]
            browser = launch_browser(playwright)
            reading_id = measure_loading(browser, site, person, folder, options.runs, raw)
            measure_painting(browser, site, person, reading_id, raw)
            browser.close()
        if not options.no_start:
            say("starting make run twice ...")
            raw["second_start_s"] = starting.second_start_s(Path(home) / "run")
    figures = figures_of(raw)
    print_table(figures)
    print(f"\nEvery run: {write_results(ROOT / 'bench-results', figures, raw)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
