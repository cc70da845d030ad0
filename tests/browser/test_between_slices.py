"""Between slices and copies, by keys, on all planes of a scan that lies askew, its slices counted towards the feet."""

import pytest

from tests.browser import regions
from tests.browser.workbench import PLANES, Bench, Layer
from tests.journeys.painting import IN_PLANE

pytestmark = [pytest.mark.slow, pytest.mark.journey, pytest.mark.browser]


def _hover(bench: Bench, plane: str) -> None:
    """The pointer over a plane: keys mean it."""
    bench.reader.page.mouse.move(*bench.at(plane, 0.06, 0.9))


def _filled(bench: Bench, plane: str, gaps: list[tuple[int, int]]) -> Layer:
    """The findings after these gaps between drawn slices were filled with the chosen label."""
    axis_u, axis_v, _ = IN_PLANE[plane]
    after = bench.held.copy()
    spacing_vu = (bench.spacing[axis_v], bench.spacing[axis_u])
    for gap in gaps:
        drawn = {n: regions.slice_of(bench.held, plane, n) == bench.value for n in gap}
        assert all(shape.any() for shape in drawn.values())
        for n, shape in regions.between(drawn, spacing_vu).items():
            assert not (regions.slice_of(bench.held, plane, n) == bench.value).any(), "drawn slices are neighbours"
            regions.slice_of(after, plane, n)[shape] = bench.value
    return after


def test_gaps_between_drawn_slices_are_filled_by_their_shapes(thin_bench: Bench) -> None:
    bench, reader = thin_bench, thin_bench.reader
    for value, plane in zip((5, 6, 7), PLANES, strict=True):
        bench.choose("findings", value)
        start = int(reader.handle(f"g.slices.{plane}"))
        drawn = [start + n for n in (-4, 0, 3, 5)]
        x, y = bench.at(plane, 0.4, 0.4)
        outlines = {
            "circle": [(x + 30, y + 30), (x + 52, y + 41)],
            "lasso": [(x, y), (x + 71, y + 9), (x + 40, y + 33), (x + 66, y + 70), (x + 5, y + 62)],
            "rectangle": [(x + 20, y + 5), (x + 60, y + 49)],
            "brush": [(x + 25, y + 30), (x + 50, y + 44)],
        }
        for at, (tool, path) in zip(drawn, outlines.items(), strict=True):
            reader.go_to_slice(plane, at)
            bench.take(tool)
            bench.use(tool, plane, path)
        # Around the shown slice alone; a drawn slice joins the gaps to both of its sides.
        reader.go_to_slice(plane, drawn[0] + 1)
        _hover(bench, plane)
        bench.command(lambda: reader.press("i"), _filled(bench, plane, [(drawn[0], drawn[1])]), f"one gap on {plane}")
        assert reader.handle("g.tool") == "brush", "what was in hand stays in hand"
        reader.go_to_slice(plane, drawn[2])
        _hover(bench, plane)
        both = [(drawn[1], drawn[2]), (drawn[2], drawn[3])]
        bench.command(lambda: reader.press("i"), _filled(bench, plane, both), f"two gaps on {plane}")
        bench.nothing(lambda: reader.press("i"), "no gap is left")
        reader.page.get_by_role("button", name="Close").click()
        # All gaps at once, but none that is too wide.
        bench.undo(2)
        gaps = reader.page.get_by_role("group", name="Gaps")
        reader.page.get_by_label("All gaps up to").fill("2")
        reader.press("Enter")
        gaps.get_by_role("button", name="All", exact=True).click()
        _hover(bench, plane)
        bench.command(lambda: reader.press("i"), _filled(bench, plane, both), f"narrow gaps on {plane}")
        gaps.get_by_role("button", name="Around this slice").click()
    bench.back_and_forth()
    assert not reader.troubles


def test_a_slice_is_copied_onto_the_next_one_up_and_down(thin_bench: Bench) -> None:
    bench, reader = thin_bench, thin_bench.reader
    # Up is where the arrow up leads: to the head, the back, the left.
    patient_axis = {"axial": 2, "coronal": 1, "sagittal": 0}
    for value, plane in zip((5, 6, 7), PLANES, strict=True):
        bench.choose("findings", value)
        x, y = bench.at(plane, 0.45, 0.45)
        bench.take("lasso")
        bench.use("lasso", plane, [(x, y), (x + 60, y + 12), (x + 33, y + 27), (x + 12, y + 49)])
        # On the neighbours lies something of the label already, and of others: the first stays, the others go.
        start = int(reader.handle(f"g.slices.{plane}"))
        up = 1 if bench.affine[patient_axis[plane], IN_PLANE[plane][2]] > 0 else -1
        for key, by in (("Shift+ArrowUp", up), ("Shift+ArrowDown", -up)):
            reader.go_to_slice(plane, start + by)
            bench.take("rectangle")
            bench.use("rectangle", plane, [(x + 20 + by, y + 20), (x + 44, y + 61)])
            reader.go_to_slice(plane, start)
            _hover(bench, plane)
            expected = bench.held.copy()
            here = regions.slice_of(bench.held, plane, start) == value
            regions.slice_of(expected, plane, start + by)[here] = value
            bench.command(lambda key=key: reader.press(key), expected, f"{key} on {plane}")
            assert reader.handle(f"g.slices.{plane}") == start + by, "the next slice is shown"
    # At the end of the scan there is no next slice.
    reader.page.mouse.move(*bench.at("axial", 0.06, 0.9))
    reader.press("Home")
    top = int(reader.handle("g.slices.axial"))
    assert bench.affine[2, 2] * (top - bench.raster.shape_zyx[0] / 2) > 0, "the first slice is at the head"
    bench.take("rectangle")
    bench.use("rectangle", "axial", [bench.at("axial", 0.4, 0.4), bench.at("axial", 0.45, 0.45)])
    bench.nothing(lambda: reader.press("Shift+ArrowUp"), "copied beyond the head")
    assert reader.handle("g.slices.axial") == top
    # The strip beside the plane has the head at its top.
    strip = reader.page.get_by_role("slider", name="Axial slice")
    box = strip.bounding_box()
    assert box
    last = bench.raster.shape_zyx[0] - 1
    for part, expected in ((0.98, last - top), (0.02, top)):
        reader.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] * part)
        assert reader.handle("g.slices.axial") == expected
    strip.press("Home")
    assert reader.handle("g.slices.axial") == top
    bench.back_and_forth()
    assert not reader.troubles
