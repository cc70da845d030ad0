"""Two hundred edits by many tools on all planes, labels and layers: undone and redone exactly, across reloads."""

from collections.abc import Callable, Iterator
from itertools import cycle

import numpy as np
import pytest

from tests.browser.workbench import PLANES, Bench, Layers, assert_same, layers_on_screen
from tests.journeys.viewer import Reader

pytestmark = [
    pytest.mark.slow,
    pytest.mark.journey,
    pytest.mark.browser,
]
EDITS = 200
EVERY = 25
SHAPES = ("lasso", "rectangle", "circle")
TOOLS = (
    *("brush", "lasso", "sphere", "copy", "threshold", "fill", "rectangle", "between", "eraser", "circle", "smooth"),
    *("dab", "grow", "relabel", "right button", "replace", "islands", "keep"),
)


class Hand:
    """A hand that edits here and there, the same way each time."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.reader, self.page = bench, bench.reader, bench.reader.page
        self.random = np.random.default_rng(20)
        self.turn = 0

    def edit(self, tool: str, plane: str) -> None:
        """One edit; it may turn out to change nothing."""
        self.turn += 1
        anatomy = self.turn % 7 == 3
        value = 1 + self.turn % 2 if anatomy else int(self.random.choice([1, 1, 2, 3, 5, 8]))
        self.bench.choose("anatomy" if anatomy else "findings", value)
        x, y = self.bench.at(plane, *self.random.uniform(0.3, 0.6, 2))
        path = [(x, y)]
        for _ in range(int(self.random.integers(2, 5))):
            path.append(
                (path[-1][0] + int(self.random.integers(-25, 40)), path[-1][1] + int(self.random.integers(-20, 30)))
            )
        if self.turn % 5 == 0:
            self.page.mouse.move(x, y)
            self.page.mouse.wheel(0, 100 * int(self.random.integers(-2, 3)))
        act: Callable[[str, list[tuple[int, int]]], None] = getattr(self, tool.replace(" ", "_"), None) or self.drag
        act(tool, path)
        self.reader.wait_for_handle("document.querySelector('.operation') === null && g.allSaved()")

    def take(self, tool: str) -> None:
        """Without putting the tool in hand down first: its key would change nothing but the scissors' form."""
        if self.reader.handle("g.tool") != tool:
            self.bench.take(tool)

    def drag(self, tool: str, path: list[tuple[int, int]]) -> None:
        self.take(tool)
        self.reader.drag(path)

    def right_button(self, _: str, path: list[tuple[int, int]]) -> None:
        self.take(str(self.random.choice(["brush", "sphere", *SHAPES])))
        self.reader.drag(path, "right")

    def click(self, tool: str, path: list[tuple[int, int]]) -> None:
        self.take(tool)
        self.page.mouse.click(*path[0])

    fill = keep = click

    def relabel(self, tool: str, path: list[tuple[int, int]]) -> None:
        self.take(tool)
        names = self.page.get_by_role("group", name="It becomes").get_by_role("button")
        names.nth(int(self.random.integers(1, 8))).click()
        self.page.mouse.click(*path[0])

    def grow(self, tool: str, path: list[tuple[int, int]]) -> None:
        self.take(tool)
        self.page.mouse.click(*path[0])
        self.reader.wait_for_handle("document.querySelector('.operation') === null")
        self.reader.press("Enter")

    def smooth(self, tool: str, path: list[tuple[int, int]]) -> None:
        self.take(tool)
        self.page.mouse.move(*path[0])
        self.page.get_by_role("button", name="This slice", exact=True).click()

    def islands(self, tool: str, _: list[tuple[int, int]]) -> None:
        self.take(tool)
        self.page.get_by_role("button", name="Remove them").click()

    def copy(self, _: str, path: list[tuple[int, int]]) -> None:
        self.page.mouse.move(*path[0])
        self.reader.press(str(self.random.choice(["Shift+ArrowUp", "Shift+ArrowDown"])))

    def between(self, _: str, path: list[tuple[int, int]]) -> None:
        self.page.mouse.move(*path[0])
        self.reader.press("i")

    def dab(self, _: str, path: list[tuple[int, int]]) -> None:
        self.page.mouse.move(*path[0])
        self.reader.press("Alt+ArrowRight")
        self.reader.press("Alt+Enter")


def _mask(reader: Reader, shape_zyx: tuple[int, int, int]) -> Layers:
    """The mask at the server, which is the mask on the screen."""
    reader.wait_until_saved()
    stored = reader.stored_layers()
    assert_same(layers_on_screen(reader, shape_zyx), stored, "screen and server")
    return stored


def _edit_until(bench: Bench, count: int) -> Iterator[tuple[int, Layers]]:
    """Edit on; gives the mask each `EVERY` strokes."""
    hand = Hand(bench)
    for tool, plane in zip(cycle(TOOLS), cycle((*PLANES, "axial")), strict=False):
        before = int(bench.reader.handle("g.mask.stroke_sequence"))
        if before == count:
            return
        hand.edit(tool, plane)
        now = int(bench.reader.handle("g.mask.stroke_sequence"))
        assert now in (before, before + 1), "an edit is one stroke, or none"
        if now > before and now % EVERY == 0:
            yield now, _mask(bench.reader, bench.raster.shape_zyx)


def _film_shows(bench: Bench, masks: dict[int, Layers]) -> None:
    """Thrown here and there, the film shows what was there after so many strokes: painted, undone, redone."""
    page = bench.reader.page
    after = {
        **masks,
        **{EDITS + n: masks[EDITS - n] for n in masks},
        **{2 * EDITS + n: masks[n] for n in masks},
    }
    bench.reader.press("Shift+H")
    page.get_by_role("button", name="Look at the film").click()
    slider = page.get_by_label("Stroke of the film")
    for place in np.random.default_rng(6).permutation(sorted(after))[:12]:
        slider.fill(str(place))
        page.locator(".film:not([aria-busy=true])").get_by_text(f"{place} / {3 * EDITS}").wait_for()
        shown = layers_on_screen(bench.reader, bench.raster.shape_zyx, "shownAt")
        assert_same(shown, after[int(place)], f"film at stroke {place}")
    page.get_by_role("button", name="Now", exact=True).click()


def test_two_hundred_mixed_edits_are_undone_and_redone_exactly_across_reloads(bench: Bench) -> None:
    reader, shape_zyx = bench.reader, bench.raster.shape_zyx
    masks = {0: _mask(reader, shape_zyx), **dict(_edit_until(bench, EDITS))}
    assert set(masks) == set(range(0, EDITS + 1, EVERY))
    strokes = reader.stored_strokes()
    assert {stroke["plane"] for stroke in strokes} >= set(PLANES)
    assert {stroke["layer"] for stroke in strokes} == {"anatomy", "findings"}
    assert len({stroke["tool"] for stroke in strokes}) >= 15, {stroke["tool"] for stroke in strokes}
    changed = masks[EDITS]["findings"] != masks[0]["findings"]
    assert changed.any(axis=(1, 2)).sum() > changed.shape[0] / 2, "edits all over the scan"

    log = EDITS

    def step(key: str, times: int) -> None:
        nonlocal log
        for _ in range(times):
            reader.press(key)
        log += times
        reader.wait_for_handle(f"g.allSaved() && g.mask.stroke_sequence === {log}")

    def reload() -> None:
        reader.page.reload()
        reader.wait_until_ready()

    reload()
    assert_same(_mask(reader, shape_zyx), masks[EDITS], "reloaded at the end")
    for at in range(EDITS - EVERY, -1, -EVERY):
        step("z", EVERY)
        assert_same(_mask(reader, shape_zyx), masks[at], f"undone to edit {at}")
        if at in (EDITS // 2, EVERY):
            reload()
    reader.press("z")
    assert_same(_mask(reader, shape_zyx), masks[0], "there is nothing left to undo")
    for at in range(EVERY, EDITS + 1, EVERY):
        step("Shift+Z", EVERY)
        assert_same(_mask(reader, shape_zyx), masks[at], f"redone to edit {at}")
        if at in (EDITS // 2, EDITS - EVERY):
            reload()
    assert len(reader.stored_strokes()) == log == 3 * EDITS
    _film_shows(bench, masks)
    assert not reader.troubles, reader.troubles
