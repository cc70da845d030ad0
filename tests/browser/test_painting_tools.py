"""Every painting and shape tool, by real mouse and keys, against sets of voxels that numpy computes alone."""

import pytest

from tests.browser.workbench import PLANES, Bench

pytestmark = [pytest.mark.journey, pytest.mark.browser]
TOOLS = ("brush", "sphere", "eraser", "threshold", "lasso", "rectangle", "circle")


def test_tools_paint_exactly_their_voxels(thin_bench: Bench) -> None:
    bench, reader = thin_bench, thin_bench.reader
    page = reader.page
    bench.window()

    def depth(name: str) -> None:
        page.get_by_role("group", name="Depth").get_by_role("button", name=name).click()

    for number, plane in enumerate(PLANES):
        for order, tool in enumerate(TOOLS):
            bench.take(tool)
            # The eraser goes over what the sphere has painted.
            x, y = bench.at(plane, 0.25 + 0.07 * (1 if tool == "eraser" else order), 0.38)
            x, y = x + number, y + 7 * order
            bench.use(tool, plane, [(x, y), (x + 31, y + 12), (x + 23, y + 41), (x + 9, y + 37)])
        x, y = bench.at(plane, 0.31, 0.52)
        path = [(x, y), (x + 61, y + 22), (x + 3, y + 50)]
        bench.take("threshold")
        page.get_by_label("A ball across slices").check()
        bench.use("threshold", plane, path, ball=True)
        page.get_by_label("A ball across slices").uncheck()
        bench.use("threshold", plane, path[:2], button="right")
        bench.take("sphere")
        bench.use("sphere", plane, path[1:], button="right")
        # Shapes through slices: painted some mm deep, and erased through all.
        bench.take("rectangle")
        depth("Near")
        bench.use("rectangle", plane, [(x - 40, y + 30), (x + 40, y + 75)], depth_mm=10)
        bench.take("lasso")
        bench.use("lasso", plane, [(x - 45, y), (x + 20, y + 90), (x + 20, y), (x - 45, y + 80)], depth_mm=10)
        depth("All slices")
        bench.use("lasso", plane, path, button="right", depth_mm=None)
        bench.take("circle")
        bench.use("circle", plane, [(x - 20, y + 50), (x - 9, y + 55)], modifier="Alt", depth_mm=None)
        depth("This slice")

    bench.back_and_forth()
    assert not reader.troubles
