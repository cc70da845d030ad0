"""Masks onto a scan's grid: bit for bit in every orientation, or refused with what differs."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from inference.imaging.dicom import SeriesRefused
from inference.imaging.formats import read_mask
from inference.imaging.grids import Grid, align_mask, place_box
from tests.factories.volume_files import write
from tests.inference.imaging.orientations import ORIENTATIONS, SHAPE, letter_f, turned, upright_affine

# Scans lie on the grid of their own frames: x and y may run either way, and be swapped.
SCAN_GRIDS = [(order, signs) for order, signs in ORIENTATIONS if order[2] == 2 and order in ((0, 1, 2), (1, 0, 2))]


def scan_grid(order: tuple, signs: tuple) -> tuple[np.ndarray, Grid]:
    """The letter as a scan has it (zyx), and its grid."""
    array, affine = turned(order, signs)
    letter = np.ascontiguousarray(array.transpose(2, 1, 0))
    return letter, Grid(letter.shape, affine)  # type: ignore[arg-type]


@pytest.mark.parametrize(("order", "signs"), ORIENTATIONS)
def test_a_mask_in_any_orientation_is_placed_bit_for_bit(order: tuple, signs: tuple) -> None:
    array, affine = turned(order, signs)
    labels = np.where(array > 0, array // 100, 0).transpose(2, 1, 0).astype(np.uint8)
    for scan_order, scan_signs in SCAN_GRIDS:
        letter, grid = scan_grid(scan_order, scan_signs)
        placed = align_mask(labels, affine, grid)
        assert np.array_equal(placed, np.where(letter > 0, letter // 100, 0))
        assert placed.flags.c_contiguous


@pytest.mark.parametrize("name", ["mask.nii.gz", "mask.nrrd", "mask.mha"])
@pytest.mark.parametrize(("order", "signs"), SCAN_GRIDS)
def test_a_mask_file_finds_its_way_home(order: tuple, signs: tuple, name: str, tmp_path: Path) -> None:
    letter, grid = scan_grid(order, signs)
    array, affine = turned((1, 2, 0), (-1, 1, -1))
    read = read_mask(write(tmp_path / name, (array > 0).astype(np.uint8), affine))
    assert read.affine_lps is not None
    assert np.array_equal(align_mask(read.labels, read.affine_lps, grid), letter > 0)


def test_what_files_round_off_is_no_difference() -> None:
    letter, grid = scan_grid((0, 1, 2), (1, 1, 1))
    near = grid.affine_lps.astype(np.float32).astype(np.float64)
    near[:3, 3] += 0.02
    assert np.array_equal(align_mask((letter > 0).astype(np.uint8), near, grid), letter > 0)


def moved(x: float = 0, y: float = 0, z: float = 0) -> np.ndarray:
    affine = upright_affine()
    affine[:3, 3] += (x, y, z)
    return affine


def stretched(axis: int, by: float) -> np.ndarray:
    affine = upright_affine()
    affine[:3, axis] *= by
    return affine


def rotated(degrees: float) -> np.ndarray:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, -s, 0, 0], [s, c, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]) @ upright_affine()


REFUSED = [
    ("one slice less", (4, 6, 7), upright_affine(), "mask_size", "7 x 6 x 4 voxels and the scan 7 x 6 x 5"),
    ("one column more", (5, 6, 8), upright_affine(), "mask_size", "8 x 6 x 5"),
    ("other slice spacing", SHAPE, stretched(2, 0.8), "mask_spacing", "0.625 x 0.75 x 4 mm"),
    ("other pixel spacing", SHAPE, stretched(0, 1.05), "mask_spacing", "0.6562 x 0.75 x 5 mm"),
    ("half a pixel aside", SHAPE, moved(x=0.3125), "mask_position", "0.31 mm"),
    ("one slice up", SHAPE, moved(z=5), "mask_position", "5.00 mm"),
    ("far away", SHAPE, moved(x=1e9), "mask_position", "mm away"),
    ("turned", SHAPE, rotated(5), "mask_orientation", "5.0 degrees"),
]


@pytest.mark.parametrize(("shape", "affine", "code", "words"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
def test_a_mask_elsewhere_is_refused_with_what_differs(shape: tuple, affine: np.ndarray, code: str, words: str) -> None:
    _, grid = scan_grid((0, 1, 2), (1, 1, 1))
    with pytest.raises(SeriesRefused) as refusal:
        align_mask(np.zeros(shape, dtype=np.uint8), affine, grid)
    assert refusal.value.code == code
    assert words in refusal.value.sentence


def test_a_mask_that_is_turned_and_moved_is_refused() -> None:
    _, grid = scan_grid((0, 1, 2), (1, 1, 1))
    array, affine = turned((2, 1, 0), (-1, -1, 1))
    affine[2, 3] += 5
    with pytest.raises(SeriesRefused, match=r"up to 5\.00 mm away"):
        align_mask((array > 0).astype(np.uint8).transpose(2, 1, 0), affine, grid)


def test_a_smaller_box_is_placed_where_it_lies() -> None:
    _, grid = scan_grid((0, 1, 2), (1, 1, 1))
    affine = grid.affine_lps.copy()
    affine[:3, 3] = (grid.affine_lps @ (2, 1, 3, 1))[:3]
    _, box = place_box((2, 4, 3), affine, grid)
    assert box == (slice(3, 5), slice(1, 5), slice(2, 5))


def test_every_turn_is_undone_by_its_own_grid() -> None:
    for (order, signs), (other, others) in itertools.product(ORIENTATIONS[::5], ORIENTATIONS[::7]):
        array, affine = turned(order, signs)
        target, target_affine = turned(other, others)
        grid = Grid(target.transpose(2, 1, 0).shape, target_affine)  # type: ignore[arg-type]
        labels = (array > 0).astype(np.uint8).transpose(2, 1, 0)
        assert np.array_equal(align_mask(labels, affine, grid), target.transpose(2, 1, 0) > 0)


def test_the_letter_has_no_symmetry() -> None:
    turns = {turned(order, signs)[0].tobytes() for order, signs in ORIENTATIONS}
    assert len(turns) == 48
    assert np.count_nonzero(letter_f() > 0) == 14
