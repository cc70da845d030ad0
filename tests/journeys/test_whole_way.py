"""A scan goes the whole way: ingest, draft, strokes by mouse in Chromium, undo, sign, export; every voxel checked.

What must come out is computed here from what went in: the draft, the pointer's path, and the original DICOM files.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK
from numpy.typing import NDArray
from scipy import ndimage

from tests.journeys import exports
from tests.journeys.fixtures import small_phantom
from tests.journeys.formats import replay
from tests.journeys.painting import IN_PLANE, View, distance_mm, painted
from tests.journeys.site import Person, Site
from tests.journeys.viewer import Reader

pytestmark = [pytest.mark.journey, pytest.mark.browser]
LESION = 1


@pytest.fixture(params=["phantom", pytest.param("ricord", marks=pytest.mark.slow)])
def scan_folder(request: pytest.FixtureRequest) -> Path:
    """The series that goes the way: a small phantom, and the real scan where the data folder is at hand."""
    if request.param == "phantom":
        return small_phantom(7)
    data = os.environ.get("GROUNDGLASS_DATA")
    if not data:
        pytest.skip("GROUNDGLASS_DATA is not set: the real scan is not here")
    return Path(data).resolve() / "dicom" / "ricord-001012-covid"


def test_scan_goes_the_whole_way_voxel_for_voxel(
    site: Site, open_tab: Callable[[Person], Reader], scan_folder: Path, tmp_path: Path, request: Any
) -> None:
    slug = f"whole-way-{request.node.callspec.params['scan_folder']}"
    site.mend()
    people = site.furnish(slug, "coordinator", "radiologist")
    site.ingest(scan_folder, slug=slug)
    site.wait_for_drafts(slug)
    original = exports.original_scan(scan_folder)
    hu = SimpleITK.GetArrayFromImage(original)

    reader = open_tab(people["radiologist"])
    reader.sign_in()
    reader.start_reading(slug, 1)
    scan = reader.api()["scan"]
    assert scan["shape_zyx"] == list(hu.shape)
    draft = reader.stored_layers()
    assert draft["anatomy"].any()
    assert draft["findings"].any(), "the draft found nothing: the strokes could not be told apart from it"

    expected = _paint_on_three_planes(reader, draft, scan)
    reader.wait_until_saved()
    _check_log(reader, draft, expected)
    truth = exports.measure(hu, expected["anatomy"], expected["findings"], float(np.prod(original.GetSpacing())) / 1000)
    _check_shown_numbers(reader, truth)
    server = reader.api("measurements/")
    assert server["extent_percent"] == pytest.approx(truth["extent_percent"], rel=1e-6)
    assert server["weight_g"] == pytest.approx(truth["weight_g"], rel=1e-6)

    _sign(reader)
    assert not reader.troubles, reader.troubles
    _check_exports(reader, slug, original, expected, truth, tmp_path)


def _thick_spot(mask: NDArray[np.bool_]) -> tuple[int, int, int]:
    """A voxel (z, y, x) deep inside a mask, sought on a coarser grid where that is still fine enough."""
    step = max(1, mask.shape[2] // 128)
    depth = ndimage.distance_transform_edt(np.pad(mask[:, ::step, ::step], 1))[1:-1, 1:-1, 1:-1]
    z, y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    return int(z), int(y) * step, int(x) * step


def _paint_on_three_planes(
    reader: Reader, draft: dict[str, NDArray[np.uint8]], scan: dict[str, Any]
) -> dict[str, NDArray[np.uint8]]:
    """Brush on axial and coronal, eraser on sagittal, and one more stroke that is undone; the layers that must be."""
    radius_mm = reader.handle("g.brushMm") / 2
    lung_free = (draft["anatomy"] > 0) & (draft["findings"] == 0)
    findings = draft["findings"]
    left = _thick_spot(lung_free & (draft["anatomy"] == 1))
    right = _thick_spot(lung_free & (draft["anatomy"] == 2))
    lesion = _thick_spot(findings == LESION)

    reader.take("brush")
    for plane, spot in (("axial", left), ("coronal", right)):
        findings = _stroke(reader, scan, findings, plane, spot, radius_mm, LESION)
    reader.take("eraser")
    findings = _stroke(reader, scan, findings, "sagittal", lesion, radius_mm, 0)
    reader.take("brush")
    undone = _stroke(reader, scan, findings, "axial", (left[0] + 1, left[1], left[2]), radius_mm, LESION)
    assert (undone != findings).any()
    reader.press("z")
    return {"anatomy": draft["anatomy"], "findings": findings}


def _stroke(
    reader: Reader,
    scan: dict[str, Any],
    findings: NDArray[np.uint8],
    plane: str,
    spot_zyx: tuple[int, int, int],
    radius_mm: float,
    value: int,
) -> NDArray[np.uint8]:
    """One stroke by the mouse through a voxel; the findings layer that must come of it."""
    voxel = spot_zyx[::-1]
    axis_u, axis_v, across = IN_PLANE[plane]
    reader.go_to_slice(plane, voxel[across])
    view: View = reader.view(plane)
    assert view.at == voxel[across]
    path = reader.path_near(view, (voxel[axis_u], voxel[axis_v]), radius_mm, scan)
    reader.paint(path)
    covered = distance_mm(view, path, scan["shape_zyx"], scan["spacing_zyx_mm"]) <= radius_mm
    after = painted(findings, view, covered, value)
    changed = int((after != findings).sum())
    assert changed > 0
    assert int(reader.handle("g.strokes.at(-1).voxels")) == changed
    return after


def _check_log(reader: Reader, draft: dict[str, NDArray[np.uint8]], expected: dict[str, NDArray[np.uint8]]) -> None:
    """The server's log, read by our own decoder and replayed on the draft, gives the mask; so does what is stored."""
    strokes = reader.stored_strokes()
    assert [stroke["tool"] for stroke in strokes] == ["brush", "brush", "eraser", "brush", "undo"]
    assert [stroke["plane"] for stroke in strokes[:4]] == ["axial", "coronal", "sagittal", "axial"]
    assert strokes[4]["undoes"] == strokes[3]["id"]
    replayed = replay(draft, strokes)
    stored = reader.stored_layers()
    for name, layer in expected.items():
        assert (replayed[name] == layer).all(), name
        assert (stored[name] == layer).all(), name


def _check_shown_numbers(reader: Reader, truth: dict[str, float]) -> None:
    """The numbers on the page, to the digits that are shown."""
    for name, key in (("extent", "extent_percent"), ("weight", "weight_g")):
        text = reader.page.locator(f"[data-number={name}]").inner_text()
        digits = text.replace("\u2009", "").replace("\u202f", "").replace(",", "").split()[0]
        decimals = len(digits.partition(".")[2])
        assert float(digits) == pytest.approx(truth[key], abs=0.5000001 * 10**-decimals), (name, text)


def _sign(reader: Reader) -> None:
    """Ctrl+Enter, the password, and the button."""
    reader.press("Control+Enter")
    dialog = reader.page.locator("dialog[open]")
    dialog.locator("input[type=password]").fill(reader.person.password)
    reader.page.keyboard.press("Enter")
    reader.until("the reading is signed", lambda: reader.api()["state"] == "signed")
    assert reader.api()["signature"]["name"] == reader.person.name


def _check_exports(
    reader: Reader,
    slug: str,
    original: SimpleITK.Image,
    expected: dict[str, NDArray[np.uint8]],
    truth: dict[str, float],
    folder: Path,
) -> None:
    """NIfTI, SEG and table of the case, each by another reader than the one that wrote it."""
    at = f"/campaigns/{slug}/cases/1/exports"
    reader.page.goto(f"{reader.site.address}/campaigns/{slug}/cases/1/")
    with reader.page.expect_download() as download:
        reader.page.click(f'a[href^="{at}/nifti.zip"]')
    files = exports.unpack(download.value.path().read_bytes(), folder)
    lesion = (expected["findings"] == LESION).astype(np.uint8)
    for word, layer in (("lung", expected["anatomy"]), ("findings", expected["findings"]), ("lesion", lesion)):
        path = exports.only(files, word, ".nii")
        assert (exports.nifti_zyx(path) == layer).all(), word
        image = SimpleITK.ReadImage(str(path))
        assert exports.same_place(image, original), word
        assert (SimpleITK.GetArrayFromImage(image) == layer).all(), word
    image = SimpleITK.ReadImage(str(exports.only(files, "image", ".nii")))
    assert exports.same_place(image, original)
    assert (SimpleITK.GetArrayFromImage(image) == SimpleITK.GetArrayFromImage(original)).all()

    for name, layer in (("anatomy", expected["anatomy"]), ("findings", expected["findings"])):
        path = folder / f"{name}.seg.dcm"
        path.write_bytes(reader.get(f"{at}/{name}.seg.dcm").body())
        assert (exports.seg_zyx(path, original) == layer).all(), name
        assert not any("tissue" in label.lower() for label in exports.seg_label_names(path).values())

    (row,) = exports.table(reader.get(f"{at}/measurements.csv").body())
    assert float(row["extent_percent"]) == pytest.approx(truth["extent_percent"], rel=1e-6)
    assert float(row["weight_g"]) == pytest.approx(truth["weight_g"], rel=1e-6)
