"""How a stroke feels and what it costs: drawing, saving, bytes; and what opening a mask costs.

Times are taken beside the viewer, by listeners of the bench: from the input event's own time stamp, so with all
waiting, until the frame that follows it has been handed over.
"""

import base64
from typing import Any

from tests.journeys.viewer import Reader

STROKES, FEW_STROKES = 40, 12
# Half a lung across: what the ball of a brush costs where it costs most.
SPHERE_MM = 50
MOVES = 6
SETTLE_MS = 200
# The last task of a frame: what the frame draws has been recorded by then.
LISTEN = """([kind, pressed]) => {
  const channel = new MessageChannel();
  const waiting = [];
  window.benchMs = [];
  channel.port1.onmessage = () => window.benchMs.push(performance.now() - waiting.shift());
  const listen = event => {
    if (pressed && !event.buttons) return;
    requestAnimationFrame(() => { waiting.push(event.timeStamp); channel.port2.postMessage(0); });
  };
  window.benchStop = () => removeEventListener(kind, listen, true);
  addEventListener(kind, listen, true);
}"""
STOP = "() => { window.benchStop(); return window.benchMs; }"


def paint_everywhere(reader: Reader) -> dict[str, dict[str, Any]]:
    """The brush on each plane, and a large sphere; raw figures by plane and "sphere"."""
    found = {"axial": paint_many(reader)}
    for plane in ("coronal", "sagittal"):
        found[plane] = paint_many(reader, plane, FEW_STROKES)
    reader.press("Shift+B")
    reader.wait_for_handle("g.tool === 'sphere'")
    diameter = reader.page.get_by_role("spinbutton", name="Diameter")
    before = diameter.input_value()
    diameter.fill(str(SPHERE_MM))
    reader.press("Enter")
    found["sphere"] = paint_many(reader, "axial", FEW_STROKES, tool="sphere")
    diameter.fill(before)
    reader.press("Enter")
    assert all(len(what["bytes"]) >= FEW_STROKES / 2 for what in found.values()), "strokes changed nothing"
    return found


def paint_many(reader: Reader, plane: str = "axial", strokes: int = STROKES, tool: str = "brush") -> dict[str, Any]:
    """Paint strokes on a plane, one after another once each is saved; raw figures of each."""
    scan = reader.api()["scan"]
    nz, ny, nx = scan["shape_zyx"]
    if tool == "brush":
        reader.take("brush")
    view = reader.view(plane)
    width, height = {"axial": (nx, ny), "coronal": (nx, nz), "sagittal": (ny, nz)}[plane]
    reader.page.evaluate("() => { performance.setResourceTimingBufferSize(2000); performance.clearResourceTimings(); }")
    before = reader.api()["mask"]["stroke_sequence"]
    reader.page.evaluate(LISTEN, ["pointermove", True])
    for n in range(strokes):
        spot = view.to_client((width * (0.25 + 0.48 * n / strokes), height * (0.3 + 0.3 * (n % 2))))
        x, y = (round(c) for c in spot)
        # A drag over what already carries the label changes nothing and is no stroke.
        reader.drag([(x + 7 * move, y + 4 * move) for move in range(MOVES + 1)])
        reader.wait_until_saved()
    reader.page.wait_for_timeout(SETTLE_MS)
    draw_ms = reader.page.evaluate(STOP)
    save_ms = reader.page.evaluate(
        "() => performance.getEntriesByType('resource').filter(e => e.name.endsWith('/strokes/')).map(e => e.duration)"
    )
    stored = reader.api(f"strokes/?after={before}")["strokes"]
    return {
        "draw_ms": draw_ms,
        "save_ms": save_ms,
        "bytes": [len(base64.b64decode(stroke["payload"])) for stroke in stored],
    }


def mask_load_ms(reader: Reader, times: int = 5) -> dict[str, Any]:
    """Fetching the mask of a reading, headers to last byte; milliseconds of each, and its size."""
    result: dict[str, Any] = reader.page.evaluate(
        """async ([url, times]) => {
          const ms = [];
          let bytes = 0;
          for (let n = 0; n < times; n++) {
            const began = performance.now();
            bytes = (await (await fetch(url)).arrayBuffer()).byteLength;
            ms.push(performance.now() - began);
          }
          return { ms, bytes };
        }""",
        [f"/api/readings/{reader.reading_id}/mask/", times],
    )
    return result


def switch_tools(reader: Reader, rounds: int = 8) -> list[float]:
    """Take one tool after another by its key; milliseconds from each key press to the frame with the tool in hand."""
    reader.page.evaluate(LISTEN, ["keydown", False])
    for _ in range(rounds):
        for key, tool in (("b", "brush"), ("t", "threshold"), ("l", "lasso"), ("e", "eraser")):
            reader.press(key)
            reader.wait_for_handle(f"g.tool === '{tool}'")
    reader.page.wait_for_timeout(SETTLE_MS)
    ms: list[float] = reader.page.evaluate(STOP)
    return ms
