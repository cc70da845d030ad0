"""DICOM SEG of other programs: in any turn and order of frames, cut, sparse, fractional, as label map."""

from pathlib import Path

import highdicom as hd
import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import RLELossless

from inference.imaging.dicom import SeriesRefused, volume_from_datasets
from inference.imaging.foreign_seg import read_foreign_seg
from inference.imaging.grids import Grid
from inference.phantoms import Phantom, make_phantom, write_dicom_series
from tests.factories.segmentations import GROUND_GLASS, LUNG, a_seg, described
from tests.inference.imaging.orientations import ORIENTATIONS
from tests.inference.imaging.test_dicom import DIRECTIONS

Letter = np.ndarray


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    return make_phantom(5, shape_zyx=(6, 20, 24), spacing_zyx_mm=(5.0, 1.5, 1.25))


@pytest.fixture(scope="module")
def slices(phantom: Phantom, tmp_path_factory: pytest.TempPathFactory) -> list[Dataset]:
    paths = write_dicom_series(phantom, tmp_path_factory.mktemp("slices"), order=range(6))
    return [dcmread(path) for path in paths]


@pytest.fixture
def grid(phantom: Phantom) -> Grid:
    return Grid.of(phantom.volume)


def a_letter() -> Letter:
    """An F, leaning in z: no turn leaves it as it is."""
    mask = np.zeros((6, 20, 24), dtype=np.uint8)
    mask[1:4, 4:14, 5] = mask[1, 4, 5:12] = mask[3, 8, 5:9] = mask[4, 19, 23] = 1
    return mask


@pytest.mark.parametrize("kind", ["BINARY", "FRACTIONAL", "LABELMAP"])
@pytest.mark.parametrize("sparse", [False, True], ids=["all frames", "empty ones left out"])
@pytest.mark.parametrize("reverse", [False, True], ids=["feet first", "head first"])
@pytest.mark.parametrize(("row", "column"), DIRECTIONS)
def test_a_seg_over_every_axial_orientation_is_read_exactly(
    row: tuple, column: tuple, reverse: bool, sparse: bool, kind: str, tmp_path: Path
) -> None:
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1] = np.multiply(row, 1.25), np.multiply(column, 1.5)
    affine[:3, 2], affine[:3, 3] = np.cross(row, column) * 5.0, (-31.5, 12.25, -400.125)
    phantom = make_phantom(5, shape_zyx=(6, 20, 24), spacing_zyx_mm=(5.0, 1.5, 1.25), affine_lps=affine)
    sources = [dcmread(path) for path in write_dicom_series(phantom, tmp_path, order=range(6))]
    letter = a_letter()
    drawn = letter.astype(np.float32) if kind == "FRACTIONAL" else letter
    other = {"fractional_type": "OCCUPANCY"} if kind == "FRACTIONAL" else {}
    if reverse:
        sources, drawn = sources[::-1], drawn[::-1]
    seg = a_seg(sources, drawn, kind=kind, omit_empty_frames=sparse, **other)
    frames = 4 if sparse and kind != "LABELMAP" else 6
    assert kind == "LABELMAP" or len(seg.PerFrameFunctionalGroupsSequence) == frames
    read = read_foreign_seg(seg, Grid.of(phantom.volume))
    assert np.array_equal(read.mask(1), letter > 0)


@pytest.mark.parametrize("backwards", [False, True], ids=["in order", "frames backwards"])
@pytest.mark.parametrize(("order", "signs"), ORIENTATIONS)
def test_frames_in_any_plane_and_turn_are_placed(
    order: tuple, signs: tuple, backwards: bool, grid: Grid, slices: list[Dataset]
) -> None:
    """A SEG whose frames lie along any two axes of the scan, sagittal and coronal ones too."""
    letter = a_letter()
    array, affine = letter.transpose(2, 1, 0).transpose(order), grid.affine_lps.copy()
    affine[:, :3] = grid.affine_lps[:, list(order)]
    for axis, sign in enumerate(signs):
        if sign < 0:
            array = np.flip(array, axis)
            affine[:3, 3] += affine[:3, axis] * (array.shape[axis] - 1)
            affine[:3, axis] *= -1
    seg = by_hand(slices[0], array.transpose(2, 1, 0), affine, backwards=backwards)
    assert np.array_equal(read_foreign_seg(seg, grid).mask(1), letter > 0)


def by_hand(source: Dataset, frames: np.ndarray, affine: np.ndarray, *, backwards: bool = False) -> Dataset:
    """A SEG that no library would write: frames (z, y, x) of a grid of one's own."""
    seg = a_seg([source], np.ones((1, int(source.Rows), int(source.Columns)), dtype=np.uint8))
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    seg.Rows, seg.Columns, seg.NumberOfFrames = frames.shape[1], frames.shape[2], len(frames)
    places = range(len(frames))[::-1] if backwards else range(len(frames))
    del seg.SharedFunctionalGroupsSequence
    groups = []
    for place in places:
        group, position, measures, plane, which = (Dataset() for _ in range(5))
        position.ImagePositionPatient = [float(f"{v:.9g}") for v in (affine @ (0, 0, place, 1))[:3]]
        measures.PixelSpacing, measures.SliceThickness = [lengths[1], lengths[0]], lengths[2]
        plane.ImageOrientationPatient = [*(affine[:3, 0] / lengths[0]), *(affine[:3, 1] / lengths[1])]
        which.ReferencedSegmentNumber = 1
        group.PlanePositionSequence, group.PixelMeasuresSequence = [position], [measures]
        group.PlaneOrientationSequence, group.SegmentIdentificationSequence = [plane], [which]
        groups.append(group)
    seg.PerFrameFunctionalGroupsSequence = groups
    bits = np.concatenate([frames[place].reshape(-1) for place in places]) > 0
    seg.PixelData = np.packbits(bits, bitorder="little").tobytes()
    return seg


def test_a_seg_cut_to_a_part_of_the_scan_is_placed_where_it_lies(grid: Grid, slices: list[Dataset]) -> None:
    letter = a_letter()
    affine = grid.affine_lps.copy()
    affine[:3, 3] = (grid.affine_lps @ (5, 4, 1, 1))[:3]
    seg = by_hand(slices[0], letter[1:4, 4:15, 5:13], affine)
    expected = letter.copy()
    expected[4] = 0
    assert np.array_equal(read_foreign_seg(seg, grid).mask(1), expected > 0)


def test_empty_margins_beyond_the_scan_do_no_harm_but_voxels_there_do(grid: Grid, slices: list[Dataset]) -> None:
    wide = np.pad(a_letter(), ((1, 1), (2, 2), (3, 3)))
    affine = grid.affine_lps.copy()
    affine[:3, 3] = (grid.affine_lps @ (-3, -2, -1, 1))[:3]
    assert np.array_equal(read_foreign_seg(by_hand(slices[0], wide, affine), grid).mask(1), a_letter() > 0)
    wide[0, 0, 0] = 1
    with pytest.raises(SeriesRefused) as refusal:
        read_foreign_seg(by_hand(slices[0], wide, affine), grid)
    assert refusal.value.code == "mask_size"


def test_segments_keep_their_codes_labels_colours_and_sides(grid: Grid, slices: list[Dataset]) -> None:
    both = np.stack([a_letter(), np.roll(a_letter(), 3, axis=1)], axis=-1)
    lung, glass = described(1, "Lung, left", LUNG), described(2, "GGO", GROUND_GLASS)
    left = hd.sr.CodedConcept("7771000", "SCT", "Left")
    lung.SegmentedPropertyTypeCodeSequence[0].SegmentedPropertyTypeModifierCodeSequence = [left]
    read = read_foreign_seg(a_seg(slices, both, segments=[lung, glass]), grid)
    first, second = read.segments
    assert (first.number, first.label, first.side, second.side) == (1, "Lung, left", "left", None)
    assert first.code is not None
    assert (first.code.scheme, first.code.value, first.code.meaning) == ("SCT", "39607008", "Lung")
    assert second.code is not None
    assert second.code.value == "112120"
    assert first.category is not None
    assert first.category.value == "49755003"
    assert first.colour is not None
    assert second.colour is not None
    for colour, wanted in ((first.colour, (200, 40, 60)), (second.colour, (200, 80, 60))):
        assert np.abs(np.subtract([int(colour[at : at + 2], 16) for at in (1, 3, 5)], wanted)).max() <= 2
    assert np.array_equal(read.mask(2), both[..., 1] > 0)
    assert not read.mask(3).any()


def test_overlaps_are_counted_and_told(grid: Grid, slices: list[Dataset]) -> None:
    letter = a_letter()
    fat = letter.copy()
    fat[1:4, 4:14, 5:8] = 1
    seg = a_seg(slices, np.stack([fat, letter], axis=-1), segments=[described(1, "Lung"), described(2, "Opacity")])
    read = read_foreign_seg(seg, grid)
    assert read.overlaps() == {(1, 2): int((fat & letter).sum())}
    [note] = read.notes
    assert f"1 (Lung) and 2 (Opacity) share {int((fat & letter).sum())} voxels" in note.sentence
    apart = np.stack([letter, np.roll(letter, 7, axis=2)], axis=-1)
    again = read_foreign_seg(a_seg(slices, apart, segments=[described(1, "A"), described(2, "B")]), grid)
    assert (again.overlaps(), again.notes) == ({}, [])


@pytest.mark.parametrize(("threshold", "expected"), [(0.5, 0.5), (0.1, 0.1), (1.0, 1.0)])
def test_fractional_segments_are_taken_at_a_threshold_that_is_told(
    grid: Grid, slices: list[Dataset], threshold: float, expected: float
) -> None:
    values = np.linspace(0, 1, 6 * 20 * 24, dtype=np.float32).reshape(6, 20, 24)
    seg = a_seg(slices, values, kind="FRACTIONAL", fractional_type="PROBABILITY", max_fractional_value=200)
    read = read_foreign_seg(seg, grid, threshold=threshold)
    stored = np.around(values * 200)
    assert np.array_equal(read.mask(1), stored >= expected * 200)
    assert f"reach {threshold:g} of their maximum (probability)" in read.notes[0].sentence


def test_a_label_map_keeps_each_label(grid: Grid, slices: list[Dataset]) -> None:
    labels = a_letter() * 2
    labels[0, :3, :3] = 1
    seg = a_seg(slices, labels, kind="LABELMAP", segments=[described(1, "A"), described(2, "B")])
    read = read_foreign_seg(seg, grid)
    assert [segment.number for segment in read.segments] == [1, 2]
    assert np.array_equal(read.mask(1), labels == 1)
    assert np.array_equal(read.mask(2), labels == 2)


def test_a_compressed_label_map_is_read(grid: Grid, slices: list[Dataset]) -> None:
    seg = a_seg(slices, a_letter(), kind="LABELMAP", transfer_syntax_uid=RLELossless)
    assert np.array_equal(read_foreign_seg(seg, grid).mask(1), a_letter() > 0)


def test_frames_of_odd_size_are_unpacked_bit_by_bit(tmp_path: Path) -> None:
    phantom = make_phantom(5, shape_zyx=(5, 7, 9), spacing_zyx_mm=(5.0, 1.5, 1.25))
    sources = [dcmread(path) for path in write_dicom_series(phantom, tmp_path, order=range(5))]
    mask = np.random.default_rng(2).integers(0, 2, (5, 7, 9), dtype=np.uint8)
    seg = a_seg(sources, mask, omit_empty_frames=False)
    assert np.array_equal(read_foreign_seg(seg, Grid.of(phantom.volume)).mask(1), mask > 0)


def test_a_scan_read_from_the_same_slices_is_what_the_mask_lies_on(slices: list[Dataset]) -> None:
    volume = volume_from_datasets(slices).volume
    assert np.array_equal(read_foreign_seg(a_seg(slices, a_letter()), Grid.of(volume)).mask(1), a_letter() > 0)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda affine: affine[:3, 3].__iadd__((0.4, 0, 0)), "mask_position"),
        (lambda affine: affine[:3, 3].__iadd__((0, 0, 2.5)), "mask_position"),
        (lambda affine: affine[:3, 0].__imul__(1.2), "mask_spacing"),
    ],
)
def test_a_seg_off_the_grid_is_refused(change, code: str, grid: Grid, slices: list[Dataset]) -> None:
    affine = grid.affine_lps.copy()
    change(affine)
    with pytest.raises(SeriesRefused) as refusal:
        read_foreign_seg(by_hand(slices[0], a_letter(), affine), grid)
    assert refusal.value.code == code


def test_cut_and_hostile_segmentations_get_a_sentence(grid: Grid, slices: list[Dataset]) -> None:
    seg = a_seg(slices, a_letter())
    seg.PixelData = seg.PixelData[:-60]
    with pytest.raises(SeriesRefused, match="cut short"):
        read_foreign_seg(seg, grid)
    seg = a_seg(slices, a_letter())
    seg.NumberOfFrames = 10**9
    with pytest.raises(SeriesRefused, match="describes"):
        read_foreign_seg(seg, grid)
    seg = by_hand(slices[0], a_letter(), grid.affine_lps)
    seg.PerFrameFunctionalGroupsSequence[1].PlanePositionSequence[0].ImagePositionPatient = [1e300, 0, 0]
    with pytest.raises(SeriesRefused) as refusal:
        read_foreign_seg(seg, grid)
    assert refusal.value.code == "mask_position"
