"""A letter in the patient, stored in every way: seen the right way round, and painted where it lies in the patient.

The test finds the letter in the pixels of a plane and paints relative to it; where the viewer thinks that voxels lie is
never asked. Places are told by the page (title, letters, millimetres) and by the voxels that the server keeps.
"""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.browser.letters import LETTER_HU, SIZE_LPS, SPACING_LPS_MM, WAYS, Way, letter_lps, write_dicom, write_nifti
from tests.browser.workbench import OpenTab
from tests.journeys.site import Site
from tests.journeys.viewer import Reader

pytestmark = [pytest.mark.journey, pytest.mark.browser]

# By patient axes (LPS): to the right of the screen, to its top with the sense, and across.
LOOKS = {"Axial": (0, (1, -1), 2), "Coronal": (0, (2, 1), 1), "Sagittal": (1, (2, 1), 0)}
LETTERS = {
    "Axial": {"right": "L", "left": "R", "top": "A", "bottom": "P"},
    "Coronal": {"right": "L", "left": "R", "top": "H", "bottom": "F"},
    "Sagittal": {"right": "P", "left": "A", "top": "H", "bottom": "F"},
}
# Halfway from air to the letter in the lung window.
BRIGHT = 157
# What the edges of the letter in the picture leave open, with something over.
CLEAR_MM = 0.3


def picture_lps(plane: str, at: int) -> NDArray[np.bool_]:
    """The letter on a slice of the patient as it must be seen: rows from the top, columns from the left."""
    axis_u, (axis_v, up), across = LOOKS[plane]
    shown = np.moveaxis(letter_lps() == LETTER_HU, (axis_v, axis_u, across), (0, 1, 2))[..., at]
    return shown[::-1] if up > 0 else shown


def _cropped(shape: NDArray[np.bool_]) -> NDArray[np.bool_]:
    rows, columns = shape.any(axis=1).nonzero()[0], shape.any(axis=0).nonzero()[0]
    return shape[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def test_the_letter_is_told_from_its_turns_and_mirror_images() -> None:
    for plane, (_, _, across) in LOOKS.items():
        for at in (SIZE_LPS[across] // 2 - 1, SIZE_LPS[across] // 2):
            shape = _cropped(picture_lps(plane, at))
            others = [shape[::-1], shape[:, ::-1], shape[::-1, ::-1]]
            others += [other.T for other in (shape, *others)]
            assert not any(np.array_equal(shape, other) for other in others), (plane, at)
    assert len({way.letters for way in WAYS}) == 48


@dataclass
class Pane:
    """A plane on the page, found by its title, and the letter in its picture."""

    reader: Reader
    plane: str
    at: int
    """The slice of the patient, by the millimetres that the page tells."""
    origin: NDArray[np.float64]
    """The page's place of the picture's column 0, row 0: corner of the first pixel of the whole slice."""
    pixels_per_cell: NDArray[np.float64]

    @classmethod
    def found(cls, reader: Reader, plane: str, corner_lps_mm: NDArray[np.float64]) -> "Pane":
        """Find the letter in the pixels, and check that it is seen as it lies in the patient."""
        section = reader.page.locator(f'section.pane[aria-label^="{plane} plane"]')
        assert section.count() == 1, f"one pane shows the {plane.lower()} plane"
        for side, letter in LETTERS[plane].items():
            assert section.locator(f".letter.{side}").inner_text() == letter, (plane, side)
        axis_u, (axis_v, _), across = LOOKS[plane]
        place = re.fullmatch(r"([LRPAHF]) ([\d.]+) mm", section.locator(".pane-place").inner_text())
        assert place, "the page tells the place of the slice"
        mm = float(place[2]) * (1 if place[1] in "LPH" else -1)
        along = (mm - corner_lps_mm[across]) / SPACING_LPS_MM[across]
        at = round(along)
        assert abs(along - at) * SPACING_LPS_MM[across] < 0.051, "slices lie where the patient's do"

        bright = _pixels(reader, section.locator(".pane-stage").get_attribute("id") or "") > BRIGHT
        rows, columns = bright.any(axis=1).nonzero()[0], bright.any(axis=0).nonzero()[0]
        top, left = rows[0], columns[0]
        size = np.array([columns[-1] + 1 - left, rows[-1] + 1 - top])
        whole = picture_lps(plane, at)
        shape = _cropped(whole)
        cell = size / shape.shape[::-1]
        for row, column in np.ndindex(shape.shape):
            x, y = left + (column + 0.5) * cell[0], top + (row + 0.5) * cell[1]
            assert bright[int(y), int(x)] == shape[row, column], f"{plane} {at}, row {row}, column {column}"
        mm_per_pixel = SPACING_LPS_MM[[axis_u, axis_v]] / cell
        assert mm_per_pixel[0] == pytest.approx(mm_per_pixel[1], rel=0.03), "the picture is not squashed"
        box = section.locator(".pane-stage").bounding_box()
        assert box
        first = np.array([whole.any(axis=0).argmax(), whole.any(axis=1).argmax()])
        return cls(reader, plane, at, np.array([box["x"] + left, box["y"] + top]) - first * cell, cell)

    def patient_cells(self, client: Sequence[float]) -> NDArray[np.float64]:
        """A place on the page in voxels of the patient (L, P, H; centres are whole)."""
        axis_u, (axis_v, up), across = LOOKS[self.plane]
        column, row = (np.asarray(client) - self.origin) / self.pixels_per_cell
        found = np.zeros(3)
        found[axis_u] = column - 0.5
        found[axis_v] = SIZE_LPS[axis_v] - row - 0.5 if up > 0 else row - 0.5
        found[across] = self.at
        return found

    def clear_path(self, radius_mm: float) -> tuple[list[tuple[int, int]], NDArray[np.bool_]]:
        """A path that comes near no voxel's edge, and the voxels of the patient (axes LPH) that it must paint."""
        _, _, across = LOOKS[self.plane]
        random = np.random.default_rng(1)
        on_slice = np.indices(SIZE_LPS)[across] == self.at
        for _ in range(1000):
            first = np.rint(self.origin + self.pixels_per_cell * random.uniform(3, 6, 2)).astype(int)
            step = np.rint(self.pixels_per_cell * random.uniform(0.5, 2, 2)).astype(int)
            path = [(int(x), int(y)) for x, y in (first, first + step, first + 2 * step)]
            away = _distance_mm(self.patient_cells(path[0]), self.patient_cells(path[-1]))
            if np.abs(away[on_slice] - radius_mm).min() > CLEAR_MM:
                return path, on_slice & (away <= radius_mm)
        raise AssertionError("no path clear of every voxel's edge")


def _distance_mm(start: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of each voxel's centre (axes LPH) from a segment, both ends in voxels."""
    centres = np.stack(np.indices(SIZE_LPS), axis=-1) * SPACING_LPS_MM
    first, along = start * SPACING_LPS_MM, (end - start) * SPACING_LPS_MM
    t = np.clip((centres - first) @ along / (along @ along), 0, 1)
    return np.asarray(np.linalg.norm(centres - first - t[..., None] * along, axis=-1))


def _pixels(reader: Reader, pane: str) -> NDArray[np.uint8]:
    """The grey of the plane's picture, as rows of pixels."""
    assert reader.page.evaluate("devicePixelRatio") == 1
    width, height, text = reader.page.evaluate(
        """(pane) => {
          const canvas = document.querySelector(`#${pane} canvas.pane-image`);
          const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
          let text = '';
          for (let p = 0; p < data.length; p += 4) text += String.fromCharCode(data[p]);
          return [canvas.width, canvas.height, btoa(text)];
        }""",
        pane,
    )
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(height, width)


def _painted_lps(reader: Reader, corner_lps_mm: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Where the stored findings lie in the patient (axes LPH)."""
    affine = np.array(reader.api()["scan"]["affine_lps"])
    places = np.argwhere(reader.stored_layers()["findings"])[:, ::-1] @ affine[:3, :3].T + affine[:3, 3]
    cells = (places - corner_lps_mm) / SPACING_LPS_MM
    assert np.abs(cells - np.rint(cells)).max() < 1e-3
    painted = np.zeros(SIZE_LPS, bool)
    painted[tuple(np.rint(cells).astype(int).T)] = True
    return painted


def look_and_paint(reader: Reader, slug: str, number: int, corner_lps_mm: NDArray[np.float64]) -> None:
    """Open a letter, see it on all planes, paint a stroke on each, and find them in the patient."""
    reader.start_reading(slug, number)
    panes = {plane: Pane.found(reader, plane, corner_lps_mm) for plane in LOOKS}
    reader.take("brush")
    radius_mm = reader.handle("g.brushMm") / 2
    expected = np.zeros(SIZE_LPS, bool)
    for plane in LOOKS:
        path, covered = panes[plane].clear_path(radius_mm)
        reader.paint(path)
        reader.wait_until_saved()
        expected |= covered
        painted = _painted_lps(reader, corner_lps_mm)
        assert (painted == expected).all(), f"{plane}: {np.argwhere(painted != expected).tolist()} differ"
    # The wheel goes from head to feet, whichever way the slices are counted.
    before = panes["Axial"].at
    reader.page.mouse.move(*(panes["Axial"].origin + 5))
    reader.page.mouse.wheel(0, 100)
    reader.until("the next slice", lambda: Pane.found(reader, "Axial", corner_lps_mm).at == before - 1)
    assert not reader.troubles


def _corner(n: int) -> NDArray[np.float64]:
    """No two letters lie at the same place: each is a scan of its own, and is recognised by where it lies."""
    return np.array([-17.0 + n, 30.0 - 2 * n, -400.0 + 3 * n])


def _campaign(site: Site, open_tab: OpenTab, slug: str, folder: Path) -> Reader:
    """The letters of a folder as a campaign without drafts, and its radiologist, signed in."""
    site.mend()
    people = site.furnish(slug, "coordinator", "radiologist", draft=False)
    site.ingest(folder, slug=slug)
    reader = open_tab(people["radiologist"])
    reader.sign_in()
    return reader


def _look_through(site: Site, open_tab: OpenTab, slug: str, folder: Path, ways: Sequence[Way]) -> None:
    for n, way in enumerate(ways):
        write_nifti(folder / f"{n:02}-{way.letters}.nii.gz", way, _corner(n))
    reader = _campaign(site, open_tab, slug, folder)
    for n in range(len(ways)):
        look_and_paint(reader, slug, n + 1, _corner(n))


def _way(letters: str) -> Way:
    return next(way for way in WAYS if way.letters == letters)


@pytest.mark.slow
def test_letters_stored_with_each_axis_flipped_and_swapped_lie_right_in_the_patient(
    site: Site, open_tab: OpenTab, tmp_path: Path
) -> None:
    ways = [_way(letters) for letters in ("RPH", "LAH", "LPF", "HLA", "PFR")]
    _look_through(site, open_tab, "letters-flipped-and-swapped", tmp_path, ways)


@pytest.mark.slow
def test_letters_stored_in_all_48_ways_lie_right_in_the_patient(site: Site, open_tab: OpenTab, tmp_path: Path) -> None:
    _look_through(site, open_tab, "letters-in-48-ways", tmp_path, WAYS)


AXIAL = [way for way in WAYS if way.order[2] == 2 and way.right_handed]


def _series(site: Site, open_tab: OpenTab, slug: str, folder: Path, ways: Sequence[tuple[Way, bool]]) -> None:
    for n, (way, head_first) in enumerate(ways):
        write_dicom(folder / f"{n:02}", way, _corner(n), head_first=head_first)
    reader = _campaign(site, open_tab, slug, folder)
    # Case numbers follow the order in which series were filed: each is known by where it lies.
    numbers = {
        tuple(np.rint(_lowest(np.array(row["affine_lps"]).reshape(4, 4))).astype(int)): row["number"]
        for row in site.rows(
            "SELECT c.number, s.affine_lps FROM campaigns_case c JOIN campaigns_campaign g ON g.id = c.campaign_id"
            " JOIN archive_scan s ON s.id = c.scan_id WHERE g.slug = %s",
            slug,
        )
    }
    assert len(numbers) == len(ways)
    for n in range(len(ways)):
        look_and_paint(reader, slug, numbers[tuple(np.rint(_corner(n)).astype(int))], _corner(n))


def _lowest(affine: NDArray[np.float64]) -> NDArray[np.float64]:
    """The place of the letter's voxel that lies farthest to the right, the front and the feet."""
    size = [SIZE_LPS[int(np.argmax(np.abs(affine[:3, column])))] for column in range(3)]
    ends = [affine @ (i * (size[0] - 1), j * (size[1] - 1), k * (size[2] - 1), 1) for i, j, k in np.ndindex(2, 2, 2)]
    return np.asarray(np.min(ends, axis=0)[:3])


@pytest.mark.slow
def test_letters_of_series_in_both_slice_orders_lie_right_in_the_patient(
    site: Site, open_tab: OpenTab, tmp_path: Path
) -> None:
    # As most scanners send; rows to the right, so that slices count towards the feet; rows along the patient's depth.
    ways = [("LPH", True), ("LPH", False), ("RPF", True), ("ALH", False)]
    _series(site, open_tab, "letters-in-both-slice-orders", tmp_path, [(_way(name), first) for name, first in ways])


@pytest.mark.slow
def test_letters_of_every_axial_series_lie_right_in_the_patient(site: Site, open_tab: OpenTab, tmp_path: Path) -> None:
    assert len(AXIAL) == 8
    ways = [(way, head_first) for way in AXIAL for head_first in (True, False)]
    _series(site, open_tab, "letters-in-every-axial-series", tmp_path, ways)
