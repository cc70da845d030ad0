"""How long until a scan is on the screen: ours, and the stock WADO-RS path, in turns in the same Chromium."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser

from tests.bench.dicomweb import PAGES, SERIES
from tests.journeys.site import PATIENCE_S, ROOT, Person, Site, free_port, wait_until
from tests.journeys.viewer import PATIENCE_MS, Reader

SCREEN = {"width": 1440, "height": 900}
BENCH_FRONTEND = ROOT / "frontend" / "bench"


def build_stock_page() -> None:
    """Install and build the stock loader's page where that has not been done since it last changed."""
    sources = [*BENCH_FRONTEND.glob("*.*"), *(BENCH_FRONTEND / "src").iterdir()]
    page = PAGES / "index.html"
    if page.exists() and page.stat().st_mtime >= max(source.stat().st_mtime for source in sources):
        return
    for command in (["npm", "ci", "--no-audit", "--no-fund"], ["npm", "run", "build"]):
        subprocess.run(command, cwd=BENCH_FRONTEND, check=True, stdout=subprocess.DEVNULL)


@contextlib.contextmanager
def stock_server(folder: Path) -> Iterator[str]:
    """The stock page and its DICOMweb server under uvicorn, as our own site runs; its address."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "uvicorn", "tests.bench.dicomweb:application", "--port", str(port)]
    environment = {**os.environ, "BENCH_SERIES": str(folder)}
    server = subprocess.Popen([*command, "--log-level", "warning"], cwd=ROOT, env=environment)
    try:
        wait_until("the stock server answers", lambda: _answers(f"{address}/bench/index.html"))
        yield address
    finally:
        server.kill()
        server.wait()


def _answers(url: str) -> bool:
    import urllib.request

    with contextlib.suppress(OSError):
        urllib.request.urlopen(url, timeout=PATIENCE_S).close()
        return True
    return False


def load_stock(browser: Browser, address: str) -> dict[str, float]:
    """One load in a fresh profile; milliseconds since navigation."""
    context = browser.new_context(viewport=SCREEN)
    page = context.new_page()
    page.goto(f"{address}/bench/index.html?series={SERIES}")
    page.wait_for_function(
        "() => window.stock && (window.stock.timings.complete !== undefined || window.stock.failed)",
        timeout=PATIENCE_MS,
    )
    result: dict[str, Any] = page.evaluate("() => window.stock")
    context.close()
    if result["failed"]:
        raise RuntimeError(result["failed"])
    timings = result["timings"]
    return {"first_slice_ms": timings["firstSlice"], "complete_ms": timings["complete"]}


def load_ours(browser: Browser, site: Site, person: Person, reading_id: str) -> dict[str, float]:
    """One load in a fresh profile, signed in beforehand; milliseconds since navigation."""
    context = browser.new_context(viewport=SCREEN)
    reader = Reader(site, context.new_page(), person)
    reader.sign_in()
    reader.open_reading(reading_id, ready=False)
    reader.wait_for_handle("g?.slicesComplete")
    timings = reader.handle("g.timings")
    context.close()
    return {"first_slice_ms": timings["firstSliceMs"], "complete_ms": timings["completeMs"]}
