"""RT structure sets: contours in mm become voxels of the scan's slices, in every orientation of its frames."""

from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, dcmread

from inference.imaging.dicom import SeriesRefused
from inference.imaging.foreign_rtstruct import read_rtstruct
from inference.imaging.gate import GateTolerances
from inference.imaging.grids import Grid
from tests.factories.segmentations import a_contour, a_structure_set, saved
from tests.inference.imaging.orientations import ORIENTATIONS

SHAPE, SPACING = (8, 60, 64), (4.0, 1.5, 1.25)


def grid_of(order: tuple = (0, 1, 2), signs: tuple = (1, 1, 1)) -> Grid:
    """A grid whose z runs along the patient, x and y any way."""
    affine = np.zeros((4, 4))
    affine[3, 3] = 1.0
    for axis in range(3):
        affine[order[axis], axis] = signs[axis] * SPACING[2 - axis]
    affine[:3, 3] = (-31.25, 12.5, -400.0)
    return Grid(SHAPE, affine)


AXIAL = [grid for grid in (grid_of(*o) for o in ORIENTATIONS if o[0][2] == 2)]


def sphere(centre: np.ndarray, radius: float, grid: Grid, corners: int = 2000) -> list[np.ndarray]:
    """The outlines of a ball on the grid's slices, in mm."""
    contours = []
    for z in range(grid.shape_zyx[0]):
        height = (grid.affine_lps @ (0, 0, z, 1))[2]
        across = radius**2 - (height - centre[2]) ** 2
        if across > 0:
            angles = np.linspace(0, 2 * np.pi, corners, endpoint=False)
            ring = np.sqrt(across) * np.column_stack((np.cos(angles), np.sin(angles)))
            contours.append(np.column_stack((ring + centre[:2], np.full(corners, height))))
    return contours


def distances(grid: Grid, centre: np.ndarray) -> np.ndarray:
    z, y, x = np.mgrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    points = np.stack((x, y, z, np.ones_like(x)), axis=-1) @ grid.affine_lps.T
    return np.linalg.norm(points[..., :3] - centre, axis=-1)


def middle(grid: Grid) -> np.ndarray:
    return (grid.affine_lps @ (27.3, 31.4, 3.8, 1))[:3]


@pytest.mark.parametrize("grid", AXIAL, ids=range(len(AXIAL)))
def test_a_ball_is_filled_where_it_lies_on_every_axial_grid(grid: Grid) -> None:
    centre = middle(grid)
    read = read_rtstruct(a_structure_set({"Ball": sphere(centre, 13.0, grid)}), grid)
    distance = distances(grid, centre)
    clear = np.abs(distance - 13.0) > 0.05
    assert np.array_equal(read.mask(1)[clear], (distance < 13.0)[clear])
    assert read.mask(1).sum() == pytest.approx(4 / 3 * np.pi * 13.0**3 / np.prod(SPACING), rel=0.03)
    assert [*read.warnings, *read.notes] == []


def test_there_are_sixteen_axial_grids() -> None:
    assert len(AXIAL) == 16


def test_inner_contours_are_holes() -> None:
    grid = grid_of()
    centre = middle(grid)
    shell = sphere(centre, 14.0, grid) + sphere(centre, 9.0, grid)[::-1]
    read = read_rtstruct(a_structure_set({"Shell": shell}), grid)
    distance = distances(grid, centre)
    clear = (np.abs(distance - 14.0) > 0.05) & (np.abs(distance - 9.0) > 0.05)
    assert np.array_equal(read.mask(1)[clear], ((distance < 14.0) & (distance > 9.0))[clear])


@pytest.mark.parametrize("kind", ["CLOSED_PLANAR", "CLOSEDPLANAR_XOR"])
def test_regions_keep_name_colour_and_kind(kind: str, tmp_path: Path) -> None:
    grid = grid_of()
    regions = {"Lung left": sphere(middle(grid), 10.0, grid), "Opacity": sphere(middle(grid), 4.0, grid)}
    path = saved(a_structure_set(regions, kind=kind), tmp_path / "rs.dcm")
    read = read_rtstruct(dcmread(path), grid, frame_of_reference_uid="1.2.3")
    assert [(s.number, s.label, s.colour) for s in read.segments] == [
        (1, "Lung left", "#0a141e"),
        (2, "Opacity", "#0a143c"),
    ]
    assert read.overlaps() == {(1, 2): int(read.mask(2).sum())}
    assert [note.code for note in read.notes] == ["segments_overlap"]


def square(grid: Grid, z: float) -> np.ndarray:
    corners = [(10, 10), (20, 10), (20, 20), (10, 20)]
    return np.array([(grid.affine_lps @ (x, y, z, 1))[:3] for x, y in corners])


def test_contours_near_a_slice_are_moved_to_it_and_said() -> None:
    grid = grid_of()
    read = read_rtstruct(a_structure_set({"A": [square(grid, 3.2)]}), grid)
    assert np.flatnonzero(read.mask(1).any(axis=(1, 2))).tolist() == [3]
    assert "1 contours lay up to 0.80 mm from their slice" in read.warnings[0].sentence
    strict = GateTolerances(contour_fraction=0.1)
    with pytest.raises(SeriesRefused, match=r"0\.80 mm from the nearest slice"):
        read_rtstruct(a_structure_set({"A": [square(grid, 3.2)]}), grid, tolerances=strict)


def test_contours_between_slices_or_across_them_are_refused() -> None:
    grid = grid_of()
    with pytest.raises(SeriesRefused) as refusal:
        read_rtstruct(a_structure_set({"A": [square(grid, 3.5)]}), grid)
    assert refusal.value.code == "contour_off_plane"
    sagittal = square(grid, 3)[:, [2, 1, 0]]
    with pytest.raises(SeriesRefused) as refusal:
        read_rtstruct(a_structure_set({"A": [sagittal]}), grid)
    assert refusal.value.code == "contour_off_plane"


def test_slices_without_a_contour_in_between_are_told() -> None:
    grid = grid_of()
    read = read_rtstruct(a_structure_set({"A": [square(grid, z) for z in (1, 2, 5)]}), grid)
    assert "A has no contour on 2 slices" in read.warnings[0].sentence
    assert np.flatnonzero(read.mask(1).any(axis=(1, 2))).tolist() == [1, 2, 5]


def test_regions_of_another_frame_of_reference_are_refused() -> None:
    grid = grid_of()
    dataset = a_structure_set({"A": [square(grid, 1)]}, frame_of_reference_uid="9.9")
    with pytest.raises(SeriesRefused, match="another frame of reference"):
        read_rtstruct(dataset, grid, frame_of_reference_uid="1.2.3")


def test_a_region_without_contours_is_empty_and_markers_are_left_out() -> None:
    grid = grid_of()
    dataset = a_structure_set({"Nothing": [], "A": [square(grid, 1)]})
    dataset.ROIContourSequence[0].ContourSequence.append(a_contour(square(grid, 1)[:1], "POINT"))
    read = read_rtstruct(dataset, grid)
    assert not read.mask(1).any()
    assert read.mask(2).sum() == 11 * 11
    assert "1 points and open lines" in read.notes[0].sentence


@pytest.mark.parametrize("data", [[], ["1"] * 6, ["x"] * 9, ["1"] * 10, ["nan"] * 9, ["1e9"] * 9])
def test_hostile_contours_get_a_sentence(data: list[str]) -> None:
    grid = grid_of()
    dataset = a_structure_set({"A": [square(grid, 1)]})
    broken = Dataset()
    broken.ContourGeometricType = "CLOSED_PLANAR"
    broken.add_new(0x30060050, "UT" if data[:1] == ["x"] else "DS", "\\".join(data) if data[:1] == ["x"] else data)
    dataset.ROIContourSequence[0].ContourSequence = [broken]
    with pytest.raises(SeriesRefused) as refusal:
        read_rtstruct(dataset, grid)
    assert refusal.value.code == "contour"
