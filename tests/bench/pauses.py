"""Whether the page pauses: for how long its own thread was busy in one go, and for how long no frame came.

A block is a task of the page's thread of 50 ms and more, as the browser itself reports it ("longtask"), or a gap
between two animation frames; the longest of both counts. Frames wait for the browser's own drawing too, so that a gap
is what a reader sees.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.journeys.viewer import Reader

# In each frame: what the viewer has done, sent and counted by then; only changes are written down.
WATCH = """() => {
  const g = window.groundglass;
  const watch = { tasks: [], frames: [], moments: [] };
  const told = list => list.getEntries().forEach(e => watch.tasks.push([e.startTime, e.duration]));
  const observer = new PerformanceObserver(told);
  observer.observe({ type: 'longtask' });
  let last = performance.now();
  let known = '';
  const frame = () => {
    const now = performance.now();
    if (now - last > 25) watch.frames.push([last, now - last]);
    last = now;
    const moment = [g.edits, g.mask.stroke_sequence, g.allSaved(), g.atRest];
    if (moment.join() !== known) watch.moments.push([now, ...moment]);
    known = moment.join();
    if (window.benchWatch === watch) requestAnimationFrame(frame);
    else observer.disconnect();
  };
  window.benchWatch = watch;
  requestAnimationFrame(frame);
  return performance.now();
}"""
STOP = "() => { const watch = window.benchWatch; window.benchWatch = null; return watch; }"
# A long task is told after it has ended, with the next turn of the loop.
TOLD_MS = 120


@dataclass
class Pause:
    """What one act cost: seconds until its voxels were there, and the longest blocks (ms) until then and afterwards."""

    applied_s: float
    committed_s: float
    rest_s: float
    working_ms: float
    after_ms: float
    stroke_bytes: int = 0

    @property
    def longest_ms(self) -> float:
        """The longest block of all."""
        return max(self.working_ms, self.after_ms)


def _longest(blocks: list[list[float]], begin: float, end: float) -> float:
    """Of blocks (start, duration) the longest that lies between two moments, at least with its greater part."""
    inside = [duration for start, duration in blocks if begin <= start + duration / 2 <= end]
    return max(inside, default=0.0)


def watched(reader: Reader, act: Callable[[], Any], *, edits: bool = True) -> Pause:
    """Act once, wait until the viewer is at rest and everything is saved, and say how the page fared meanwhile."""
    before = reader.handle("g.edits")
    began = reader.page.evaluate(WATCH)
    act()
    if edits:
        reader.wait_for_handle(f"g.edits > {before}")
    reader.page.wait_for_timeout(TOLD_MS)
    reader.wait_for_handle("g.allSaved() && g.atRest")
    reader.page.wait_for_timeout(TOLD_MS)
    watch = reader.page.evaluate(STOP)
    moments = watch["moments"]
    applied = next((at for at, done, *_ in moments if done > before), began)
    saved = next((at for at, done, _, all_saved, _ in moments if done > before and all_saved), applied)
    rest = moments[-1][0]
    blocks = watch["tasks"] + watch["frames"]
    end = applied if edits else rest
    return Pause(
        applied_s=(end - began) / 1000,
        committed_s=(saved - began) / 1000,
        rest_s=(rest - began) / 1000,
        # The frame that shows the edit belongs to the work.
        working_ms=_longest(blocks, began, end + 1),
        after_ms=_longest(blocks, end + 1, float("inf")),
    )
