"""What is in hand stays where it was begun: no key and no wheel takes the picture away from under a drag."""

import numpy as np
import pytest

from tests.browser.workbench import Bench

pytestmark = [pytest.mark.browser]


def test_keys_and_wheel_rest_while_something_is_drawn(bench: Bench) -> None:
    reader, page = bench.reader, bench.reader.page
    mouse, keyboard = page.mouse, page.keyboard

    def drawn(path: list[tuple[int, int]], keys: tuple[str, ...], wheel: bool = False) -> None:
        """A drag, in the middle of which keys are pressed and the wheel is turned."""
        mouse.move(*path[0])
        mouse.down()
        mouse.move(*path[1])
        for key in keys:
            keyboard.press(key)
        if wheel:
            mouse.wheel(0, 300)
        page.wait_for_timeout(60)
        for point in path[2:]:
            mouse.move(*point)
        mouse.up()

    x, y = bench.at("axial", 0.4, 0.5)
    # Near, and beside the middle: fitting the picture would move it.
    keyboard.down("Control")
    mouse.move(x, y)
    mouse.wheel(0, -400)
    keyboard.up("Control")
    bench.choose("findings", 3)
    bench.take("brush")
    path = [(x, y), (x + 20, y + 8), (x + 33, y + 21), (x + 40, y + 30)]
    looks = reader.handle("[g.layout, g.slabMm, g.voi]")
    expected = bench.held.copy()
    expected[bench.covered("brush", reader.view("axial"), path)] = 3
    keys = ("0", "v", "Shift+V", "\\", "]", "z", "Shift+ArrowUp", "m", "w", "e", ".", ",", "5")
    bench.command(lambda: drawn(path, keys), expected, "a stroke, and keys in the middle of it")
    assert reader.handle("[g.layout, g.slabMm, g.voi]") == looks
    assert reader.handle("g.tool") == "brush"
    # A shape lands on the slice, and gets the label, that it was drawn with.
    for tool, corners in (("lasso", [(0, 0), (40, 3), (38, 30), (4, 33)]), ("rectangle", [(60, 0), (70, 9), (90, 31)])):
        bench.take(tool)
        shape = [(x + right, y - 60 + down) for right, down in corners]
        here = int(reader.handle("g.slices.axial"))
        expected = bench.held.copy()
        expected[bench.covered(tool, reader.view("axial"), shape)] = 3
        assert (np.argwhere((expected != bench.held).any(axis=(1, 2))) == here).all()
        keys = ("ArrowUp", "PageDown", "j", "n", "5", "Shift+L")
        bench.command(lambda shape=shape, keys=keys: drawn(shape, keys, wheel=True), expected, f"{tool}, and scrolling")
        assert reader.handle("g.slices.axial") == here
    # Let go, everything answers again; Escape drops a shape in the making.
    reader.press("ArrowUp")
    reader.wait_for_handle(f"g.slices.axial === {here + 1}")
    bench.nothing(lambda: drawn([(x, y), (x + 20, y + 9), (x + 4, y + 30)], ("Escape",)), "a shape that was dropped")
    # A double click is the brush's: one plane to full size, and back, goes by the button in its corner.
    bench.take("brush")
    for planes in (["coronal"], ["axial", "coronal", "sagittal"]):
        page.locator(".pane.coronal .pane-full").click()
        reader.wait_for_handle(f"g.layout.planes.join() === '{','.join(planes)}'")
    assert reader.handle("g.tool") == "brush"
    assert not reader.troubles, reader.troubles
