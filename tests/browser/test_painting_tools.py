"""Every painting and region tool, by real mouse and keys, against sets of voxels that numpy and scipy compute alone."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from inference.phantoms import make_phantom
from tests.journeys.painting import IN_PLANE, View
from tests.journeys.site import Person
from tests.journeys.viewer import Reader

pytestmark = [pytest.mark.journey, pytest.mark.browser, pytest.mark.xdist_group("browser")]

OpenTab = Callable[[Person], Reader]
Case = tuple[str, dict[str, Person]]
Layer = NDArray[np.uint8]
SHAPE = (40, 128, 128)
PLANES = ("axial", "coronal", "sagittal")
KEYS = {"sphere": "Shift+B", "threshold": "t", "lasso": "l", "rectangle": "r", "circle": "r"}

# The threshold brush's window in these scenes, ends included.
LOW, HIGH = -1000, -200


class Bench:
    """One reader with the mask as it should be, kept beside the mask as it is."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        scan = reader.api()["scan"]
        self.spacing = np.array(scan["spacing_zyx_mm"][::-1])
        spacing_zyx_mm = (280 / SHAPE[0], 358 / SHAPE[1], 333 / SHAPE[2])
        self.hu = np.asarray(make_phantom(1, shape_zyx=SHAPE, spacing_zyx_mm=spacing_zyx_mm).volume.hu)
        assert tuple(scan["shape_zyx"]) == SHAPE == self.hu.shape
        self.layers = reader.stored_layers()
        self.states = [self.layers["findings"].copy()]

    def take(self, tool: str) -> None:
        """Take a tool up by its key."""
        self.reader.press("Escape")
        self.reader.press(KEYS[tool])
        if tool == "circle":
            self.reader.press(KEYS[tool])
        self.reader.wait_for_handle(f"g.tool === '{tool}'")

    def centres_mm(self) -> NDArray[np.float64]:
        """Position (x, y, z in mm of the grid) of every voxel centre, as zyx."""
        z, y, x = np.indices(SHAPE)
        return np.stack([x, y, z], axis=-1) * self.spacing

    def points(self, view: View, path: Sequence[tuple[int, int]]) -> NDArray[np.float64]:
        """The pointer's path in voxels (x, y, z)."""
        axis_u, axis_v, across = IN_PLANE[view.plane]
        found = np.zeros((len(path), 3))
        for row, client in zip(found, path, strict=True):
            row[axis_u], row[axis_v] = view.to_voxel(client)
            row[across] = view.at
        return found

    def covered(self, tool: str, view: View, path: Sequence[tuple[int, int]]) -> NDArray[np.bool_]:
        """The voxels (zyx) that the tool covers by its rule."""
        points = self.points(view, path)
        _, _, across = IN_PLANE[view.plane]
        on_slice = np.indices(SHAPE)[2 - across] == view.at
        centres = self.centres_mm()
        if tool in ("sphere", "threshold"):
            radius = self.reader.handle("g.brushMm") / 2
            near = self.near_path(centres, points * self.spacing, radius)
            if tool == "sphere":
                return near
            return near & on_slice & (self.hu >= LOW) & (self.hu <= HIGH)
        axis_u, axis_v, _ = IN_PLANE[view.plane]
        voxels = np.stack(np.indices(SHAPE)[::-1], axis=-1)
        u, v = voxels[..., axis_u], voxels[..., axis_v]
        first, last = points[0], points[-1]
        if tool == "rectangle":
            low, high = np.minimum(first, last), np.maximum(first, last)
            inside = (u >= low[axis_u]) & (u <= high[axis_u]) & (v >= low[axis_v]) & (v <= high[axis_v])
        elif tool == "circle":
            radius = np.linalg.norm((last - first) * self.spacing)
            inside = np.linalg.norm(centres - first * self.spacing, axis=-1) <= radius
        else:
            inside = even_odd(u, v, points[:, [axis_u, axis_v]])
        return inside & on_slice

    @staticmethod
    def near_path(centres: NDArray[np.float64], path_mm: NDArray[np.float64], radius: float) -> NDArray[np.bool_]:
        """Voxels within the radius of any segment of the path."""
        near = np.zeros(centres.shape[:-1], bool)
        for start, end in pairwise(path_mm):
            along = end - start
            length = float(along @ along)
            t = np.clip((centres - start) @ along / length, 0, 1) if length else np.zeros(centres.shape[:-1])
            near |= np.linalg.norm(centres - start - t[..., None] * along, axis=-1) <= radius
        return near

    def use(self, tool: str, plane: str, path: list[tuple[int, int]], button: str = "left") -> None:
        """Drag with the tool, and hold the server's mask against what it must be now."""
        view = self.reader.view(plane)
        before = self.reader.handle("g.mask.stroke_sequence")
        self.reader.drag(path, button)
        expected = self.layers["findings"].copy()
        expected[self.covered(tool, view, path)] = 1 if button == "left" else 0
        assert (expected != self.layers["findings"]).any(), f"{tool} on {plane} must change something"
        self.reader.wait_for_handle(f"g.allSaved() && g.mask.stroke_sequence > {before}")
        self.expect(expected, f"{tool} on {plane}, {button} button")

    def expect(self, expected: Layer, what: str) -> None:
        """The stored findings are exactly these."""
        found = self.reader.stored_layers()
        different = int((found["findings"] != expected).sum())
        assert not different, f"{what}: {different} voxels differ of {int((expected != self.states[-1]).sum())} changed"
        assert (found["anatomy"] == self.layers["anatomy"]).all()
        self.layers["findings"] = expected
        self.states.append(expected.copy())

    def command(self, act: Callable[[], None], expected: Layer, what: str) -> None:
        """Something that acts at once."""
        before = self.reader.handle("g.mask.stroke_sequence")
        act()
        self.reader.wait_for_handle(f"g.allSaved() && g.mask.stroke_sequence > {before}")
        self.expect(expected, what)


def even_odd(u: NDArray[np.int64], v: NDArray[np.int64], points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which (u, v) lie in a polygon by the even-odd rule."""
    inside = np.zeros(u.shape, bool)
    for (au, av), (bu, bv) in zip(points, np.roll(points, -1, axis=0), strict=True):
        crosses = (av <= v) != (bv <= v)
        with np.errstate(divide="ignore", invalid="ignore"):
            inside ^= crosses & (u >= au + (v - av) / (bv - av) * (bu - au))
    return inside


@pytest.fixture
def bench(open_tab: OpenTab, phantom_case: Case) -> Bench:
    slug, people = phantom_case
    reader = open_tab(people["radiologist"])
    reader.sign_in()
    reader.start_reading(slug, 1)
    return Bench(reader)


def test_tools_paint_exactly_their_voxels(bench: Bench) -> None:
    reader = bench.reader
    reader.press("t")
    for label, value in (("from", LOW), ("to", HIGH)):
        reader.page.get_by_role("spinbutton", name=f"{label} HU").fill(str(value))
    reader.press("Enter")
    for number, plane in enumerate(PLANES):
        for order, tool in enumerate(KEYS):
            bench.take(tool)
            box = reader.page.locator(f"#pane-{plane}").bounding_box()
            assert box
            x = int(box["x"] + box["width"] * (0.3 + 0.08 * order)) + number
            y = int(box["y"] + box["height"] * 0.45) + 7 * order
            bench.use(tool, plane, [(x, y), (x + 31, y + 12), (x + 23, y + 41), (x + 9, y + 37)])
    bench.take("lasso")
    box = reader.page.locator("#pane-axial").bounding_box()
    assert box
    x, y = int(box["x"] + box["width"] * 0.32), int(box["y"] + box["height"] * 0.42)
    bench.use("lasso", "axial", [(x, y), (x + 61, y + 22), (x + 3, y + 71)], button="right")

    steps = len(bench.states) - 1
    for _ in range(steps):
        reader.press("z")
    reader.wait_for_handle(f"g.allSaved() && g.mask.stroke_sequence === {2 * steps}")
    assert (reader.stored_layers()["findings"] == bench.states[0]).all(), "undone to the first state"
    for _ in range(steps):
        reader.press("Shift+Z")
    reader.wait_for_handle(f"g.allSaved() && g.mask.stroke_sequence === {3 * steps}")
    assert (reader.stored_layers()["findings"] == bench.states[-1]).all(), "redone to the last state"
    assert not reader.troubles


def test_region_tools_change_exactly_their_voxels(bench: Bench) -> None:
    reader, page = bench.reader, bench.reader.page
    lung = bench.layers["anatomy"] != 0
    voxel_ml = float(np.prod(bench.spacing)) / 1000
    every = np.ones((3, 3, 3))

    # Threshold everything in the lung, over nothing yet, islands of 0.05 mL and more.
    start = bench.layers["findings"]
    found = lung & (start == 0) & (bench.hu >= -750) & (bench.hu <= 50)
    pieces, count = ndimage.label(found, every)
    sizes = ndimage.sum_labels(found, pieces, np.arange(count + 1)) * voxel_ml
    kept = found & (sizes >= 0.05)[pieces]
    reader.press("Shift+T")
    button = page.get_by_role("button", name="Threshold the lung", exact=True)
    bench.command(button.click, np.where(kept, 1, start).astype(np.uint8), "threshold in the lung")

    # Islands of the label smaller than 1 mL go.
    now = bench.layers["findings"]
    pieces, count = ndimage.label(now == 1, every)
    sizes = ndimage.sum_labels(now == 1, pieces, np.arange(count + 1)) * voxel_ml
    expected = np.where((now == 1) & (sizes < 1)[pieces], 0, now).astype(np.uint8)
    reader.press("k")
    page.get_by_label("Smaller than").fill("1")
    reader.press("Enter")
    bench.command(page.get_by_role("button", name="Remove them").click, expected, "islands")

    # The clicked lesion becomes an exclusion.
    now = bench.layers["findings"]
    pieces, count = ndimage.label(now == 1, every)
    largest = 1 + int(np.argmax(ndimage.sum_labels(now == 1, pieces, np.arange(1, count + 1))))
    z = int(np.argmax((pieces == largest).sum(axis=(1, 2))))
    inner = ndimage.distance_transform_edt(np.pad(pieces[z] == largest, 1))[1:-1, 1:-1]
    y, x = (int(n) for n in np.unravel_index(np.argmax(inner), inner.shape))
    reader.go_to_slice("axial", z)
    reader.press("Shift+E")
    page.get_by_role("group", name="It becomes").get_by_role("button", name="Dependent density").click()
    at = reader.view("axial").to_client((x, y))
    expected = np.where(pieces == largest, 4, now).astype(np.uint8)
    bench.command(lambda: page.mouse.click(*at), expected, "relabel")

    # Of an exclusion, too, only the clicked island stays; here it is the only one, so a lesion is kept instead.
    page.keyboard.press("1")
    now = bench.layers["findings"]
    pieces, count = ndimage.label(now == 1, every)
    if count > 1:
        chosen = 1 + int(np.argmax(ndimage.sum_labels(now == 1, pieces, np.arange(1, count + 1))))
        z = int(np.argmax((pieces == chosen).sum(axis=(1, 2))))
        inner = ndimage.distance_transform_edt(np.pad(pieces[z] == chosen, 1))[1:-1, 1:-1]
        y, x = (int(n) for n in np.unravel_index(np.argmax(inner), inner.shape))
        reader.go_to_slice("axial", z)
        reader.press("Shift+K")
        at = reader.view("axial").to_client((x, y))
        expected = np.where((now == 1) & (pieces != chosen), 0, now).astype(np.uint8)
        bench.command(lambda: page.mouse.click(*at), expected, "keep the clicked island")

    # Copy of the shown slice onto the next one up.
    now = bench.layers["findings"]
    z = int(reader.handle("g.slices.axial"))
    expected = now.copy()
    expected[z + 1][now[z] == 1] = 1
    box = page.locator("#pane-axial").bounding_box()
    assert box
    page.mouse.move(box["x"] + 40, box["y"] + 40)
    bench.command(lambda: reader.press("Shift+ArrowUp"), expected, "copy up")
    assert reader.handle("g.slices.axial") == z + 1

    steps = len(bench.states) - 1
    for _ in range(steps):
        reader.press("z")
    reader.wait_for_handle(f"g.allSaved() && g.mask.stroke_sequence === {2 * steps}")
    assert (reader.stored_layers()["findings"] == bench.states[0]).all(), "undone to the first state"
    assert not reader.troubles
