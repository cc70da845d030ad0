"""What holds after every fault: acknowledged strokes are there, others are replayed or shown, nothing is doubled."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.journeys.formats import replay
from tests.journeys.viewer import Reader

Layers = dict[str, NDArray[np.uint8]]
COLUMNS, ROWS = 6, (0.1, 0.2, 0.8, 0.9)


class Painter:
    """A reader who paints strokes that do not touch each other, on the axial slice that is shown."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        scan = reader.api()["scan"]
        self.draft = reader.stored_layers()
        reader.take("brush")
        view, radius_mm = reader.view("axial"), reader.handle("g.brushMm") / 2
        _, ny, nx = scan["shape_zyx"]

        def path(n: int) -> list[tuple[int, int]]:
            spot = (nx * (0.14 + 0.14 * (n % COLUMNS)), ny * ROWS[n // COLUMNS])
            return reader.path_near(view, spot, radius_mm, scan, steps=2)

        self.path = path

    def paint(self, *numbers: int) -> None:
        """The n-th strokes, by the mouse."""
        for n in numbers:
            self.reader.paint(self.path(n))

    @property
    def painted(self) -> list[str]:
        """Ids of the strokes that this tab has painted, in order."""
        ids: list[str] = self.reader.handle("g.strokes.map(s => s.id)")
        return ids


def begin(reader: Reader, slug: str) -> Painter:
    """Sign in, start reading, brush in hand."""
    reader.sign_in()
    reader.start_reading(slug, 1)
    return Painter(reader)


def check_stored_mask(reader: Reader, draft: Layers) -> list[dict[str, Any]]:
    """The server's log replays to the server's mask, and no stroke is in it twice; the log."""
    stored = reader.stored_strokes()
    ids = [stroke["id"] for stroke in stored]
    assert len(set(ids)) == len(ids), "a stroke is stored twice"
    applied = [stroke["stroke_sequence"] for stroke in stored if stroke["applied"]]
    assert applied == sorted(set(applied)), "two strokes share a place in the order"
    layers = reader.stored_layers()
    for name, layer in replay(draft, stored).items():
        assert (layers[name] == layer).all(), name
    return stored


def check_screen(reader: Reader) -> None:
    """What the tab shows is what the server holds."""
    findings = reader.stored_layers()["findings"]
    reader.wait_for_handle(f"g.voxelCount('findings', 1) === {int((findings == 1).sum())}")


def check_kept(painter: Painter, strokes: int, troubles: bool = False) -> None:
    """Every stroke of the tab is applied on the server, each once and in order, and the screen shows the same."""
    reader = painter.reader
    reader.wait_until_saved()
    stored = check_stored_mask(reader, painter.draft)
    assert [stroke["id"] for stroke in stored] == painter.painted
    assert len(stored) == strokes
    assert all(stroke["applied"] for stroke in stored)
    assert [stroke["stroke_sequence"] for stroke in stored] == list(range(1, strokes + 1))
    check_screen(reader)
    assert troubles or not reader.troubles, reader.troubles
