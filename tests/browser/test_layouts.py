"""Scenes of layouts: every plane the right way round in pixels, lengths, slabs, side by side, what is remembered."""

import base64
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from inference.imaging.volume import Volume
from inference.phantoms import make_phantom, write_dicom_series
from tests.journeys.site import Person, Site
from tests.journeys.viewer import Reader

pytestmark = [pytest.mark.browser]
Case = tuple[str, dict[str, Person]]
OpenTab = Callable[[Person], Reader]
Image = NDArray[np.float64]

SHAPE = (40, 128, 128)
SPACING_ZYX_MM = (280 / SHAPE[0], 358 / SHAPE[1], 333 / SHAPE[2])
# Directions of the screen's right and top in the patient (LPS), and the letters that must stand there.
SCREEN = {
    "axial": ((1, 0, 0), (0, -1, 0), "LRAP"),
    "coronal": ((1, 0, 0), (0, 0, 1), "LRHF"),
    "sagittal": ((0, 1, 0), (0, 0, 1), "PAHF"),
}


def _phantom_volume() -> Volume:
    return make_phantom(1, shape_zyx=SHAPE, spacing_zyx_mm=SPACING_ZYX_MM).volume


def _open(open_tab: OpenTab, case: Case) -> Reader:
    slug, people = case
    reader = open_tab(people["radiologist"])
    reader.sign_in()
    reader.start_reading(slug, 1)
    return reader


def _canvas(reader: Reader, plane: str) -> Image:
    """The grey values of a plane's canvas, as rows of columns."""
    taken = reader.page.evaluate(
        """(plane) => {
          const canvas = document.querySelector(`#pane-${plane} canvas.pane-image`);
          const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
          let text = '';
          for (let p = 0; p < data.length; p += 4) text += String.fromCharCode(data[p]);
          return { width: canvas.width, height: canvas.height, grey: btoa(text) };
        }""",
        plane,
    )
    grey = np.frombuffer(base64.b64decode(taken["grey"]), np.uint8)
    return grey.reshape(taken["height"], taken["width"]).astype(float)


def _grey(hu: NDArray[np.int16]) -> Image:
    grey: Image = np.round(np.clip((hu.astype(float) + 1350.0) * 0.17, 0.0, 255.0)).astype(np.float64)
    return grey


def _as_a_radiologist_sees_it(volume: Volume, plane: str, place_mm: float, size: tuple[int, int]) -> tuple[Image, Any]:
    """The picture in the lung window, from the patient alone, with 2 % of air around; and where it has voxels."""
    height, width = size
    right, up = (np.array(direction, float) for direction in SCREEN[plane][:2])
    affine = np.asarray(volume.affine_lps)
    last = np.array(volume.shape_zyx[::-1]) - 1
    ends = np.array([affine @ [*corner, 1] for corner in ((0, 0, 0), last)])[:, :3]
    extent = np.abs(ends[1] - ends[0]) + np.array(volume.spacing_zyx_mm[::-1])
    mm = 1.02 * max(extent @ np.abs(up) / height, extent @ np.abs(right) / width)
    y, x = np.mgrid[0:height, 0:width] + 0.5
    world = ends.mean(axis=0) + (x - width / 2)[..., None] * mm * right + (height / 2 - y)[..., None] * mm * up
    across = int(np.flatnonzero((right == 0) & (up == 0))[0])
    world[..., across] = place_mm
    voxels = (np.concatenate([world, np.ones((height, width, 1))], axis=-1) @ np.linalg.inv(affine).T)[..., 2::-1]
    shown = ndimage.map_coordinates(_grey(volume.hu), np.moveaxis(voxels, -1, 0), order=1, mode="nearest")
    inside = ((voxels > 0.5) & (voxels < np.array(volume.shape_zyx) - 1.5)).all(axis=-1)
    return shown, inside


def _check_planes(reader: Reader, volume: Volume) -> None:
    """Every plane's canvas against the patient's own voxels."""
    affine = np.array(reader.api()["scan"]["affine_lps"])
    slices = reader.handle("g.slices")
    middle = np.array([slices["sagittal"], slices["coronal"], slices["axial"], 1])
    for axis, plane in enumerate(("sagittal", "coronal", "axial")):
        drawn = _canvas(reader, plane)
        place_mm = float((affine @ middle)[axis])
        wanted, inside = _as_a_radiologist_sees_it(volume, plane, place_mm, drawn.shape)
        off = np.abs(drawn - wanted)[inside]
        assert inside.mean() > 0.4
        assert off.mean() < 1.5, (plane, off.mean())
        assert np.percentile(off, 99.5) < 6, (plane, np.percentile(off, 99.5))
        # The test would see a picture the wrong way round.
        assert np.abs(drawn[:, ::-1] - wanted)[inside].mean() > 4
        assert np.abs(drawn[::-1] - wanted)[inside].mean() > 4
        letters = reader.handle(f"g.letters.{plane}")
        assert letters["right"] + letters["left"] + letters["top"] + letters["bottom"] == SCREEN[plane][2]
        pane = reader.page.locator(f"section.pane.{plane}")
        shown = [pane.locator(f".letter.{side}").inner_text() for side in ("right", "left", "top", "bottom")]
        assert "".join(shown) == SCREEN[plane][2]


def test_planes_show_the_patient_the_right_way_round_in_pixels(
    site: Site, open_tab: OpenTab, phantom_case: Case
) -> None:
    reader = _open(open_tab, phantom_case)
    _check_planes(reader, _phantom_volume())
    assert not reader.troubles, reader.troubles


def test_a_scan_filed_the_other_way_round_is_shown_the_same(site: Site, open_tab: OpenTab, tmp_path: Path) -> None:
    slug = "filed-the-other-way-round"
    phantom = make_phantom(1, shape_zyx=SHAPE, spacing_zyx_mm=SPACING_ZYX_MM)
    affine = np.array(phantom.volume.affine_lps)
    # Rows run from left to right and columns from back to front: a patient who lies on the face.
    turned = affine.copy()
    turned[:, 3] = affine @ [SHAPE[2] - 1, SHAPE[1] - 1, 0, 1]
    turned[:, :2] *= -1
    lying = replace(phantom, volume=Volume(np.ascontiguousarray(phantom.volume.hu[:, ::-1, ::-1]), turned))
    write_dicom_series(lying, tmp_path, patient_id="PHANTOM-TURNED")
    site.mend()
    people = site.furnish(slug, "coordinator", "radiologist")
    site.ingest(tmp_path, slug=slug)
    site.wait_for_drafts(slug)
    reader = _open(open_tab, (slug, people))
    stored = np.array(reader.api()["scan"]["affine_lps"])
    assert (stored[[0, 1], [0, 1]] < 0).all(), "as in the file"
    _check_planes(reader, phantom.volume)


@pytest.mark.slow
def test_layout_and_window_are_remembered_for_the_reader_on_any_machine(
    site: Site, open_tab: OpenTab, phantom_case: Case
) -> None:
    reader = _open(open_tab, phantom_case)
    panes = reader.page.locator("section.pane[aria-hidden=false]")
    assert [reader.handle("g.layout.name"), panes.count()] == ["large", 3]
    reader.press("v")
    reader.wait_for_handle("g.layout.name === 'axial'")
    assert panes.count() == 1
    reader.press("v")
    reader.wait_for_handle("g.layout.name === 'four'")
    reader.press("w")
    reader.wait_for_handle("g.voi.width === 400")
    box = reader.page.locator("#pane-coronal").bounding_box()
    assert box
    reader.page.mouse.dblclick(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    reader.wait_for_handle("g.layout.planes.join() === 'coronal'")
    wide = reader.page.locator("#pane-coronal").bounding_box()
    assert wide
    assert wide["width"] > 1.5 * box["width"]
    reader.page.mouse.dblclick(wide["x"] + wide["width"] / 2, wide["y"] + wide["height"] / 2)
    reader.wait_for_handle("g.layout.planes.length === 3")
    # A window of one's own, under a name.
    reader.page.locator(".window-now").click()
    reader.page.get_by_role("textbox", name="Name for the present window").fill("Vessels")
    reader.press("Enter")
    reader.page.locator(".window-list").wait_for(state="detached")

    def kept() -> bool:
        said = reader.api()["preferences"]
        return said.get("layout") == {"planes": "four"} and bool(said.get("windows"))

    reader.until("the server has them", kept)
    reader.page.reload()
    reader.wait_until_ready()
    assert [reader.handle("g.layout.name"), reader.handle("g.voi.width")] == ["four", 400]
    elsewhere = open_tab(reader.person)
    elsewhere.sign_in()
    elsewhere.open_reading(reader.reading_id, ready=False)
    elsewhere.wait_for_handle("g?.slicesComplete")
    assert [elsewhere.handle("g.layout.name"), elsewhere.handle("g.voi.width")] == ["four", 400]
    elsewhere.page.locator(".window-now").click()
    assert "Vessels" in elsewhere.page.locator(".window-list").inner_text()
    # Narrow: one plane below the axial one, by its tab.
    elsewhere.press("Escape")
    elsewhere.page.get_by_role("button", name=re.compile("^Axial large")).click()
    elsewhere.page.set_viewport_size({"width": 1100, "height": 800})
    elsewhere.wait_for_handle("g.layout.planes.join() === 'axial,coronal'")
    elsewhere.page.get_by_role("tab", name="Sagittal").click()
    elsewhere.wait_for_handle("g.layout.planes.join() === 'axial,sagittal'")
    assert not reader.troubles + elsewhere.troubles


def test_lengths_are_millimetres_on_any_plane_and_never_part_of_the_mask(
    site: Site, open_tab: OpenTab, phantom_case: Case
) -> None:
    reader = _open(open_tab, phantom_case)
    before = reader.stored_layers()["findings"]
    spacing = dict(zip("zyx", reader.api()["scan"]["spacing_zyx_mm"], strict=True))
    in_plane = {"axial": "xy", "coronal": "xz", "sagittal": "yz"}
    reader.press("y")
    for n, plane in enumerate(in_plane):
        view = reader.view(plane)
        middle = np.rint(view.to_client((60, 60 if plane == "axial" else 18))).astype(int)
        start, end = (int(middle[0]) - 31, int(middle[1]) - 12), (int(middle[0]) + 37, int(middle[1]) + 43)
        reader.drag([start, middle.tolist(), end])
        reader.wait_for_handle(f"g.lengths.length === {n + 1}")
        between = view.to_voxel(end) - view.to_voxel(start)
        wanted = np.hypot(*(between * [spacing[axis] for axis in in_plane[plane]]))
        assert reader.handle(f"g.lengths[{n}].mm") == pytest.approx(wanted, rel=1e-6)
        # An end is mended by a drag.
        moved = (end[0] - 20, end[1])
        reader.drag([end, (end[0] - 9, end[1]), moved])
        between = view.to_voxel(moved) - view.to_voxel(start)
        wanted = np.hypot(*(between * [spacing[axis] for axis in in_plane[plane]]))
        reader.wait_for_handle(f"Math.abs(g.lengths[{n}].mm - {wanted}) < 0.001")
        assert reader.handle("g.lengths.length") == n + 1
    reader.press("Delete")
    reader.wait_for_handle("g.lengths.length === 2")
    reader.page.reload()
    reader.wait_until_ready()
    assert reader.handle("g.lengths.map(l => l.plane)") == ["axial", "coronal"]
    assert reader.stored_strokes() == []
    assert (reader.stored_layers()["findings"] == before).all()


def test_a_slab_is_the_maximum_in_pixels_and_a_stroke_on_it_stays_on_its_slice(
    site: Site, open_tab: OpenTab, phantom_case: Case
) -> None:
    reader = _open(open_tab, phantom_case)
    thin = _canvas(reader, "axial")
    at = int(reader.handle("g.slices.axial"))
    for mm in (5, 10, 20):
        reader.press("m")
        reader.wait_for_handle(f"g.slabMm === {mm}")
    assert "MIP 20 mm" in reader.page.locator("section.pane.axial").inner_text()
    volume = _phantom_volume()
    reach = int(10 // volume.spacing_zyx_mm[0])
    most = volume.hu.copy()
    most[at] = volume.hu[at - reach : at + reach + 1].max(axis=0)
    place_mm = float((np.asarray(volume.affine_lps) @ [0, 0, at, 1])[2])
    reader.until("the slab is drawn", lambda: (_canvas(reader, "axial") != thin).any())
    drawn = _canvas(reader, "axial")
    wanted, inside = _as_a_radiologist_sees_it(replace(volume, hu=most), "axial", place_mm, drawn.shape)
    assert np.abs(drawn - wanted)[inside].mean() < 1.5
    scan = reader.api()["scan"]
    before = reader.stored_layers()["findings"]
    reader.take("brush")
    reader.paint(reader.path_near(reader.view("axial"), (32, 64), reader.handle("g.brushMm") / 2, scan, steps=2))
    reader.wait_until_saved()
    changed = np.flatnonzero((reader.stored_layers()["findings"] != before).any(axis=(1, 2)))
    assert changed.tolist() == [at]


@pytest.mark.slow
def test_a_prior_beside_scrolls_by_position_and_is_only_looked_at(
    site: Site, open_tab: OpenTab, phantom_case: Case, tmp_path: Path
) -> None:
    slug, people = phantom_case
    # The same patient a month before: slices half as far apart, the couch 100 mm elsewhere.
    prior = make_phantom(1, shape_zyx=(80, 128, 128), spacing_zyx_mm=(3.5, *SPACING_ZYX_MM[1:]))
    affine = np.array(prior.volume.affine_lps)
    affine[2, 3] += 100
    moved = replace(prior, volume=Volume(prior.volume.hu, affine))
    write_dicom_series(moved, tmp_path, patient_id="PHANTOM-1", patient_name="Phantom^1", study_date="20200301")
    site.ingest(tmp_path, slug=slug)
    site.wait_for_drafts(slug)
    reader = open_tab(people["radiologist"])
    reader.sign_in()
    reader.start_reading(slug, 2)
    prior_reading = reader.reading_id
    reader.start_reading(slug, 1)
    known = reader.api()
    entry = next(entry for entry in known["timeline"] if entry["label"] == "prior")
    there = reader.get(f"/api/readings/{reader.reading_id}/scans/{entry['case']}/").json()["scan"]
    here = known["scan"]
    z0, step = here["affine_lps"][2][3], here["affine_lps"][2][2]
    other_z0, other_step = there["affine_lps"][2][3], there["affine_lps"][2][2]
    slice_count = there["shape_zyx"][0]
    assert [slice_count, round(other_step, 3), round(other_z0 - z0)] == [80, 3.5, 100 - 2]

    def linked_slice(offset_mm: float = 0) -> int:
        mm = z0 + step * int(reader.handle("g.slices.axial")) + offset_mm
        return int(np.clip(np.floor((mm - other_z0) / other_step + 0.5), 0, slice_count - 1))

    reader.press("\\")
    reader.wait_for_handle(f"g.beside?.loaded === {slice_count}")
    beside = reader.page.locator("section.pane.laid-beside")
    assert f"Prior, {entry['when']}" in beside.inner_text()
    assert "read only" in beside.inner_text()
    for wanted in (22, 26, 31):
        reader.go_to_slice("axial", wanted)
        reader.wait_for_handle(f"g.beside.slice === {linked_slice()}")
    reader.go_to_slice("axial", 5)
    reader.wait_for_handle("!g.beside.inside")
    reader.go_to_slice("axial", 22)
    reader.wait_for_handle(f"g.beside.inside && g.beside.slice === {linked_slice()}")
    # Pan and zoom are shared: the middle of the one lies over the middle of the other, at one scale.
    pane = reader.page.locator("#pane-axial").bounding_box()
    other = reader.page.locator("#pane-beside").bounding_box()
    assert pane
    assert other
    reader.page.mouse.move(pane["x"] + 100, pane["y"] + 300)
    reader.page.keyboard.down("Control")
    reader.page.mouse.wheel(0, -200)
    reader.page.keyboard.up("Control")
    reader.drag([(int(pane["x"]) + 200, 400), (int(pane["x"]) + 230, 420)], button="middle")
    for voxel in ((20, 30), (100, 90)):
        mine = reader.handle(f"g.voxelToClient('axial', {voxel[0]}, {voxel[1]}, 0)")
        theirs = reader.handle(f"g.besideToClient({voxel[0]}, {voxel[1]}, 0)")
        assert np.allclose(
            np.subtract(mine, (pane["x"], pane["y"])), np.subtract(theirs, (other["x"], other["y"])), atol=0.01
        )
    # Scrolled alone, then tied there.
    reader.page.get_by_role("button", name="Linked").click()
    before = int(reader.handle("g.beside.slice"))
    reader.page.mouse.move(other["x"] + 200, other["y"] + 300)
    for _ in range(4):
        reader.page.mouse.wheel(0, -100)
    reader.wait_for_handle(f"g.beside.slice === {before + 4}")
    assert reader.handle("g.slices.axial") == 22
    reader.page.get_by_role("button", name="Link here").click()
    offset_mm = (other_z0 + other_step * (before + 4)) - (z0 + step * 22)
    reader.go_to_slice("axial", 24)
    reader.wait_for_handle(f"g.beside.slice === {linked_slice(offset_mm)}")
    # A brush does nothing on what lies beside.
    reader.take("brush")
    reader.drag([(int(other["x"]) + 150, 350), (int(other["x"]) + 180, 370)])
    assert reader.strokes_done() == 0
    reader.press("\\")
    reader.wait_for_handle("g.beside === null")
    # The prior is also the next case: its slabs came meanwhile, quietly, and Enter goes there.
    reader.wait_for_handle(f"g.prefetched.slabs === {len(known['next']['slabs'])}")
    reader.press("Escape")
    reader.press("Enter")
    reader.page.wait_for_url(f"**/readings/{prior_reading}/")
    assert not reader.troubles, reader.troubles


def test_the_surface_of_the_mask_is_drawn_when_asked_for(site: Site, open_tab: OpenTab, phantom_case: Case) -> None:
    reader = _open(open_tab, phantom_case)
    asked: list[str] = []
    reader.page.on("request", lambda request: asked.append(request.url))
    reader.press("Shift+V")
    canvas = reader.page.locator("canvas.surface-canvas")
    canvas.wait_for()
    assert any("Surface" in url for url in asked), "its code came only now"
    reader.page.wait_for_function("() => Number(document.querySelector('.surface-canvas')?.dataset.triangles) > 500")
    reader.page.wait_for_timeout(300)
    front = canvas.screenshot()
    box = canvas.bounding_box()
    assert box
    reader.drag([(int(box["x"]) + 200, int(box["y"]) + 150), (int(box["x"]) + 290, int(box["y"]) + 190)])
    reader.until("it has turned", lambda: canvas.screenshot() != front)
    reader.press("Shift+V")
    canvas.wait_for(state="detached")
    reader.wait_for_handle("g.layout.name === 'large'")
    assert not reader.troubles, reader.troubles
