"""Smoothing, by real mouse and keys: each kind, on slices of each plane and in space, on thick slices."""

import numpy as np
import pytest

from tests.browser import regions
from tests.browser.workbench import PLANES, Bench, Layer
from tests.journeys.painting import IN_PLANE

pytestmark = [pytest.mark.slow, pytest.mark.journey, pytest.mark.browser]
KINDS = ("Median", "Open", "Close", "Fill holes")


def _ragged(bench: Bench, plane: str, right: float, down: float) -> None:
    """A shape with teeth, slits and a hole."""
    x, y = bench.at(plane, right, down)
    bench.take("lasso")
    teeth = [(x + 6 * n, y + (22 if n % 2 else 0)) for n in range(14)]
    bench.use(
        "lasso", plane, [*teeth, (x + 78, y + 70), (x + 40, y + 62), (x + 38, y + 96), (x + 33, y + 60), (x, y + 64)]
    )
    bench.take("circle")
    bench.use("circle", plane, [(x + 39, y + 43), (x + 45, y + 46)], modifier="Alt")
    bench.use("circle", plane, [(x + 66, y + 54), (x + 72, y + 60)], modifier="Alt")


def _after(layer: Layer, was: regions.Shape, smooth: regions.Shape, value: int) -> Layer:
    """The layer after a shape became another: what left it is empty, what came to it holds the label."""
    after = layer.copy()
    after[was & ~smooth] = 0
    after[smooth & ~was] = value
    return after


def _set(bench: Bench, kind: str, radius_mm: float) -> None:
    page = bench.reader.page
    page.get_by_role("group", name="How").get_by_role("button", name=kind, exact=True).click()
    page.get_by_label("Radius").fill(str(radius_mm))
    bench.reader.press("Enter")


def test_a_slice_of_any_plane_is_smoothed_by_each_kind(thin_bench: Bench) -> None:
    bench, page = thin_bench, thin_bench.reader.page
    for value, plane in zip((3, 6, 7), PLANES, strict=True):
        bench.choose("findings", value)
        _ragged(bench, plane, 0.4, 0.35)
        axis_u, axis_v, _ = IN_PLANE[plane]
        spacing_vu = (bench.spacing[axis_v], bench.spacing[axis_u])
        at = bench.reader.view(plane).at
        for kind in KINDS:
            bench.take("smooth")
            # On coronal and sagittal only a ball wider than the slices reaches from row to row.
            radius_mm = 1.5 if kind in ("Median", "Open") and plane == "axial" else 5.5
            _set(bench, kind, radius_mm)
            page.mouse.move(*bench.at(plane, 0.1, 0.9))
            whole = bench.held == value
            was, is_now = whole.copy(), whole.copy()
            shape = regions.slice_of(whole, plane, at)
            regions.slice_of(is_now, plane, at)[:] = regions.smoothed(shape, kind, radius_mm, spacing_vu)
            expected = _after(bench.held, was, is_now, value)
            button = page.get_by_role("button", name="This slice", exact=True)
            bench.command(button.click, expected, f"{kind} of a slice of {plane}")
            bench.undo(1)
    assert not bench.reader.troubles


def test_a_lesion_and_a_whole_label_are_smoothed_in_space_by_each_kind(thin_bench: Bench) -> None:
    bench, reader, page = thin_bench, thin_bench.reader, thin_bench.reader.page
    spacing_zyx = bench.spacing[::-1]
    bench.choose("findings", 3)
    start = int(reader.handle("g.slices.axial"))
    for n in (0, 1, 2):
        reader.go_to_slice("axial", start + n)
        _ragged(bench, "axial", 0.42 + 0.004 * n, 0.4)
    # A second piece, as near as a closing bridges: apart for a click, together for the whole label.
    x, y = bench.at("axial", 0.42, 0.4)
    bench.take("rectangle")
    bench.use("rectangle", "axial", [(x + 90, y + 10), (x + 130, y + 60)])
    numbers, sizes = regions.pieces(bench.held == 3)
    assert len(sizes) == 3, "two pieces"
    clicked = regions.piece_at(bench.held == 3, regions.inmost(numbers == 1 + int(np.argmax(sizes[1:]))))
    for kind in KINDS:
        radius_mm = 5.2 if kind != "Open" else 2.0
        for whole in (False, True):
            bench.take("smooth")
            _set(bench, kind, radius_mm)
            was = bench.held == 3 if whole else clicked
            expected = _after(bench.held, was, regions.smoothed(was, kind, radius_mm, spacing_zyx), 3)
            if whole:
                act = page.get_by_role("button", name="Whole label").click
            else:
                z, y, x = regions.inmost(clicked)
                at = bench.over("coronal" if kind == "Open" else "axial", (x, y, z))
                act = lambda at=at: page.mouse.click(*at)  # noqa: E731
            bench.command(act, expected, f"{kind} of {'the label' if whole else 'a lesion'} in space")
            bench.undo(1)
    bench.nothing(lambda: page.mouse.click(*bench.at("axial", 0.1, 0.25)), "nothing of the label there")
    assert page.get_by_text("Nothing of the label here.").is_visible()
    assert not reader.troubles


def test_long_work_ends_by_escape_and_by_any_other_edit(thin_bench: Bench) -> None:
    bench, reader, page = thin_bench, thin_bench.reader, thin_bench.reader.page
    # Short work shows no bar, but it is there.
    bar = page.locator(".operation[aria-label=Smoothing]")

    def begin() -> None:
        bench.take("smooth")
        _set(bench, "Median", 15)
        page.get_by_role("button", name="Whole label").click()
        bar.wait_for(state="attached")

    def stopped() -> None:
        reader.press("Escape")
        bar.wait_for(state="detached")

    begin()
    bench.nothing(stopped, "stopped by Escape")
    # What is done meanwhile stands, and what was being worked out on the mask of before is dropped.
    at = int(reader.handle("g.slices.axial"))
    up = at + (1 if bench.affine[2, 2] > 0 else -1)
    copied = bench.held.copy()
    copied[up][bench.held[at] == 1] = 1
    begin()
    page.mouse.move(*bench.at("axial", 0.06, 0.9))
    bench.command(lambda: reader.press("Shift+ArrowUp"), copied, "a copy during long work")
    assert not bar.count()
    # An undo takes back what is being worked out, and nothing that stood before it.
    begin()

    def taken_back() -> None:
        reader.press("z")
        bar.wait_for(state="detached")

    bench.nothing(taken_back, "an undo during long work")
    undone = bench.states[-2]["findings"]
    bench.command(lambda: reader.press("z"), undone, "an undo after it")
    assert not bar.count()
    begin()
    page.get_by_role("button", name="Brush", exact=True).click()
    x, y = bench.at("axial", 0.4, 0.4)
    bench.use("brush", "axial", [(x, y), (x + 20, y + 7)])
    assert not bar.count()
    bench.nothing(lambda: page.wait_for_timeout(1000), "nothing comes late")
    assert not reader.troubles
