"""How many new slices a second come on the screen while the wheel turns."""

from itertools import pairwise
from typing import Any

from tests.journeys.viewer import Reader

# A notch of 100 px is a slice: the wheel asks for 60 slices a second, more than are wanted of any screen.
SPEED_PX_PER_S = 6000
SLICES = 100
WATCH = """plane => {
  const g = window.groundglass;
  const frames = [];
  const watch = now => {
    frames.push([now, g.slices[plane]]);
    if (window.benchFrames === frames) requestAnimationFrame(watch);
  };
  window.benchFrames = frames;
  requestAnimationFrame(watch);
}"""
STOP = "() => { const frames = window.benchFrames; window.benchFrames = null; return frames; }"


def scroll(reader: Reader, plane: str) -> dict[str, Any]:
    """Turn the wheel over a plane, down and up again; the browser itself makes the wheel events, frame by frame.

    Counted are frames that show another slice than the frame before, from the first such to the last of each way.
    """
    box = reader.page.locator(f"#pane-{plane}").bounding_box()
    assert box
    devtools = reader.page.context.new_cdp_session(reader.page)
    gesture = {
        "x": box["x"] + box["width"] / 2,
        "y": box["y"] + box["height"] / 2,
        "speed": SPEED_PX_PER_S,
        "gestureSourceType": "mouse",
        "preventFling": True,
    }
    gaps: list[float] = []
    passed = 0
    for way in (-1, 1):
        reader.page.evaluate(WATCH, plane)
        devtools.send("Input.synthesizeScrollGesture", {**gesture, "yDistance": way * 100 * SLICES})
        reader.page.wait_for_timeout(200)
        frames = reader.page.evaluate(STOP)
        times = [now for (_, before), (now, shown) in pairwise(frames) if shown != before]
        gaps += [later - earlier for earlier, later in pairwise(times)]
        passed += abs(frames[-1][1] - frames[0][1])
    devtools.detach()
    return {
        "frames_per_s": len(gaps) / sum(gaps) * 1000,
        "longest_gap_ms": max(gaps),
        "slices_passed": passed,
        "frames": len(gaps),
    }
