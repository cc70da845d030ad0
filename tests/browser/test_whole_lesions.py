"""Islands, keep, relabel, replacement in a box and thresholding of the lung, by real mouse and keys."""

from typing import Any

import numpy as np
import pytest

from tests.browser import regions
from tests.browser.workbench import PLANES, Bench, Layer
from tests.journeys.painting import IN_PLANE

pytestmark = [pytest.mark.slow, pytest.mark.journey, pytest.mark.browser]


def _set(layer: Layer, where: regions.Shape, value: int) -> Layer:
    after = layer.copy()
    after[where] = value
    return after


def _deep(shape: regions.Shape) -> tuple[int, int, int]:
    """A voxel (x, y, z) deep inside a shape."""
    z, y, x = regions.inmost(shape)
    return x, y, z


def test_threshold_islands_keep_and_relabel_change_whole_pieces(bench: Bench) -> None:
    reader, page = bench.reader, bench.reader.page
    voxel_ml = float(np.prod(bench.spacing)) / 1000

    # Everything in the lung within a window, over nothing yet, in pieces of so many mL and more.
    lung, start = bench.layers["anatomy"] > 0, bench.held
    found = lung & (start == 0) & (bench.hu >= -750) & (bench.hu <= 50)
    numbers, sizes = regions.pieces(found)
    kept = found & (sizes * voxel_ml >= 0.1)[numbers]
    assert kept.any()
    assert (kept != found).any()
    bench.take("threshold_lung")
    for label, value in (("from HU", -750), ("to HU", 50), ("Leave out islands under", 0.1)):
        page.get_by_role("spinbutton", name=label).fill(str(value))
    reader.press("Enter")
    button = page.get_by_role("button", name="Threshold the lung", exact=True)
    bench.command(button.click, _set(start, kept, 1), "threshold in the lung")

    # Islands of the label smaller than so many mL go.
    numbers, sizes = regions.pieces(bench.held == 1)
    small = (bench.held == 1) & (sizes * voxel_ml < 0.7)[numbers]
    bench.take("islands")
    page.get_by_label("Smaller than").fill("0.7")
    reader.press("Enter")
    bench.command(page.get_by_role("button", name="Remove them").click, _set(bench.held, small, 0), "islands")

    # A click on any plane relabels one piece, and keeps one of its label.
    names = {4: "Dependent density", 5: "Pleural effusion", 8: "Motion artefact"}
    for plane, (value, name) in zip(PLANES, names.items(), strict=True):
        numbers, sizes = regions.pieces(bench.held == 1)
        assert len(sizes) > 2, "a piece to relabel and one that stays"
        piece = numbers == 1 + int(np.argsort(-sizes[1:])[1])
        at = bench.over(plane, _deep(piece))
        bench.take("relabel")
        page.get_by_role("group", name="It becomes").get_by_role("button", name=name).click()
        bench.command(lambda at=at: page.mouse.click(*at), _set(bench.held, piece, value), f"relabel on {plane}")
        bench.nothing(lambda at=at: page.mouse.click(*at), "relabelled to what it is")
    for plane in PLANES:
        numbers, sizes = regions.pieces(bench.held == 1)
        piece = numbers == 1 + int(np.argmax(sizes[1:]))
        at = bench.over(plane, _deep(piece))
        bench.take("keep")
        expected = _set(bench.held, (bench.held == 1) & ~piece, 0)
        bench.command(lambda at=at: page.mouse.click(*at), expected, f"keep on {plane}")
        if plane != PLANES[-1]:
            bench.undo(1)
    bench.nothing(lambda: page.mouse.click(*bench.at("axial", 0.03, 0.03)), "no island there")
    bench.back_and_forth()
    assert not reader.troubles


def test_one_label_replaces_another_inside_a_box_of_a_depth(thin_bench: Bench) -> None:
    bench, reader, page = thin_bench, thin_bench.reader, thin_bench.reader.page

    def replace(name: str) -> None:
        page.get_by_role("combobox", name="Replace").select_option(label=name)

    def depth(name: str) -> None:
        page.get_by_role("group", name="Depth").get_by_role("button", name=name).click()

    def drag(plane: str, old: int, **how: Any) -> None:
        """A box over the middle of the plane."""
        path = [bench.at(plane, 0.32, 0.3), bench.at(plane, 0.56, 0.46), bench.at(plane, 0.62, 0.6)]
        button = how.pop("button", "left")
        inside = bench.raster.rectangle(reader.view(plane), path, **how)
        expected = _set(bench.held, inside & (bench.held == old), 0 if button == "right" else bench.value)
        bench.command(
            lambda: reader.drag(path, button), expected, f"{old} by {bench.value} on {plane}, {button}, {how}"
        )

    # Balls of two labels in the middle, which a box cuts through.
    for value, down in ((2, 0.42), (7, 0.55)):
        bench.choose("findings", value)
        bench.take("sphere")
        page.get_by_role("spinbutton", name="Diameter").fill("40")
        reader.press("Enter")
        bench.use("sphere", "axial", [bench.at("axial", 0.45, down), bench.at("axial", 0.5, down)])
    for plane in PLANES:
        _, _, across = IN_PLANE[plane]
        middle = np.argwhere(np.isin(bench.held, (2, 7))).mean(axis=0)[2 - across]
        reader.go_to_slice(plane, int(middle))
        bench.choose("findings", 3)
        bench.take("replace")
        replace("Reticulation")
        depth("This slice")
        drag(plane, 2)
        depth("Near")
        page.get_by_role("spinbutton", name="Near: ±").fill("7")
        reader.press("Enter")
        drag(plane, 2, depth_mm=7)
        replace("Tuberculous sequelae")
        depth("All slices")
        drag(plane, 7, depth_mm=None)
        # The right button erases what the box holds of the label.
        replace("Honeycombing")
        drag(plane, 3, button="right", depth_mm=None)
        # Escape drops a box in the making.
        path = [bench.at(plane, 0.3, 0.3), bench.at(plane, 0.7, 0.7)]

        def dropped(path: list[tuple[int, int]] = path) -> None:
            reader.drag(path, release=False)
            reader.press("Escape")
            page.mouse.up()

        bench.choose("findings", 2)
        bench.nothing(dropped, "a box that Escape drops")
        bench.undo(4)
    # Of the lungs, too: what was replaced last is no label of theirs.
    bench.choose("findings", 2)
    bench.take("replace")
    replace("Motion artefact")
    bench.choose("anatomy", 2)
    assert page.get_by_role("combobox", name="Replace").locator("option:checked").inner_text() == "Left lung"
    x, y = bench.spot("coronal", bench.held == 1)
    path = [(x - 20, y - 30), (x + 30, y + 20)]
    inside = bench.raster.rectangle(reader.view("coronal"), path, depth_mm=None)
    expected = _set(bench.held, inside & (bench.held == 1), 2)
    bench.command(lambda: reader.drag(path), expected, "a part of the left lung becomes right")
    assert not reader.troubles
