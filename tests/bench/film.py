"""The film of a mask with thousands of strokes: opened, stepped through, and thrown to far places; by mouse and keys.

A step counts from the input event's own time stamp, so with all waiting, to the end of the frame in which the picture
is that of the wanted stroke.
"""

import time
from collections.abc import Callable
from typing import Any

from tests.bench.figures import median
from tests.bench.memory import REST_MS, held_bytes
from tests.bench.pauses import STOP, WATCH
from tests.bench.subjects import Subject, say
from tests.journeys.site import Site
from tests.journeys.viewer import Reader

STROKES = 5000
STEPS = 30
# Parts of the film's length, far apart, both ways.
JUMPS = (0.02, 0.97, 0.5, 0.1, 0.85, 0.33, 0.99, 0.01, 0.66, 0.25)
SERVER_STATES = 12
# The film says that it is under way until the picture is there.
LISTEN = """() => {
  const channel = new MessageChannel();
  const waiting = [];
  window.benchMs = [];
  channel.port1.onmessage = () => window.benchMs.push(performance.now() - waiting.shift());
  const look = stamp => {
    if (document.querySelector('.film[aria-busy=true]')) return requestAnimationFrame(() => look(stamp));
    requestAnimationFrame(() => { waiting.push(stamp); channel.port2.postMessage(0); });
  };
  window.benchListen = event => queueMicrotask(() => look(event.timeStamp));
  for (const kind of ['input', 'click']) addEventListener(kind, window.benchListen);
}"""
TAKEN = "() => window.benchMs.splice(0)"


def lengthen(site: Site, subject: Subject, strokes: int = STROKES) -> None:
    """Give the subject's reading its long history, without a browser."""
    say(f"painting {strokes} strokes on {subject.name} slices ...")
    site.run("-m", "tests.bench.long_history", subject.reading_id, str(strokes))


def _watched(reader: Reader, act: Callable[[], None]) -> tuple[list[float], float]:
    """What the acts took, each, and the longest block of the page meanwhile."""
    reader.page.evaluate(TAKEN)
    reader.page.evaluate(WATCH)
    act()
    reader.page.wait_for_timeout(200)
    watch = reader.page.evaluate(STOP)
    taken: list[float] = reader.page.evaluate(TAKEN)
    return taken, max((duration for _, duration in watch["tasks"] + watch["frames"]), default=0.0)


def measure(reader: Reader) -> dict[str, Any]:
    """Open the film in an open reading, go through it, and close it again."""
    page = reader.page
    before = sum(held_bytes().values())
    page.evaluate(LISTEN)
    reader.press("Shift+H")
    button = page.get_by_role("button", name="Look at the film")
    slider = page.get_by_label("Stroke of the film")
    page.wait_for_selector("button:enabled:text('Look at the film')")
    settled = "() => document.querySelector('.film:not([aria-busy=true])')"

    def opened() -> None:
        button.click()
        page.wait_for_function(settled)

    began = time.perf_counter()
    _, opening_block = _watched(reader, opened)
    figures: dict[str, Any] = {"open_s": time.perf_counter() - began - 0.2, "open_block_ms": opening_block}
    page.wait_for_timeout(REST_MS)
    box = slider.bounding_box()
    assert box

    def jump(part: float) -> None:
        page.mouse.click(box["x"] + box["width"] * part, box["y"] + box["height"] / 2)
        page.wait_for_function(settled)

    for name, key in (("back", "ArrowLeft"), ("on", "ArrowRight")):

        def step(key: str = key) -> None:
            for _ in range(STEPS):
                slider.press(key)
                page.wait_for_function(settled)

        figures[f"{name}_ms"], figures[f"{name}_block_ms"] = _watched(reader, step)
    # Once more over the same places: what was passed is nearer the second time.
    for which in ("jumps", "jumps_again"):
        figures[which] = [_watched(reader, lambda part=part: jump(part)) for part in JUMPS]  # type: ignore[misc]
    for name in ("Home", "End"):

        def throw(key: str = name) -> None:
            slider.press(key)
            page.wait_for_function(settled)

        figures[name.lower()] = _watched(reader, throw)
    figures["memory"] = {"before": before, "after": sum(held_bytes().values())}
    figures["server_ms"] = states(reader)
    page.get_by_role("button", name="Now", exact=True).click()
    return figures


def states(reader: Reader) -> list[float]:
    """Past states asked of the server, spread over the log; milliseconds of each, to the last byte."""
    last = reader.api()["mask"]["stroke_sequence"]
    ms: list[float] = reader.page.evaluate(
        """async ([base, places]) => {
          const ms = [];
          for (const place of places) {
            const began = performance.now();
            await (await fetch(`${base}states/stroke:${place}/mask/`, { cache: 'no-store' })).arrayBuffer();
            ms.push(performance.now() - began);
          }
          return ms;
        }""",
        [f"/api/readings/{reader.reading_id}/", [1 + n * (last - 1) // SERVER_STATES for n in range(SERVER_STATES)]],
    )
    return ms


def steps(figures: dict[str, Any]) -> list[float]:
    """Milliseconds of each step, both ways."""
    return [*figures["back_ms"], *figures["on_ms"]]


def jumps(figures: dict[str, Any], which: str) -> list[float]:
    """Milliseconds of each throw."""
    return [taken[-1] for taken, _ in figures[which]]


def longest_block(figures: dict[str, Any]) -> float:
    """The longest block of the page, opening among it."""
    thrown = [block for _, block in (*figures["jumps"], *figures["jumps_again"], figures["home"], figures["end"])]
    return float(max(figures["open_block_ms"], figures["back_block_ms"], figures["on_block_ms"], *thrown))


def memory_bytes(figures: dict[str, Any]) -> int:
    """What the browser holds with the film more than without."""
    return int(figures["memory"]["after"] - figures["memory"]["before"])


def shown(figures: dict[str, Any]) -> str:
    """A line for progress."""
    first, again = ([round(ms) for ms in jumps(figures, which)] for which in ("jumps", "jumps_again"))
    server = [round(ms) for ms in figures["server_ms"]]
    return (
        f"opened in {figures['open_s']:.2f} s; steps {median(steps(figures)):.0f} ms; thrown {first}, again {again} ms;"
        f" longest block {longest_block(figures):.0f} ms; server {server} ms; {memory_bytes(figures) / 1e6:.0f} MB"
    )
