"""What the browser holds: the memory of its processes as the kernel counts it, at the highest and at rest."""

import contextlib
import threading
from collections.abc import Callable
from typing import Any

import psutil
from playwright.sync_api import Browser

from tests.bench import loading, painting, scrolling
from tests.bench.subjects import Subject
from tests.journeys.site import Site
from tests.journeys.viewer import Reader

EVERY_S = 0.5
REST_MS = 3000


def processes(of: str) -> list[psutil.Process]:
    """The browser's processes of a type that descend from this one ("renderer", "gpu-process")."""
    found = []
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if f"--type={of}" in child.cmdline():
                found.append(child)
    return found


def pss_bytes(pid: int) -> int:
    """Proportional set size of a process: shared pages count once in all. Raises OSError where it is gone."""
    with open(f"/proc/{pid}/smaps_rollup") as rollup:
        return sum(int(line.split()[1]) * 1024 for line in rollup if line.startswith("Pss:"))


def held_bytes() -> dict[str, int]:
    """What the renderers and the GPU process hold."""
    held = {}
    for of in ("renderer", "gpu-process"):
        held[of] = 0
        for process in processes(of):
            with contextlib.suppress(OSError):
                held[of] += pss_bytes(process.pid)
    return held


class Watch:
    """Samples `held` (bytes) every so often in a thread of its own; `peak` is the highest of them."""

    def __init__(self, held: Callable[[], int], every_s: float = EVERY_S) -> None:
        self.held, self.every_s = held, every_s
        self.peak = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._done.wait(self.every_s):
            self.peak = max(self.peak, self.held())


def measure(browser: Browser, site: Site, subject: Subject) -> dict[str, Any]:
    """Open the reading, scroll through two planes, paint a little, come to rest."""
    empty = sum(held_bytes().values())
    context = browser.new_context(viewport=loading.SCREEN)
    reader = Reader(site, context.new_page(), subject.person)
    reader.sign_in()
    with Watch(lambda: sum(held_bytes().values())) as watch:
        reader.open_reading(subject.reading_id)
        for plane in ("axial", "coronal"):
            scrolling.scroll(reader, plane)
        painting.paint_many(reader, strokes=3)
        reader.page.wait_for_timeout(REST_MS)
    rest = held_bytes()
    heap = reader.page.evaluate("() => performance.memory?.usedJSHeapSize ?? null")
    context.close()
    return {"peak": watch.peak, **rest, "rest": sum(rest.values()), "js_heap": heap, "without_the_page": empty}
