"""Examples for the rows of the gate that speak of masks from elsewhere."""

from typing import Any

import numpy as np
from pydicom import Dataset
from pydicom.sequence import Sequence

from inference.imaging.foreign_rtstruct import read_rtstruct
from inference.imaging.foreign_seg import read_foreign_seg
from inference.imaging.grids import align_mask
from tests.factories.gate_examples import Bench, as_float, example
from tests.factories.segmentations import a_contour, a_seg, a_structure_set, described


def _labels(bench: Bench) -> Any:
    labels = np.zeros(bench.volume.shape_zyx, dtype=np.uint8)
    labels[2:6, 5:15, 4:9] = 1
    return labels


def _affine(bench: Bench) -> Any:
    return np.array(bench.volume.affine_lps)


def _seg(bench: Bench, **other: Any) -> Dataset:
    # The bench's first file is the highest slice.
    return a_seg(bench.slices[::-1], _labels(bench), **other)


def _square(bench: Bench, z: float, low: float = 5.0, high: float = 10.0) -> Any:
    corners = [(low, low), (high, low), (high, high), (low, high)]
    return [(bench.volume.affine_lps @ (x, y, z, 1))[:3] for x, y in corners]


@example("mask_size")
def _mask_size(bench: Bench) -> Any:
    return align_mask(_labels(bench)[1:], _affine(bench), bench.grid)


@example("mask_spacing")
def _mask_spacing(bench: Bench) -> Any:
    affine = _affine(bench)
    affine[:3, 0] *= 1.1
    return align_mask(_labels(bench), affine, bench.grid)


@example("mask_orientation")
def _mask_orientation(bench: Bench) -> Any:
    c, s = np.cos(0.2), np.sin(0.2)
    turned = np.array([[c, -s, 0, 0], [s, c, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]) @ _affine(bench)
    return align_mask(_labels(bench), turned, bench.grid)


@example("mask_position")
def _mask_position(bench: Bench) -> Any:
    affine = _affine(bench)
    affine[0, 3] += 1.0
    return align_mask(_labels(bench), affine, bench.grid)


@example("other_frame_of_reference")
def _other_frame_of_reference(bench: Bench) -> Any:
    return read_foreign_seg(_seg(bench), bench.grid, frame_of_reference_uid="1.2.3")


@example("no_frame_of_reference")
def _no_frame_of_reference(bench: Bench) -> Any:
    seg = _seg(bench)
    del seg.FrameOfReferenceUID
    return read_foreign_seg(seg, bench.grid, frame_of_reference_uid="1.2.3")


@example("not_segmentation")
def _not_segmentation(bench: Bench) -> Any:
    return read_foreign_seg(bench.slices[0], bench.grid)


@example("no_segments")
def _no_segments(bench: Bench) -> Any:
    seg = _seg(bench)
    del seg.SegmentSequence
    return read_foreign_seg(seg, bench.grid)


@example("segmentation_frames")
def _segmentation_frames(bench: Bench) -> Any:
    seg = _seg(bench)
    del seg.PerFrameFunctionalGroupsSequence[1].PlanePositionSequence
    return read_foreign_seg(seg, bench.grid)


@example("fractional")
def _fractional(bench: Bench) -> Any:
    seg = a_seg(bench.slices[::-1], as_float(_labels(bench)), kind="FRACTIONAL", fractional_type="PROBABILITY")
    return read_foreign_seg(seg, bench.grid)


@example("segments_overlap")
def _segments_overlap(bench: Bench) -> Any:
    both = np.stack([_labels(bench)] * 2, axis=-1)
    seg = a_seg(bench.slices[::-1], both, segments=[described(1, "Lung"), described(2, "Opacity")])
    return read_foreign_seg(seg, bench.grid)


@example("unknown_segments")
def _unknown_segments(bench: Bench) -> Any:
    both = np.stack([_labels(bench)] * 2, axis=-1)
    seg = a_seg(bench.slices[::-1], both, segments=[described(1, "Lung"), described(2, "Opacity")])
    seg.SegmentSequence = Sequence(seg.SegmentSequence[:1])
    return read_foreign_seg(seg, bench.grid)


@example("contour")
def _contour(bench: Bench) -> Any:
    dataset = a_structure_set({"Lung": [_square(bench, 2)]})
    dataset.ROIContourSequence[0].ContourSequence[0].ContourData = ["1", "2", "3", "4"]
    return read_rtstruct(dataset, bench.grid)


@example("contour_off_plane")
def _contour_off_plane(bench: Bench) -> Any:
    return read_rtstruct(a_structure_set({"Lung": [_square(bench, 2.4)]}), bench.grid)


@example("contour_moved")
def _contour_moved(bench: Bench) -> Any:
    return read_rtstruct(a_structure_set({"Lung": [_square(bench, 2.1)]}), bench.grid)


@example("contour_gaps")
def _contour_gaps(bench: Bench) -> Any:
    return read_rtstruct(a_structure_set({"Lung": [_square(bench, z) for z in (1, 2, 4)]}), bench.grid)


@example("contour_outside")
def _contour_outside(bench: Bench) -> Any:
    return read_rtstruct(a_structure_set({"Lung": [_square(bench, 2, -5, 3), _square(bench, 30)]}), bench.grid)


@example("contour_open")
def _contour_open(bench: Bench) -> Any:
    dataset = a_structure_set({"Lung": [_square(bench, 2)]})
    marker = a_contour(_square(bench, 2)[:1], "POINT")
    dataset.ROIContourSequence[0].ContourSequence.append(marker)
    return read_rtstruct(dataset, bench.grid)
