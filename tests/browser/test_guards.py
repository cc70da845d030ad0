"""Where a tool may write: only inside the lung, only over a label, never over a locked one; by real mouse and keys."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy import ndimage

from tests.browser import regions
from tests.browser.rasters import Voxels
from tests.browser.workbench import PLANES, Bench, Layer
from tests.journeys.painting import IN_PLANE

pytestmark = [pytest.mark.slow, pytest.mark.journey, pytest.mark.browser]
NAMES = {1: "COVID-19", 2: "Reticulation", 3: "Honeycombing", 5: "Pleural effusion"}
PAINTING = ("brush", "sphere", "threshold", "lasso", "rectangle", "circle")


def _set(layer: Layer, where: regions.Shape, value: int) -> Layer:
    after = layer.copy()
    after[where] = value
    return after


def _crossing(
    bench: Bench, tool: str, plane: str, near: Voxels, bound: Voxels, erases: bool = False
) -> list[tuple[int, int]]:
    """A path by one of these voxels that goes over ground where it may change something, and over ground where not."""
    to = 0 if erases else bench.value
    for part in np.linspace(0.1, 0.9, 9):
        x, y = bench.spot(plane, near, part)
        path = [(x - 19, y - 14), (x + 21, y - 3), (x + 16, y + 12), (x + 13, y + 19)]
        covered = bench.covered("eraser" if tool == "threshold" and erases else tool, bench.reader.view(plane), path)
        if (covered & ~bound & (bench.held != to)).any() and (covered & bound & (bench.held != to)).any():
            return path
    raise AssertionError(f"no path of the {tool} on {plane} is bounded there")


def _lock(bench: Bench, value: int, locked: bool = True) -> None:
    name = f"{'Lock' if locked else 'Unlock'} {NAMES[value]}"
    bench.reader.page.get_by_role("button", name=name).click()
    bench.reader.page.mouse.move(*bench.at("axial", 0.05, 0.95))


def _only_over(bench: Bench, choice: str, label: str = "Only over") -> None:
    bench.reader.page.get_by_role("combobox", name=label).select_option(label=choice)
    bench.reader.page.evaluate("document.activeElement.blur()")


def test_painting_keeps_inside_the_lung_and_over_the_chosen_label_and_erasing_is_free(bench: Bench) -> None:
    reader = bench.reader
    bench.window()
    lung = bench.layers["anatomy"] > 0
    edge = lung & ~ndimage.binary_erosion(lung)
    reader.press("Shift+I")
    for plane, value in zip(PLANES, (1, 2, 3), strict=True):
        bench.choose("findings", value)
        for tool in PAINTING:
            bench.take(tool)
            path = _crossing(bench, tool, plane, edge & (bench.held == 0), lung)
            bench.use(tool, plane, path, bound=lung)
    # The lung bounds a flood too: it does not run round through other ground.
    for plane in PLANES:
        axis_u, axis_v, _ = IN_PLANE[plane]
        bench.choose("findings", 6)
        bench.take("fill")
        reader.page.get_by_label("Tolerance ±").fill("1000")
        reader.press("Enter")
        at = bench.spot(plane, edge & (bench.held == 0))
        voxel = bench.under(plane, at)
        here = reader.view(plane).at
        hu = regions.slice_of(bench.hu, plane, here).astype(int)
        v, u = voxel[axis_v], voxel[axis_u]
        alike = np.abs(hu - hu[v, u]) <= 1000
        bounded = regions.patch(alike & regions.slice_of(lung, plane, here), (v, u))
        assert bounded.sum() < regions.patch(alike, (v, u)).sum()
        expected = bench.held.copy()
        regions.slice_of(expected, plane, here)[bounded] = 6
        bench.command(_click(bench, at), expected, f"a flood inside the lung on {plane}")
        bench.undo(1)
    # Erasing is free: what lies outside the lung goes as well.
    reader.press("Shift+I")
    bench.choose("findings", 5)
    outside = ndimage.binary_erosion(~lung, iterations=5)
    for plane in PLANES:
        bench.take("brush")
        x, y = bench.spot(plane, outside)
        painted = bench.use("brush", plane, [(x - 12, y), (x + 12, y)])
        assert (painted & ~lung).any(), "outside the lung"
        reader.press("Shift+I")
        bench.use("brush", plane, [(x - 12, y), (x - 12, y)], button="right")
        bench.take("eraser")
        bench.use("eraser", plane, [(x + 12, y), (x + 12, y)])
        reader.press("Shift+I")

    for plane, over in zip(PLANES, (0, 1, 2), strict=True):
        bench.choose("findings", 5)
        for tool in PAINTING:
            bench.take(tool)
            _only_over(bench, NAMES[over] if over else "nothing yet")
            bound = bench.held == over
            path = _crossing(bench, tool, plane, bound & ndimage.binary_dilation(~bound), bound)
            bench.use(tool, plane, path, bound=bound)
    # Of the eraser the same choice says what goes.
    bench.take("eraser")
    _only_over(bench, "Pleural effusion", "Erase only")
    x, y = bench.spot("axial", bench.held == 5)
    path = [(x - 90, y - 20), (x + 90, y + 20)]
    under = bench.covered("eraser", reader.view("axial"), path)
    assert len(np.unique(bench.held[under])) > 2, "several labels lie under the eraser"
    bench.use("eraser", "axial", path, bound=bench.held == 5)
    _only_over(bench, "anything not locked", "Erase only")
    bench.use("eraser", "axial", path)
    bench.back_and_forth()
    assert not reader.troubles


def _click(bench: Bench, at: tuple[int, int], button: str = "left") -> Callable[[], None]:
    return lambda: bench.reader.page.mouse.click(*at, button=button)


LOCKED = 2


def _locked_ball(bench: Bench) -> Voxels:
    """A ball of a label that is then locked."""
    bench.choose("findings", LOCKED)
    bench.take("sphere")
    size = bench.reader.page.get_by_role("spinbutton", name="Diameter")
    size.fill("24")
    bench.reader.press("Enter")
    x, y = bench.at("axial", 0.45, 0.45)
    ball = bench.use("sphere", "axial", [(x, y), (x + 6, y + 2)])
    size.fill("8")
    bench.reader.press("Enter")
    _lock(bench, LOCKED)
    return ball


def _hold_a_label_to_smoothing(bench: Bench, ball: Voxels, at: int) -> None:
    """Holes fill around it, and an opening that would take all of it takes nothing."""
    page, reader = bench.reader.page, bench.reader
    x, y = bench.over("axial", _middle(ball))
    bench.choose("findings", 6)
    bench.take("circle")
    bench.use("circle", "axial", [(x + 110, y), (x + 116, y + 2)], modifier="Alt", bound=bench.held != LOCKED)
    bench.take("smooth")
    how = page.get_by_role("group", name="How")
    how.get_by_role("button", name="Fill holes").click()
    filled = regions.smoothed(bench.held[at] == 6, "Fill holes", 1, bench.spacing[1::-1])
    assert (filled & ball[at]).any()
    expected = bench.held.copy()
    expected[at][filled & (bench.held[at] != LOCKED)] = 6
    this_slice = page.get_by_role("button", name="This slice", exact=True)
    bench.command(this_slice.click, expected, "holes around a locked label")
    bench.choose("findings", LOCKED)
    how.get_by_role("button", name="Open", exact=True).click()
    page.get_by_label("Radius").fill("15")
    reader.press("Enter")
    assert not regions.smoothed(ball, "Open", 15, bench.spacing[::-1]).any()
    bench.nothing(this_slice.click, "opening of a slice of a locked label")
    bench.nothing(page.get_by_role("button", name="Whole label").click, "opening of a locked label")


def _hold_whole_pieces(bench: Bench, ball: Voxels) -> None:
    """No island, piece or box of a locked label goes or becomes another."""
    page = bench.reader.page
    at = bench.over("axial", _middle(ball))
    bench.choose("findings", LOCKED)
    bench.take("islands")
    page.get_by_label("Smaller than").fill("1000")
    bench.reader.press("Enter")
    bench.nothing(page.get_by_role("button", name="Remove them").click, "islands of a locked label")
    bench.take("relabel")
    page.get_by_role("group", name="It becomes").get_by_role("button", name="Honeycombing").click()
    bench.nothing(_click(bench, at), "a locked lesion is not relabelled")
    bench.choose("findings", 3)
    bench.take("replace")
    page.get_by_role("combobox", name="Replace").select_option(label=NAMES[LOCKED])
    page.evaluate("document.activeElement.blur()")
    box = [(at[0] - 90, at[1] - 90), (at[0] + 90, at[1] + 90)]
    bench.nothing(lambda: bench.reader.drag(box), "a locked label is not replaced")


def _copy_and_fill_gaps_around(bench: Bench, ball: Voxels) -> None:
    """A copy onto a slice that holds it, and a gap through it."""
    reader = bench.reader
    zs = [int(z) for z in ball.any(axis=(1, 2)).nonzero()[0]]
    x, y, _ = _middle(ball)
    bench.choose("findings", 8)
    bench.take("rectangle")
    for z in (zs[0] - 1, zs[-1] + 1):
        px, py = bench.over("axial", (x, y, z))
        bench.use("rectangle", "axial", [(px - 60, py - 50), (px + 50 + z, py + 40)], bound=bench.held != LOCKED)
    expected = bench.held.copy()
    expected[zs[-1]][(bench.held[zs[-1] + 1] == 8) & ~ball[zs[-1]]] = 8
    key = "Shift+ArrowDown" if bench.affine[2, 2] > 0 else "Shift+ArrowUp"
    bench.command(lambda: reader.press(key), expected, "a copy around a locked label")
    drawn = {z: bench.held[z] == 8 for z in (zs[0] - 1, zs[-1])}
    expected = bench.held.copy()
    for z, shape in regions.between(drawn, bench.spacing[1::-1]).items():
        assert (shape & ball[z]).any()
        expected[z][shape & ~ball[z]] = 8
    reader.go_to_slice("axial", zs[0])
    bench.command(lambda: reader.press("i"), expected, "a gap with a locked label in it")


def _grow_around(bench: Bench, ball: Voxels) -> None:
    page = bench.reader.page
    lung = bench.layers["anatomy"] > 0
    free = lung & (bench.held == 0) & ndimage.binary_dilation(ball, iterations=3)
    at = bench.spot("axial", free)
    x, y, z = bench.under("axial", at)
    seeds = np.zeros_like(ball)
    seeds[z, y, x] = True
    bench.choose("findings", 1)
    bench.take("grow")
    slider = page.get_by_role("slider", name="Tolerance in HU")
    box = slider.bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] - 2, box["y"] + box["height"] / 2)
    assert slider.input_value() == "600"
    page.mouse.click(*at)
    page.get_by_text("mL", exact=False).first.wait_for()
    bench.reader.wait_for_handle("document.querySelector('.operation') === null")
    region = regions.grown(bench.hu, seeds, 600, lung & regions.within(seeds, 40, bench.spacing[::-1]))
    assert (region & ball).any()
    bench.command(lambda: bench.reader.press("Enter"), _set(bench.held, region & ~ball, 1), "growth around it")


def _middle(ball: Voxels) -> tuple[int, int, int]:
    z, y, x = np.argwhere(ball).mean(axis=0).astype(int)
    return int(x), int(y), int(z)


def test_nothing_overwrites_or_erases_a_locked_label(thin_bench: Bench) -> None:
    bench, reader = thin_bench, thin_bench.reader
    bench.window()
    ball = _locked_ball(bench)
    rim = ndimage.binary_dilation(ball) & ~ball
    for plane, value in zip(PLANES, (3, 5, 7), strict=True):
        bench.choose("findings", value)
        for tool in PAINTING:
            bench.take(tool)
            bench.use(tool, plane, _crossing(bench, tool, plane, rim, ~ball), bound=~ball)
            path = _crossing(bench, tool, plane, rim, ~ball, erases=True)
            bench.use(tool, plane, path, button="right", bound=~ball)
            bench.undo(1)
        bench.take("eraser")
        bench.use("eraser", plane, _crossing(bench, "eraser", plane, rim, ~ball, erases=True), bound=~ball)

    # A ring around it, and the hole in that.
    x, y = bench.over("axial", _middle(ball))
    at = reader.view("axial").at
    bench.choose("findings", 6)
    bench.take("circle")
    bench.use("circle", "axial", [(x, y), (x + 130, y + 7)], bound=~ball)
    bench.use("circle", "axial", [(x, y), (x + 95, y + 7)], modifier="Alt", bound=~ball)
    bench.take("fill")
    inside = bench.under("axial", (x - 80, y - 20))
    hole = regions.hole(bench.held[at], 6, (inside[1], inside[0]))
    assert (hole & ball[at]).any()
    expected = bench.held.copy()
    expected[at][hole & ~ball[at]] = 6
    bench.command(_click(bench, (x - 80, y - 20)), expected, "a hole with a locked label in it")
    bench.nothing(_click(bench, (x, y), "right"), "a locked patch is not erased")
    _hold_a_label_to_smoothing(bench, ball, at)
    _hold_whole_pieces(bench, ball)
    _copy_and_fill_gaps_around(bench, ball)
    _grow_around(bench, ball)

    # Undoing and redoing strokes that went around it leaves it alone; unlocked it is as free as any.
    steps = len(bench.states) - 2
    bench.step("z", steps)
    assert ((reader.stored_layers()["findings"] == LOCKED) == ball).all()
    bench.step("Shift+Z", steps)
    assert (reader.stored_layers()["findings"] == bench.held).all()
    _lock(bench, LOCKED, locked=False)
    bench.take("eraser")
    x, y = bench.over("axial", _middle(ball))
    bench.use("eraser", "axial", [(x - 20, y), (x + 20, y + 2)])
    bench.back_and_forth()
    assert not reader.troubles
