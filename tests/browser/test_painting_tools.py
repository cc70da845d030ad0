"""Every painting and region tool, by real mouse and keys, against sets of voxels that numpy and scipy compute alone."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial.transform import Rotation

from inference.imaging.volume import Volume
from inference.phantoms import make_phantom, write_dicom_series
from tests.browser.rasters import Raster
from tests.journeys.painting import View
from tests.journeys.site import Person, Site
from tests.journeys.viewer import Reader

pytestmark = [pytest.mark.journey, pytest.mark.browser, pytest.mark.xdist_group("browser")]

OpenTab = Callable[[Person], Reader]
Case = tuple[str, dict[str, Person]]
Layer = NDArray[np.uint8]
SHAPE = (40, 128, 128)
PLANES = ("axial", "coronal", "sagittal")
KEYS = {
    "brush": "b",
    "sphere": "Shift+B",
    "eraser": "e",
    "threshold": "t",
    "lasso": "l",
    "rectangle": "r",
    "circle": "r",
}

# Voxels of 0.7 x 0.7 x 5 mm. The patient lies turned by 7 degrees on a table that leans by 1.4, and the rows run from
# the patient's left to right, so that the slices of the file count towards the feet.
THIN_SHAPE = (28, 192, 208)
THIN_SPACING_ZYX_MM = (5.0, 0.7, 0.7)

# The threshold brush's window in these scenes, ends included: in the middle of the noise of lung and of muscle.
LOW, HIGH = -860, 50


def _phantom() -> Volume:
    spacing_zyx_mm = (280 / SHAPE[0], 358 / SHAPE[1], 333 / SHAPE[2])
    return make_phantom(1, shape_zyx=SHAPE, spacing_zyx_mm=spacing_zyx_mm).volume


class Bench:
    """One reader with the mask as it should be, kept beside the mask as it is."""

    def __init__(self, reader: Reader, volume: Volume) -> None:
        self.reader = reader
        scan = reader.api()["scan"]
        self.spacing = np.array(scan["spacing_zyx_mm"][::-1])
        self.raster = Raster(tuple(scan["shape_zyx"]), tuple(scan["spacing_zyx_mm"]))
        self.hu = _hu_on(np.array(scan["affine_lps"]), self.raster.shape_zyx, volume)
        self.layers = reader.stored_layers()
        self.states = [self.layers["findings"].copy()]

    def take(self, tool: str) -> None:
        """Take a tool up by its key."""
        self.reader.press("Escape")
        self.reader.press(KEYS[tool])
        if tool == "circle":
            self.reader.press(KEYS[tool])
        self.reader.wait_for_handle(f"g.tool === '{tool}'")

    def at(self, plane: str, right: float, down: float) -> tuple[int, int]:
        """A place on the page: parts of the plane's pane."""
        box = self.reader.page.locator(f"#pane-{plane}").bounding_box()
        assert box
        return int(box["x"] + box["width"] * right), int(box["y"] + box["height"] * down)

    def covered(
        self, tool: str, view: View, path: Sequence[tuple[int, int]], *, ball: bool = False, depth_mm: float | None = 0
    ) -> NDArray[np.bool_]:
        """The voxels (zyx) that the tool covers by its rule."""
        if tool in ("lasso", "rectangle", "circle"):
            shape: NDArray[np.bool_] = getattr(self.raster, tool)(view, path, depth_mm)
            return shape
        radius = self.reader.handle("g.brushMm") / 2
        near = (self.raster.ball if ball or tool == "sphere" else self.raster.disc)(view, path, radius)
        return near & (self.hu >= LOW) & (self.hu <= HIGH) if tool == "threshold" else near

    def use(self, tool: str, plane: str, path: list[tuple[int, int]], button: str = "left", **how: Any) -> None:
        """Drag with the tool in hand, and hold the server's mask against what it must be now.

        `bound` (bool zyx) is where alone it may write; `modifier` a key held; `ball` and `depth_mm` as `covered`.
        """
        view = self.reader.view(plane)
        bound, modifier = how.pop("bound", None), how.pop("modifier", None)
        erases = tool == "eraser" or button == "right" or modifier == "Alt"
        covered = self.covered("eraser" if tool == "threshold" and erases else tool, view, path, **how)
        expected = self.layers["findings"].copy()
        expected[covered if bound is None else covered & bound] = 0 if erases else 1
        changed = int((expected != self.layers["findings"]).sum())
        assert changed, f"{tool} on {plane} must change something"
        before = self.reader.handle("g.mask.stroke_sequence")
        keyboard = self.reader.page.keyboard
        if modifier:
            keyboard.down(modifier)
        self.reader.drag(path, button)
        if modifier:
            keyboard.up(modifier)
        self.reader.wait_for_handle(f"g.allSaved() && g.mask.stroke_sequence > {before}")
        assert self.reader.handle("g.strokes[g.strokes.length - 1].voxels") == changed
        self.expect(expected, f"{tool} on {plane}, {button} button, {how}")

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

    def window(self) -> None:
        """The threshold brush's window, by its own numbers."""
        self.take("threshold")
        for label, value in (("from", LOW), ("to", HIGH)):
            self.reader.page.get_by_role("spinbutton", name=f"{label} HU").fill(str(value))
        self.reader.press("Enter")


def _hu_on(affine: NDArray[np.float64], shape_zyx: tuple[int, int, int], volume: Volume) -> NDArray[np.int16]:
    """The voxels of a volume in the order in which the archive holds the scan: the same places in the patient."""
    z, y, x = np.indices(shape_zyx)
    stored = np.stack([x, y, z, np.ones(shape_zyx)], axis=-1)
    own = (stored @ affine.T @ np.linalg.inv(volume.affine_lps).T)[..., :3]
    place = np.rint(own).astype(int)
    assert np.abs(own - place).max() < 0.01, "the archive keeps the scan's own grid"
    found: NDArray[np.int16] = volume.hu[place[..., 2], place[..., 1], place[..., 0]]
    return found


def _opened(open_tab: OpenTab, case: Case) -> Reader:
    slug, people = case
    reader = open_tab(people["radiologist"])
    reader.sign_in()
    reader.start_reading(slug, 1)
    return reader


@pytest.fixture
def bench(open_tab: OpenTab, phantom_case: Case) -> Bench:
    return Bench(_opened(open_tab, phantom_case), _phantom())


@pytest.fixture
def thin_bench(site: Site, open_tab: OpenTab, tmp_path: Path) -> Bench:
    """A scan of 0.7 x 0.7 x 5 mm that lies askew and is filed the other way round."""
    turned = Rotation.from_euler("xyz", [1.1, -0.9, 7], degrees=True).as_matrix()
    affine = np.eye(4)
    affine[:3, :3] = turned * np.array([-THIN_SPACING_ZYX_MM[2], THIN_SPACING_ZYX_MM[1], -THIN_SPACING_ZYX_MM[0]])
    affine[:3, 3] = turned @ [70.0, -63.0, 81.0]
    phantom = make_phantom(5, shape_zyx=THIN_SHAPE, spacing_zyx_mm=THIN_SPACING_ZYX_MM, affine_lps=affine)
    write_dicom_series(phantom, tmp_path, patient_id="PHANTOM-ASKEW")
    slug = "thin-slices-askew"
    site.mend()
    people = site.furnish(slug, "coordinator", "radiologist")
    site.ingest(tmp_path, slug=slug)
    site.wait_for_drafts(slug)
    reader = _opened(open_tab, (slug, people))
    stored = np.array(reader.api()["scan"]["affine_lps"])
    assert stored[0, 0] < 0 < stored[1, 1], "rows run to the patient's right"
    assert stored[2, 2] < 0, "slices count towards the feet"
    assert np.abs(stored[:3, :3]).min() > 0.01, "no axis runs along the patient's"
    return Bench(reader, phantom.volume)


def test_tools_paint_exactly_their_voxels(thin_bench: Bench) -> None:
    bench, reader = thin_bench, thin_bench.reader
    page = reader.page
    bench.window()

    def depth(name: str) -> None:
        page.get_by_role("group", name="Depth").get_by_role("button", name=name).click()

    for number, plane in enumerate(PLANES):
        for order, tool in enumerate(KEYS):
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

    steps = len(bench.states) - 1
    for _ in range(steps):
        reader.press("z")
    reader.wait_for_handle(f"g.allSaved() && g.mask.stroke_sequence === {2 * steps}")
    assert (reader.stored_layers()["findings"] == bench.states[0]).all(), "undone to the first state"
    reader.press("Shift+Z")
    reader.wait_for_handle(f"g.allSaved() && g.mask.stroke_sequence === {2 * steps + 1}")
    assert (reader.stored_layers()["findings"] == bench.states[1]).all(), "redone by one"
    for _ in range(steps - 1):
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
