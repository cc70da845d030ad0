"""Ways to paint: straight lines, the right button, keys alone; and the lung layer beside the findings."""

import numpy as np
import pytest
from scipy import ndimage

from tests.browser import regions
from tests.browser.workbench import PLANES, Bench
from tests.journeys.painting import IN_PLANE

pytestmark = [pytest.mark.slow, pytest.mark.journey, pytest.mark.browser]

# Directions on the screen, as patient axes (LPS) and their sense.
RIGHT = {"axial": (0, 1), "coronal": (0, 1), "sagittal": (1, 1)}
DOWN = {"axial": (1, 1), "coronal": (2, -1), "sagittal": (2, -1)}
SCROLLED = ("sagittal", "coronal", "axial")


def test_shift_draws_straight_lines_and_the_right_button_erases(thin_bench: Bench) -> None:
    bench, reader, page = thin_bench, thin_bench.reader, thin_bench.reader.page

    def click(plane: str, at: tuple[int, int], path: list[tuple[int, int]], tool: str = "brush") -> None:
        """A click with Shift, and the path that it must draw."""
        covered = bench.covered(tool, reader.view(plane), path)
        expected = bench.held.copy()
        expected[covered] = bench.value

        def act() -> None:
            page.keyboard.down("Shift")
            page.mouse.move(*at)
            page.mouse.down()
            page.mouse.up()
            page.keyboard.up("Shift")

        bench.command(act, expected, f"a straight line of the {tool} on {plane}")

    for value, plane in zip((1, 3, 6), PLANES, strict=True):
        bench.choose("findings", value)
        x, y = bench.at(plane, 0.35, 0.4)
        places = [(x, y), (x + 47, y + 11), (x + 20, y + 52)]
        for tool in ("brush", "sphere"):
            bench.take(tool)
            bench.use(tool, plane, [places[0], places[0]])
            click(plane, places[1], [places[0], places[1]], tool)
            click(plane, places[2], [places[1], places[2]], tool)
            # On another slice there is nothing to draw from.
            reader.go_to_slice(plane, int(reader.handle(f"g.slices.{plane}")) + 1)
            click(plane, places[1], [places[1], places[1]], tool)
            reader.go_to_slice(plane, int(reader.handle(f"g.slices.{plane}")) - 1)
            bench.use(tool, plane, [(x + 5, y + 5), (x + 40, y + 30)], button="right")
            bench.use(tool, plane, [(x + 30, y + 2), (x + 44, y + 20)], modifier="Alt")
    bench.back_and_forth()
    assert not reader.troubles


def test_keys_alone_move_the_crosshair_and_paint_on_every_plane(thin_bench: Bench) -> None:
    bench, reader = thin_bench, thin_bench.reader
    radius_mm = reader.handle("g.brushMm") / 2
    bench.choose("findings", 3)

    def here() -> list[int]:
        at = reader.handle("g.slices")
        return [int(at[name]) for name in SCROLLED]

    def disc(plane: str) -> regions.Shape:
        """Voxels of the plane's slice within the radius of the crosshair's."""
        axis_u, axis_v, across = IN_PLANE[plane]
        centre = here()
        indices = np.indices(bench.raster.shape_zyx)[::-1]
        away = [(indices[axis] - centre[axis]) * bench.spacing[axis] for axis in (axis_u, axis_v)]
        found: regions.Shape = (np.hypot(*away) <= radius_mm) & (indices[across] == centre[across])
        return found

    # The axial plane is the active one at first; one key goes round.
    for plane in PLANES:
        if plane != "axial":
            reader.press(",")
        for key, (patient_axis, sense) in (("Right", RIGHT[plane]), ("Down", DOWN[plane])):
            axis = int(np.argmax(np.abs(bench.affine[patient_axis, :3])))
            sense = int(sense * np.sign(bench.affine[patient_axis, axis]))
            steps = max(1, round(2 * radius_mm / 4 / bench.spacing[axis]))
            for name, towards in ((key, 1), ({"Right": "Left", "Down": "Up"}[key], -1), (key, 1)):
                expected = here()
                expected[axis] += towards * sense * steps
                reader.press(f"Alt+Arrow{name}")
                reader.wait_for_handle(f"g.slices.{SCROLLED[axis]} === {expected[axis]}")
                assert here() == expected, f"Alt + {name} on {plane}"
        painted = bench.held.copy()
        painted[disc(plane)] = 3
        bench.command(lambda: reader.press("Alt+Enter"), painted, f"a disc by keys on {plane}")
        reader.press("Alt+ArrowRight")
        reader.press("Alt+ArrowRight")
        erased = bench.held.copy()
        erased[disc(plane)] = 0
        bench.command(lambda: reader.press("Alt+Backspace"), erased, f"a disc erased by keys on {plane}")
    # Guards bind the keys too.
    reader.tab_to(reader.page.get_by_role("button", name="Lock Honeycombing"))
    reader.press("Space")
    reader.press("Alt+ArrowLeft")
    reader.press("Alt+ArrowLeft")
    erased = bench.held.copy()
    erased[disc("sagittal") & (bench.held != 3)] = 0
    assert (bench.held[disc("sagittal")] == 3).any(), "a locked label under the crosshair"
    if (erased != bench.held).any():
        bench.command(lambda: reader.press("Alt+Backspace"), erased, "around a locked label")
    else:
        bench.nothing(lambda: reader.press("Alt+Backspace"), "a locked label alone")
    bench.back_and_forth()
    assert not reader.troubles


def test_lungs_and_findings_are_painted_and_erased_apart(bench: Bench) -> None:
    reader, page = bench.reader, bench.reader.page
    # Every act below compares both layers: the one that is not chosen must stay as it is.
    reader.press("Shift+I")
    for plane in PLANES:
        for value in (1, 2):
            bench.choose("anatomy", value)
            for order, tool in enumerate(("brush", "sphere", "lasso", "rectangle")):
                bench.take(tool)
                rim = ndimage.binary_dilation(bench.held > 0) & (bench.held == 0)
                x, y = bench.spot(plane, rim, (2 * order + value) / 10)
                bench.use(tool, plane, [(x - 11, y - 8), (x + 14, y - 3), (x + 9, y + 15)])
            bench.use("rectangle", plane, [(x - 5, y - 4), (x + 3, y + 3)], button="right")
            bench.take("eraser")
            bench.use("eraser", plane, [(x + 5, y + 5), (x + 12, y + 7)])
    # Regions work on the lung that is chosen: a hole that was cut into it is filled again, and a gap of it.
    for plane, value in zip(PLANES, (1, 2, 1), strict=True):
        axis_u, axis_v, _ = IN_PLANE[plane]
        bench.choose("anatomy", value)
        z, y, x = regions.inmost(bench.held == value)
        at = bench.over(plane, (x, y, z))
        view = reader.view(plane)
        bench.take("circle")
        bench.use("circle", plane, [at, (at[0] + 9, at[1] + 3)], modifier="Alt")
        labels = regions.slice_of(bench.held, plane, view.at)
        middle = bench.under(plane, at)
        hole = regions.hole(labels, value, (middle[axis_v], middle[axis_u]))
        assert hole.any()
        expected = bench.held.copy()
        regions.slice_of(expected, plane, view.at)[hole] = value
        bench.take("fill")
        bench.command(lambda at=at: page.mouse.click(*at), expected, f"a hole in lung {value} on {plane}")
    # A locked lung is not painted over by the other one.
    page.get_by_role("button", name="Lock Left lung").click()
    bench.choose("anatomy", 2)
    bench.take("brush")
    z, y, x = regions.inmost(bench.held == 1)
    at = bench.over("axial", (x, y, z))
    bench.nothing(lambda: reader.drag([at, (at[0] + 4, at[1])]), "over a locked lung")
    # Findings again, inside the lung as it is now.
    bench.choose("findings", 1)
    lung = bench.layers["anatomy"] > 0
    for plane in PLANES:
        bench.take("brush")
        x, y = bench.spot(plane, lung & ndimage.binary_dilation(~lung) & (bench.held == 0))
        path = [(x - 30, y - 20), (x + 30, y + 20)]
        assert (bench.covered("brush", reader.view(plane), path) & ~lung).any(), "the path leaves the lung"
        bench.use("brush", plane, path, bound=lung)
        bench.use("brush", plane, path, button="right")
    bench.back_and_forth()
    assert not reader.troubles
