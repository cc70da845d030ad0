"""How a stroke feels and what it costs: drawing, saving, bytes; and what opening a mask costs."""

import base64
from typing import Any

from tests.journeys.viewer import Reader

STROKES = 20
MOVES = 6


def paint_many(reader: Reader) -> dict[str, Any]:
    """Paint strokes on the axial plane, one after another once each is saved; raw figures of each."""
    scan = reader.api()["scan"]
    _, ny, nx = scan["shape_zyx"]
    reader.take("brush")
    view = reader.view("axial")
    reader.page.evaluate("() => performance.clearResourceTimings()")
    before = len(reader.stored_strokes())
    for n in range(STROKES):
        spot = view.to_client((nx * (0.25 + 0.024 * n), ny * (0.3 + 0.3 * (n % 2))))
        x, y = (round(c) for c in spot)
        reader.paint([(x + 7 * move, y + 4 * move) for move in range(MOVES + 1)])
        reader.wait_until_saved()
    draw_ms = [ms for stroke in reader.handle("g.strokes.map(s => s.drawMs)") for ms in stroke]
    save_ms = reader.page.evaluate(
        "() => performance.getEntriesByType('resource').filter(e => e.name.endsWith('/strokes/')).map(e => e.duration)"
    )
    stored = reader.stored_strokes()[before:]
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
