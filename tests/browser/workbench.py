"""A reader at work on a mask that the test keeps too: what each act must make of it, voxel for voxel.

The server's mask is held against the test's after every act; the mask on the screen whenever `on_screen` is asked.
"""

import base64
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from inference.imaging.volume import Volume
from inference.phantoms import make_phantom, write_dicom_series
from tests.browser.rasters import Path as PointerPath
from tests.browser.rasters import Raster, Voxels
from tests.journeys.fixtures import small_phantom
from tests.journeys.painting import IN_PLANE, View
from tests.journeys.site import Person, Site
from tests.journeys.viewer import Reader

OpenTab = Callable[[Person], Reader]
Layer = NDArray[np.uint8]
Layers = dict[str, Layer]
PLANES = ("axial", "coronal", "sagittal")
KEYS = {
    "brush": "b",
    "sphere": "Shift+B",
    "eraser": "e",
    "threshold": "t",
    "lasso": "l",
    "rectangle": "r",
    "circle": "r",
    "fill": "f",
    "grow": "g",
    "smooth": "s",
    "islands": "k",
    "keep": "Shift+K",
    "relabel": "Shift+E",
    "replace": "Shift+R",
    "threshold_lung": "Shift+T",
}

# The phantom that `small_phantom` writes.
SHAPE = (40, 128, 128)

# Voxels of 0.7 x 0.7 x 5 mm. The patient lies turned by 7 degrees on a table that leans by 1.4, and the rows run from
# the patient's left to right, so that the slices of the file count towards the feet.
THIN_SHAPE = (28, 192, 208)
THIN_SPACING_ZYX_MM = (5.0, 0.7, 0.7)

# The threshold brush's window in these scenes, ends included: in the middle of the noise of lung and of muscle.
LOW, HIGH = -860, 50


class Bench:
    """One reader with the mask as it should be, kept beside the mask as it is."""

    def __init__(self, reader: Reader, volume: Volume) -> None:
        self.reader = reader
        scan = reader.api()["scan"]
        self.spacing = np.array(scan["spacing_zyx_mm"][::-1])
        self.affine = np.array(scan["affine_lps"])
        self.raster = Raster(tuple(scan["shape_zyx"]), tuple(scan["spacing_zyx_mm"]))
        self.hu = _hu_on(self.affine, self.raster.shape_zyx, volume)
        self.layers = reader.stored_layers()
        self.layer, self.value = "findings", 1
        self.states: list[Layers] = [_copy(self.layers)]

    @property
    def held(self) -> Layer:
        """The chosen label's layer as it should be."""
        return self.layers[self.layer]

    def choose(self, layer: str, value: int) -> None:
        """Choose the label to work with: findings by their digits, lungs by Shift + L."""
        if layer == "findings":
            self.reader.press(str(value))
        while layer == "anatomy" and (self.layer, self.value) != (layer, value):
            self.reader.press("Shift+L")
            self.layer, self.value = layer, 2 if (self.layer, self.value) == (layer, 1) else 1
        self.layer, self.value = layer, value

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

    def over(self, plane: str, voxel_xyz: Sequence[int]) -> tuple[int, int]:
        """The place on the page of a voxel, its slice turned to."""
        axis_u, axis_v, across = IN_PLANE[plane]
        self.reader.go_to_slice(plane, int(voxel_xyz[across]))
        view = self.reader.view(plane)
        uv = (voxel_xyz[axis_u], voxel_xyz[axis_v])
        x, y = (int(n) for n in np.rint(view.to_client(uv)))
        assert (np.rint(view.to_voxel((x, y))) == uv).all(), "the voxel has a pixel of its own"
        return x, y

    def spot(self, plane: str, voxels: Voxels, part: float = 0.5) -> tuple[int, int]:
        """The place on the page of one of these voxels (zyx), on the slice of a plane that has most of them."""
        axis_u, axis_v, across = IN_PLANE[plane]
        places = np.argwhere(voxels)[:, ::-1]
        numbers, counts = np.unique(places[:, across], return_counts=True)
        places = places[places[:, across] == numbers[np.argmax(counts)]]
        order = np.lexsort((places[:, axis_u], places[:, axis_v]))
        return self.over(plane, places[order[int(part * (len(places) - 1))]])

    def under(self, plane: str, client: Sequence[float]) -> tuple[int, int, int]:
        """The voxel (x, y, z) that lies at a place on the page."""
        axis_u, axis_v, across = IN_PLANE[plane]
        view = self.reader.view(plane)
        found = [0, 0, 0]
        found[axis_u], found[axis_v] = (int(n) for n in np.rint(view.to_voxel(client)))
        found[across] = view.at
        return found[0], found[1], found[2]

    def covered(
        self, tool: str, view: View, path: PointerPath, *, ball: bool = False, depth_mm: float | None = 0
    ) -> Voxels:
        """The voxels (zyx) that the tool covers by its rule."""
        if tool in ("lasso", "rectangle", "circle"):
            shape: Voxels = getattr(self.raster, tool)(view, path, depth_mm)
            return shape
        radius = self.reader.handle("g.brushMm") / 2
        near = (self.raster.ball if ball or tool == "sphere" else self.raster.disc)(view, path, radius)
        return near & (self.hu >= LOW) & (self.hu <= HIGH) if tool == "threshold" else near

    def use(self, tool: str, plane: str, path: list[tuple[int, int]], button: str = "left", **how: Any) -> Voxels:
        """Drag with the tool in hand, and hold the server's mask against what it must be now.

        `bound` (bool zyx) is where alone it may write; `modifier` a key held; `ball` and `depth_mm` as `covered`.
        Returns the voxels that changed.
        """
        view = self.reader.view(plane)
        bound, modifier = how.pop("bound", None), how.pop("modifier", None)
        erases = tool == "eraser" or button == "right" or modifier == "Alt"
        covered = self.covered("eraser" if tool == "threshold" and erases else tool, view, path, **how)
        before = self.held
        expected = before.copy()
        expected[covered if bound is None else covered & bound] = 0 if erases else self.value
        keyboard = self.reader.page.keyboard

        def act() -> None:
            if modifier:
                keyboard.down(modifier)
            self.reader.drag(path, button)
            if modifier:
                keyboard.up(modifier)

        self.command(act, expected, f"{tool} on {plane}, {button} button, {how}")
        changed: Voxels = expected != before
        assert self.reader.handle("g.strokes[g.strokes.length - 1].voxels") == int(changed.sum())
        return changed

    def command(self, act: Callable[[], Any], expected: Layer, what: str) -> None:
        """Something that makes one stroke, and what the chosen label's layer must be after it."""
        assert (expected != self.held).any(), f"{what} must change something"
        before = self.reader.handle("g.mask.stroke_sequence")
        act()
        self.reader.wait_for_handle(f"g.allSaved() && g.mask.stroke_sequence > {before}")
        assert self.reader.handle("g.mask.stroke_sequence") == before + 1, what
        self.expect(expected, what)

    def expect(self, expected: Layer, what: str) -> None:
        """The stored layer of the chosen label is exactly this, and the other one as it was."""
        found = self.reader.stored_layers()
        different = int((found[self.layer] != expected).sum())
        changed = int((expected != self.held).sum())
        assert not different, f"{what}: {different} voxels differ, {changed} were to change"
        for name, layer in self.layers.items():
            assert name == self.layer or (found[name] == layer).all(), f"{what}: the other layer has changed"
        self.layers = {**self.layers, self.layer: expected.copy()}
        self.states.append(_copy(self.layers))

    def nothing(self, act: Callable[[], Any], what: str) -> None:
        """Something that must leave the mask and its log as they are."""
        before = self.reader.handle("g.mask.stroke_sequence")
        act()
        self.reader.page.wait_for_timeout(150)
        self.reader.wait_until_saved()
        assert self.reader.handle("g.mask.stroke_sequence") == before, what
        assert_same(self.on_screen(), self.layers, what)

    def on_screen(self) -> Layers:
        """The layers as the viewer holds them, voxel by voxel."""
        return layers_on_screen(self.reader, self.raster.shape_zyx)

    def step(self, key: str, times: int) -> None:
        """Undo or redo so many times, and wait until all is saved."""
        before = self.reader.handle("g.mask.stroke_sequence")
        for _ in range(times):
            self.reader.press(key)
        self.reader.wait_for_handle(f"g.allSaved() && g.mask.stroke_sequence === {before + times}")

    def undo(self, times: int) -> None:
        """Undo so many of the last acts: they count as never done."""
        self.step("z", times)
        del self.states[-times:]
        self.layers = _copy(self.states[-1])
        assert_same(self.reader.stored_layers(), self.layers, f"{times} undone")

    def back_and_forth(self) -> None:
        """Undo everything, redo one, redo the rest: the exact masks, on the server and on the screen."""
        steps = len(self.states) - 1
        for key, times, state in (("z", steps, 0), ("Shift+Z", 1, 1), ("Shift+Z", steps - 1, steps)):
            self.step(key, times)
            for found in (self.reader.stored_layers(), self.on_screen()):
                assert_same(found, self.states[state], f"state {state} of {steps}")

    def window(self) -> None:
        """The threshold brush's window, by its own numbers."""
        self.take("threshold")
        for label, value in (("from", LOW), ("to", HIGH)):
            self.reader.page.get_by_role("spinbutton", name=f"{label} HU").fill(str(value))
        self.reader.press("Enter")


def layers_on_screen(reader: Reader, shape_zyx: tuple[int, int, int], told_by: str = "voxelAt") -> Layers:
    """The layers (uint8 zyx) that the viewer's handle tells, each voxel asked; `shownAt` tells those that are drawn."""
    packed = reader.page.evaluate(
        """([nz, ny, nx, toldBy]) => ['anatomy', 'findings'].map((layer) => {
          const g = window.groundglass;
          const all = new Uint8Array(nz * ny * nx);
          let n = 0;
          for (let k = 0; k < nz; k++)
            for (let j = 0; j < ny; j++) for (let i = 0; i < nx; i++) all[n++] = g[toldBy](layer, i, j, k);
          let text = '';
          for (let at = 0; at < all.length; at += 8192) text += String.fromCharCode(...all.subarray(at, at + 8192));
          return btoa(text);
        })""",
        [*shape_zyx, told_by],
    )
    anatomy, findings = (np.frombuffer(base64.b64decode(text), np.uint8).reshape(shape_zyx) for text in packed)
    return {"anatomy": anatomy, "findings": findings}


def assert_same(found: Layers, expected: Layers, what: str) -> None:
    """Both layers are alike in every voxel."""
    for name, layer in expected.items():
        different = int((found[name] != layer).sum())
        assert not different, f"{what}: {different} voxels of the {name} differ"


def _copy(layers: Layers) -> Layers:
    return {name: layer.copy() for name, layer in layers.items()}


def _hu_on(affine: NDArray[np.float64], shape_zyx: tuple[int, int, int], volume: Volume) -> NDArray[np.int16]:
    """The voxels of a volume in the order in which the archive holds the scan: the same places in the patient."""
    z, y, x = np.indices(shape_zyx)
    stored = np.stack([x, y, z, np.ones(shape_zyx)], axis=-1)
    own = (stored @ affine.T @ np.linalg.inv(volume.affine_lps).T)[..., :3]
    place = np.rint(own).astype(int)
    assert np.abs(own - place).max() < 0.01, "the archive keeps the scan's own grid"
    found: NDArray[np.int16] = volume.hu[place[..., 2], place[..., 1], place[..., 0]]
    return found


# Each test opens one of the cases below as a reader of its own, from the same draft; a campaign has as many of them.
READERS = tuple("radiologist" if n == 1 else f"radiologist {n}" for n in range(1, 9))
_waiting: dict[str, list[tuple[str, Person]]] = {}
_made: dict[str, int] = {}


def opened(site: Site, open_tab: OpenTab, slug: str, series: Callable[[], Path]) -> Reader:
    """The only case of a campaign, opened by a radiologist who has not read it yet.

    The campaign is made when it is first asked for, and another one when all of its readers have read.
    """
    site.mend()
    places = _waiting.setdefault(slug, [])
    if not places:
        place = slug if slug not in _made else f"{slug}-{_made[slug] + 1}"
        _made[slug] = _made.get(slug, 0) + 1
        people = site.furnish(place, *READERS)
        site.ingest(series(), slug=place)
        site.wait_for_drafts(place)
        places += [(place, person) for person in people.values()]
    place, person = places.pop(0)
    reader = open_tab(person)
    reader.sign_in()
    reader.start_reading(place, 1)
    return reader


def plain_bench(site: Site, open_tab: OpenTab) -> Bench:
    """At a plain chest."""
    phantom = make_phantom(1, shape_zyx=SHAPE, spacing_zyx_mm=(280 / SHAPE[0], 358 / SHAPE[1], 333 / SHAPE[2]))
    return Bench(opened(site, open_tab, "a-plain-chest", small_phantom), phantom.volume)


def thin_bench(site: Site, open_tab: OpenTab, folder: Path) -> Bench:
    """At a scan of 0.7 x 0.7 x 5 mm that lies askew and is filed the other way round."""
    turned = Rotation.from_euler("xyz", [1.1, -0.9, 7], degrees=True).as_matrix()
    affine = np.eye(4)
    affine[:3, :3] = turned * np.array([-THIN_SPACING_ZYX_MM[2], THIN_SPACING_ZYX_MM[1], -THIN_SPACING_ZYX_MM[0]])
    affine[:3, 3] = turned @ [70.0, -63.0, 81.0]
    phantom = make_phantom(5, shape_zyx=THIN_SHAPE, spacing_zyx_mm=THIN_SPACING_ZYX_MM, affine_lps=affine)

    def series() -> Path:
        write_dicom_series(phantom, folder, patient_id="PHANTOM-ASKEW")
        return folder

    reader = opened(site, open_tab, "thin-slices-askew", series)
    stored = np.array(reader.api()["scan"]["affine_lps"])
    assert stored[0, 0] < 0 < stored[1, 1], "rows run to the patient's right"
    assert stored[2, 2] < 0, "slices count towards the feet"
    assert np.abs(stored[:3, :3]).min() > 0.01, "no axis runs along the patient's"
    return Bench(reader, phantom.volume)
