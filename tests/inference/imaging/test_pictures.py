"""Slices as pictures: one case in natural order, without Hounsfield units and without spacing."""

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from inference.imaging.dicom import SeriesRefused
from inference.imaging.formats import read_mask, read_picture_masks, read_pictures, read_volume
from inference.imaging.grids import align_picture_mask
from inference.imaging.pictures import natural_key
from inference.imaging.preview import preview_of
from inference.imaging.volume import Volume
from tests.factories.volume_files import write_picture

SLICES = np.arange(12 * 6 * 9, dtype=np.uint8).reshape(12, 6, 9)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_pictures_of_a_case_become_a_volume_in_natural_order_of_names(suffix: str, tmp_path: Path) -> None:
    paths = [write_picture(tmp_path / f"slice{n}.{suffix}", SLICES[n]) for n in range(12)]
    read = read_pictures([(path.name, path) for path in sorted(paths, key=lambda path: path.name)])
    assert np.array_equal(read.volume.hu, SLICES)
    assert not read.volume.has_hu
    assert not read.volume.has_spacing
    assert [warning.code for warning in read.warnings] == ["no_spacing", "no_hu"]


def test_names_are_counted_as_people_count() -> None:
    names = ["10.png", "2.png", "1.png", "slice_9b.png", "slice_10a.png", "010.png"]
    assert sorted(names, key=natural_key) == ["1.png", "2.png", "010.png", "10.png", "slice_9b.png", "slice_10a.png"]


def test_one_picture_is_a_volume_of_one_slice(tmp_path: Path) -> None:
    read = read_volume(write_picture(tmp_path / "7.png", SLICES[3]))
    assert np.array_equal(read.volume.hu, SLICES[3:4])


def test_a_jpeg_is_read(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "7.jpg", np.full((16, 16), 90, dtype=np.uint8))
    assert np.abs(read_volume(path).volume.hu - 90).max() <= 1


def test_pages_of_a_tiff_are_slices(tmp_path: Path) -> None:
    first, *rest = (Image.fromarray(page) for page in SLICES)
    first.save(tmp_path / "stack.tif", save_all=True, append_images=rest)
    assert np.array_equal(read_volume(tmp_path / "stack.tif").volume.hu, SLICES)


def test_sixteen_bits_are_kept_and_say_nothing_of_hounsfield(tmp_path: Path) -> None:
    low = np.arange(54, dtype=np.uint16).reshape(6, 9) * 400
    read = read_volume(write_picture(tmp_path / "a.png", low))
    assert np.array_equal(read.volume.hu[0], low)
    assert not read.volume.has_hu
    assert "do not say what 0 HU is" in read.warnings[1].sentence
    high = low + np.uint16(40000)
    read = read_volume(write_picture(tmp_path / "b.png", high))
    assert np.array_equal(read.volume.hu[0].astype(int) + 32768, high)
    assert "32768 was subtracted" in read.warnings[1].sentence


def test_grey_stored_in_colour_is_grey(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "a.png", np.repeat(SLICES[2][..., None], 3, axis=2))
    assert np.array_equal(read_volume(path).volume.hu[0], SLICES[2])


def test_an_animation_is_no_case(tmp_path: Path) -> None:
    first, *rest = (Image.fromarray(page) for page in SLICES)
    first.save(tmp_path / "moving.png", save_all=True, append_images=rest)
    with pytest.raises(SeriesRefused) as refusal:
        read_volume(tmp_path / "moving.png")
    assert refusal.value.code == "picture"


def test_a_picture_that_claims_to_be_huge_is_refused() -> None:
    stream = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(stream, "PNG")
    with pytest.raises(SeriesRefused, match=r"huge\.png cannot be read"):
        read_volume(stream, "huge.png")


def test_nothing_that_needs_spacing_can_be_asked_of_pictures(tmp_path: Path) -> None:
    volume = read_volume(write_picture(tmp_path / "7.png", SLICES[3])).volume
    with pytest.raises(ValueError, match="size of this volume's voxels"):
        _ = volume.voxel_volume_ml
    assert not preview_of(volume, (1, 2, 2)).has_spacing


def test_masks_in_black_and_white_are_0_and_1(tmp_path: Path) -> None:
    drawn = (SLICES[3] > 200).astype(np.uint8)
    read = read_mask(write_picture(tmp_path / "a.png", drawn * 255))
    assert np.array_equal(read.labels[0], drawn)
    assert [note.code for note in read.notes] == ["scaled_labels"]
    read = read_mask(write_picture(tmp_path / "b.png", drawn.astype(bool)))
    assert np.array_equal(read.labels[0], drawn)


def test_masks_keep_the_numbers_of_a_palette(tmp_path: Path) -> None:
    labels = SLICES[3] % 4
    image = Image.fromarray(labels)
    image.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255])
    image.save(tmp_path / "a.png")
    read = read_picture_masks([("a.png", tmp_path / "a.png")])
    assert np.array_equal(read.labels[0], labels)


def test_a_mask_of_pictures_belongs_to_a_scan_of_pictures_alone(tmp_path: Path) -> None:
    scan = read_volume(write_picture(tmp_path / "7.png", SLICES[3])).volume
    labels = (SLICES[3:4] > 100).astype(np.uint8)
    assert np.array_equal(align_picture_mask(labels, scan), labels)
    with pytest.raises(SeriesRefused, match="9 x 5 x 1 voxels"):
        align_picture_mask(labels[:, :5], scan)
    with pytest.raises(SeriesRefused, match="only a scan of pictures"):
        align_picture_mask(labels, Volume(scan.hu, np.eye(4)))


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif"])
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    flips=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=8),
    kept=st.sampled_from([1.0, 1.0, 0.9, 0.4]),
)
def test_damaged_pictures_give_a_slice_or_a_sentence(suffix: str, flips: list[tuple[float, int]], kept: float) -> None:
    stream = io.BytesIO()
    noise = np.random.default_rng(1).integers(0, 255, (24, 32), dtype=np.uint8)
    Image.fromarray(noise).save(stream, {"png": "PNG", "jpg": "JPEG", "tif": "TIFF"}[suffix])
    whole = bytearray(stream.getvalue())
    for place, value in flips:
        whole[int(place * min(len(whole), 300))] = value
    try:
        told = f"{read_volume(io.BytesIO(bytes(whole[: int(kept * len(whole))])), 'a picture').volume.hu.size} pixels."
    except SeriesRefused as refusal:
        told = refusal.sentence
    assert told.endswith(".")
