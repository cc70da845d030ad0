"""Fill, grow and between slices, by real mouse and keys, on all planes of a scan that lies askew with thick slices."""

import re
from collections.abc import Iterator

import numpy as np
import pytest

from tests.browser import regions
from tests.browser.workbench import PLANES, Bench, Layer
from tests.journeys.painting import IN_PLANE

pytestmark = [pytest.mark.slow, pytest.mark.journey, pytest.mark.browser]


def _with(layer: Layer, shape_zyx: regions.Shape, value: int) -> Layer:
    """The layer after a region took a value."""
    after = layer.copy()
    after[shape_zyx] = value
    return after


def _on_slice(bench: Bench, plane: str, at: int, shape_vu: regions.Shape) -> regions.Shape:
    """A region (vu) of a slice as a region (zyx) of the scan."""
    found = np.zeros(bench.raster.shape_zyx, bool)
    regions.slice_of(found, plane, at)[:] = shape_vu
    return found


def _click_fill(bench: Bench, plane: str, shape_vu: regions.Shape, at: tuple[int, int], button: str = "left") -> None:
    """A click with the fill, and what it must fill or erase of the shown slice."""
    shape = _on_slice(bench, plane, bench.reader.view(plane).at, shape_vu)
    expected = _with(bench.held, shape, 0 if button == "right" else bench.value)
    bench.command(lambda: bench.reader.page.mouse.click(*at, button=button), expected, f"fill on {plane}, {button}")


def test_fill_takes_holes_alike_pixels_and_patches(thin_bench: Bench) -> None:
    bench, page = thin_bench, thin_bench.reader.page

    def mode(name: str) -> None:
        page.get_by_role("group", name="Fill", exact=True).get_by_role("button", name=name, exact=True).click()

    for value, plane in zip((3, 6, 7), PLANES, strict=True):
        axis_u, axis_v, _ = IN_PLANE[plane]
        x, y = bench.at(plane, 0.55, 0.5)
        bench.choose("findings", value)
        bench.take("circle")
        bench.use("circle", plane, [(x, y), (x + 38, y + 5)])
        bench.use("circle", plane, [(x, y), (x + 17, y + 9)], modifier="Alt")
        at = bench.reader.view(plane).at
        labels = regions.slice_of(bench.held, plane, at)
        middle = bench.under(plane, (x, y))
        hole = regions.hole(labels, value, (middle[axis_v], middle[axis_u]))
        assert hole.any()
        bench.take("fill")
        if plane == "axial":
            page.get_by_label("Tolerance ±").fill("60")
            bench.reader.press("Enter")
        # Ground on which the label does not close around the click is no hole.
        mode("Hole")
        outside = bench.at(plane, 0.5, 0.24)
        bench.nothing(lambda outside=outside: page.mouse.click(*outside), "no hole here")
        assert "No hole here" in page.get_by_text(re.compile("does not close")).inner_text()
        page.get_by_role("button", name="Close").click()
        _click_fill(bench, plane, hole, (x, y))
        # The right button takes the clicked patch of one label.
        labels = regions.slice_of(bench.held, plane, at)
        whole = regions.patch(labels == value, (middle[axis_v], middle[axis_u]))
        _click_fill(bench, plane, whole, (x, y), "right")
        # Elsewhere: what looks like the clicked pixel and hangs together with it.
        mode("Hole, else alike" if plane == "coronal" else "Alike HU")
        hu = regions.slice_of(bench.hu, plane, at).astype(int)
        v, u = regions.inmost(regions.slice_of(bench.layers["anatomy"], plane, at) > 0)
        voxel = [0, 0, 0]
        voxel[axis_u], voxel[axis_v], voxel[IN_PLANE[plane][2]] = u, v, at
        alike = regions.patch(np.abs(hu - hu[v, u]) <= 60, (v, u))
        _click_fill(bench, plane, alike, bench.over(plane, voxel))
    bench.back_and_forth()
    assert not bench.reader.troubles


class _Growth:
    """What the grow tool shows of a region before it is a stroke."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.page = bench, bench.reader.page

    def shows(self, plane: str, seeds: regions.Shape, tolerance_hu: int, ground: regions.Shape) -> regions.Shape:
        """Wait until the panel tells the region that numpy finds; the region."""
        region = regions.grown(self.bench.hu, seeds, tolerance_hu, ground)
        ml = region.sum() * float(np.prod(self.bench.spacing)) / 1000
        said = f"around {regions.mean_around(self.bench.hu, seeds)} HU: {ml:.1f} mL"
        self.page.get_by_text(said, exact=True).wait_for()
        self.bench.reader.wait_for_handle("document.querySelector('.operation') === null")
        assert ml > 0.3, "something to see"
        return region

    def overlays(self) -> list[str]:
        """The overlays of all planes, to tell one picture from another."""
        self.page.wait_for_timeout(100)
        pictures: list[str] = self.page.evaluate(
            "[...document.querySelectorAll('canvas.pane-overlay')].map((canvas) => canvas.toDataURL())"
        )
        return pictures

    def tolerance(self, hu: int) -> None:
        """Move the slider there by its keys, 5 HU a step."""
        slider = self.page.get_by_role("slider", name="Tolerance in HU")
        slider.focus()
        while (now := int(slider.input_value())) != hu:
            self.bench.reader.press("ArrowRight" if now < hu else "ArrowLeft")


def _lesions(bench: Bench) -> Iterator[tuple[int, int, int]]:
    """Voxels (z, y, x) deep inside the draft's pieces, the largest first."""
    numbers, sizes = regions.pieces(bench.held == 1)
    for number in 1 + np.argsort(-sizes[1:]):
        z, y, x = regions.inmost(numbers == number)
        yield z, y, x


def test_growth_is_shown_follows_its_tolerance_and_becomes_a_stroke_by_enter(thin_bench: Bench) -> None:
    bench, page = thin_bench, thin_bench.reader.page
    growth = _Growth(bench)
    lung = bench.layers["anatomy"] > 0
    z, y, x = next(_lesions(bench))
    seeds = np.zeros(lung.shape, bool)
    seeds[z, y, x] = True
    bench.choose("findings", 2)
    for plane in PLANES:
        at = bench.over(plane, (x, y, z))
        bench.take("grow")
        before = growth.overlays()
        if plane == "axial":
            page.get_by_role("spinbutton", name="Within").fill("400")
            bench.reader.press("Enter")
        page.mouse.click(*at)
        ground = lung & regions.within(seeds, 400, bench.spacing[::-1])
        first = growth.shows(plane, seeds, 150, ground)
        shown = growth.overlays()
        assert shown != before
        growth.tolerance(60)
        second = growth.shows(plane, seeds, 60, ground)
        assert second.sum() < first.sum()
        assert growth.overlays() not in (shown, before)
        if plane != "axial":
            page.get_by_role("spinbutton", name="Within").fill("25")
            bench.reader.press("Enter")
            ground = lung & regions.within(seeds, 25, bench.spacing[::-1])
            third = growth.shows(plane, seeds, 60, ground)
            assert third.sum() < second.sum()
            page.get_by_label("Only inside the lung").uncheck()
            ground = regions.within(seeds, 25, bench.spacing[::-1])
            second = growth.shows(plane, seeds, 60, ground)
        # Escape leaves nothing, on the screen or at the server.
        bench.nothing(lambda: bench.reader.press("Escape"), "growth dropped")
        bench.reader.page.mouse.move(*at)
        assert growth.overlays() == before
        bench.take("grow")
        page.mouse.click(*at)
        region = growth.shows(plane, seeds, 60, ground)
        bench.command(lambda: bench.reader.press("Enter"), _with(bench.held, region, 2), f"growth on {plane}")
        assert bench.reader.stored_strokes()[-1]["plane"] == plane
        bench.take("grow")
        growth.tolerance(150)
        page.get_by_label("Only inside the lung").check()
        page.get_by_role("spinbutton", name="Within").fill("400")
        bench.reader.press("Enter")
        bench.undo(1)

    # From what is painted already: every voxel of the label on the axial slice is a seed.
    bench.choose("findings", 6)
    bench.take("brush")
    at = bench.over("axial", (x, y, z))
    painted = bench.use("brush", "axial", [at, (at[0] + 3, at[1] + 2)])
    bench.take("grow")
    page.get_by_role("spinbutton", name="Within").fill("20")
    bench.reader.press("Enter")
    page.get_by_role("button", name="From the label on this slice").click()
    ground = lung & regions.within(painted, 20, bench.spacing[::-1])
    region = growth.shows("axial", painted, 150, ground)
    bench.command(page.get_by_role("button", name="Apply").click, _with(bench.held, region, 6), "growth from a label")
    assert not bench.reader.troubles
