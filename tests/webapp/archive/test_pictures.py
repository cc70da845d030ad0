"""Pictures of scans: three planes through the lungs, upright whichever way the slices lie, made once."""

import io
from pathlib import Path

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command
from PIL import Image

from inference.imaging.preview import encoded_preview
from inference.imaging.volume import Volume
from inference.phantoms import make_phantom
from tests.factories.filed import PRONE, a_filed_scan
from webapp.archive.models import Picture
from webapp.archive.pictures import draw_pictures
from webapp.archive.queries import picture_bytes, pictures_of
from webapp.archive.tasks import make_pictures
from webapp.archive.upkeep import damaged_files

# Distances differ along each axis: pictures must be drawn to scale.
STANDARD = np.array([[2.0, 0, 0, -60], [0, 3.0, 0, -60], [0, 0, 5.0, 0], [0, 0, 0, 1]])


def marked(affine_lps: np.ndarray = STANDARD) -> Volume:
    """Water; a corner at the patient's right and front is bright towards the head and black towards the feet."""
    hu = np.full((20, 40, 60), 0, np.int16)
    hu[:, :20, :30] = -2000
    hu[10:, :20, :30] = 400
    return Volume(hu, affine_lps)


def drawn(volume: Volume) -> dict[str, np.ndarray]:
    pictures = draw_pictures(volume, encoded_preview(volume)[1])
    large = {p.plane: Image.open(io.BytesIO(p.content)).convert("L") for p in pictures if p.size == "large"}
    assert len(pictures) == 6
    return {plane: np.asarray(picture) for plane, picture in large.items()}


def quarters(picture: np.ndarray) -> list[list[int]]:
    """The grey level in the middle of each quarter, by rows."""
    height, width = picture.shape
    return [[int(picture[height * y // 4, width * x // 4]) for x in (1, 3)] for y in (1, 3)]


def turned(volume: Volume, flips: tuple[int, int, int]) -> Volume:
    """The same body on a grid whose axes (z, y, x) run the other way where `flips` says so."""
    hu, affine = volume.hu, volume.affine_lps.copy()
    for axis, flip in enumerate(flips):
        if flip:
            hu = np.flip(hu, axis)
            affine[:3, 3] += affine[:3, 2 - axis] * (hu.shape[axis] - 1)
            affine[:3, 2 - axis] *= -1
    return Volume(np.ascontiguousarray(hu), affine)


@pytest.mark.parametrize("flips", [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1)])
def test_head_is_up_and_the_patients_right_is_left_however_the_grid_runs(flips):
    volume = turned(marked(), flips)
    pictures = drawn(volume)
    for plane, (height_mm, width_mm) in {"axial": (120, 120), "coronal": (100, 120), "sagittal": (100, 120)}.items():
        height, width = pictures[plane].shape
        assert abs(height / width - height_mm / width_mm) < 0.02
    # Head up, front left: the bright corner, above the black one at the feet; the back is water.
    (head_front, head_back), (feet_front, feet_back) = quarters(drawn(_through(volume, x=-45.0))["sagittal"])
    assert (head_front > 250, feet_front < 20) == (True, True)
    assert head_back == feet_back > 200
    # Head up, the patient's right on the left.
    (right_head, left_head), (right_feet, left_feet) = quarters(drawn(_through(volume, y=-45.0))["coronal"])
    assert (right_head > 250, right_feet < 20, left_head == left_feet) == (True, True, True)


def _through(volume: Volume, x: float | None = None, y: float | None = None) -> Volume:
    """The volume cut down to one plane of the patient (mm), so that the picture goes through it."""
    axis, at_mm = (2, x) if x is not None else (1, y)
    column = 2 - axis
    index = round((at_mm - volume.affine_lps[column, 3]) / volume.affine_lps[column, column])
    place = tuple(slice(index, index + 1) if a == axis else slice(None) for a in range(3))
    affine = volume.affine_lps.copy()
    affine[:3, 3] += affine[:3, column] * index
    return Volume(np.ascontiguousarray(volume.hu[place]), affine)


def test_planes_go_through_the_lungs_and_not_through_the_air_around():
    phantom = make_phantom(3, shape_zyx=(60, 96, 96), spacing_zyx_mm=(5.0, 4.0, 4.0))
    for plane, picture in drawn(phantom.volume).items():
        # A picture of air or of the table is of one grey; one of a chest has much dark and much bright.
        dark, bright = (picture < 110).mean(), (picture > 190).mean()
        assert min(dark, bright) > 0.15, plane


@pytest.mark.parametrize("shape", [(1, 32, 32), (3, 16, 16), (40, 1, 1)])
def test_volume_without_any_lung_is_drawn_through_its_middle(shape):
    volume = Volume(np.full(shape, -3024, np.int16), STANDARD)
    assert {plane: picture.max() for plane, picture in drawn(volume).items()} == dict.fromkeys(Picture.PLANES, 0)


@pytest.mark.django_db
def test_pictures_are_stored_with_the_scan_and_checked(tmp_path):
    scan, volume, _ = a_filed_scan(tmp_path, affine_lps=PRONE)
    assert scan.pictures.count() == 6
    expected = {(p.plane, p.size): p.content for p in draw_pictures(volume, encoded_preview(volume)[1])}
    for picture in scan.pictures.all():
        assert picture.path.startswith(f"scans/{scan.pk}/pictures/{picture.sha256}")
        assert picture_bytes(picture) == expected[picture.plane, picture.size]
    assert list(pictures_of(scan)) == ["axial", "coronal", "sagittal"]
    damaged = scan.pictures.get(plane="coronal", size="small")
    path = Path(default_storage.path(damaged.path))
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    (sentence,) = damaged_files()
    assert "small coronal picture" in sentence
    assert damaged.path in sentence


@pytest.mark.django_db
def test_scan_without_pictures_gets_them_from_a_worker_once(tmp_path, run_jobs):
    scan, _, _ = a_filed_scan(tmp_path)
    before = dict(scan.pictures.values_list("path", "sha256"))
    Picture.objects.all().delete()
    assert pictures_of(scan) == {}
    assert "archive.make_pictures" in run_jobs()
    assert dict(scan.pictures.values_list("path", "sha256")) == before
    make_pictures(str(scan.pk))
    assert scan.pictures.count() == 6
    assert pictures_of(scan)
    assert "archive.make_pictures" not in run_jobs()


@pytest.mark.django_db
def test_command_makes_all_that_are_missing(tmp_path, capsys):
    scans = [a_filed_scan(tmp_path, seed=seed)[0] for seed in (3, 4)]
    Picture.objects.filter(scan=scans[0]).delete()
    call_command("archive", "pictures")
    assert [scan.pictures.count() for scan in scans] == [6, 6]
    assert "Pictures of 1 scans made; 0 scans cannot be read." in capsys.readouterr().out
