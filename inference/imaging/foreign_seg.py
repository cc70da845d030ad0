"""DICOM Segmentations of other programs (PS3.3 A.51, A.96) on the grid of a scan that is here.

Frames may come in any order, any turn of axes, any plane; empty ones may be left out; they may be cut to a part of the
scan. What does not lie on the scan's voxels is refused.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from inference.imaging import gate
from inference.imaging.decoding import NATIVE, layout_of, stored_frames
from inference.imaging.elements import file_name, items, number, numbers, text, transfer_syntax
from inference.imaging.foreign_masks import ForeignMask, ForeignSegment, code_of, lab_colour, say_overlaps, side_of
from inference.imaging.frames import PER_FRAME, Image, images_of
from inference.imaging.gate import STANDARD, GateTolerances
from inference.imaging.grids import FARTHEST, Grid, place_box
from inference.imaging.patches import Patch, clipped

SEG_CLASSES = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
TYPES = ("BINARY", "FRACTIONAL", "LABELMAP")
MOST_FRAMES = 200_000
MOST_SEGMENTS = 1000


def read_foreign_seg(
    dataset: Dataset,
    scan: Grid,
    *,
    threshold: float = 0.5,
    frame_of_reference_uid: str = "",
    tolerances: GateTolerances = STANDARD,
) -> ForeignMask:
    """The segments of a DICOM SEG on a scan's grid; raises SeriesRefused with a sentence.

    A fractional segment is taken where it reaches `threshold` of its maximum (0 to 1), and is said so. With
    `frame_of_reference_uid`, that of the scan, a SEG of another one is refused.
    """
    name, findings = file_name(dataset), gate.Findings()
    kind = text(dataset, "SegmentationType").upper()
    if text(dataset, "SOPClassUID") not in SEG_CLASSES or kind not in TYPES:
        raise gate.refuse("not_segmentation", name=name, what=kind[:16] or "no SegmentationType")
    check_frame_of_reference(name, text(dataset, "FrameOfReferenceUID"), frame_of_reference_uid, findings)
    segments = _segments(dataset)
    if not segments:
        raise gate.refuse("no_segments", name=name, what="no SegmentSequence")
    if kind == "FRACTIONAL":
        what = text(dataset, "SegmentationFractionalType").lower()
        known = what if what in ("probability", "occupancy") else "of no named kind"
        findings.say("fractional", threshold=threshold, kind=known)
    found: dict[int, list[Patch]] = {segment.number: [] for segment in segments}
    unknown = 0
    for image, values in _frames(dataset, name):
        for segment, voxels in _split(image, values, kind, dataset, threshold, name):
            if segment not in found:
                unknown += 1
            elif voxels.any():
                found[segment].append(_patch(name, image, voxels, scan, tolerances))
    if unknown:
        findings.say("unknown_segments", count=unknown)
    say_overlaps(found, segments, findings)
    return ForeignMask(scan.shape_zyx, segments, found, findings.warnings, findings.notes)


def check_frame_of_reference(name: str, theirs: str, ours: str, findings: gate.Findings) -> None:
    """Raise SeriesRefused where two frames of reference are known and differ; tell where one is not known."""
    if ours and theirs and ours != theirs:
        raise gate.refuse("other_frame_of_reference", name=name)
    if ours and not theirs:
        findings.say("no_frame_of_reference", name=name)


def _segments(dataset: Dataset) -> list[ForeignSegment]:
    found = {}
    for item in items(dataset, "SegmentSequence")[:MOST_SEGMENTS]:
        at = number(item, "SegmentNumber")
        if at is None or at < 1:  # LABELMAP describes the background as segment 0
            continue
        found[int(at)] = ForeignSegment(
            number=int(at),
            label=text(item, "SegmentLabel")[:64] or f"segment {int(at)}",
            code=code_of(item, "SegmentedPropertyTypeCodeSequence"),
            category=code_of(item, "SegmentedPropertyCategoryCodeSequence"),
            side=side_of(item),
            colour=lab_colour(item),
            description=text(item, "SegmentDescription")[:1024],
            algorithm=(text(item, "SegmentAlgorithmName") or text(item, "SegmentAlgorithmType").lower())[:64],
            tracking_id=text(item, "TrackingID")[:64],
        )
    return [found[at] for at in sorted(found)]


def _frames(dataset: Dataset, name: str) -> Iterator[tuple[Image, NDArray[Any]]]:
    described = items(dataset, PER_FRAME)
    if not described or len(described) > MOST_FRAMES:
        raise gate.refuse("segmentation_frames", name=name, what=f"{len(described)} frames")
    images = images_of(dataset)
    every = range(len(images))
    if number(dataset, "BitsAllocated") == 1:
        yield from zip(images, _bit_frames(dataset, name, len(images)), strict=True)
    else:
        layout_of(dataset)
        yield from zip(images, stored_frames(dataset, every), strict=True)


def _bit_frames(dataset: Dataset, name: str, count: int) -> Iterator[NDArray[np.uint8]]:
    """Frames of one bit a voxel, the first voxel in the lowest bit, without a gap between frames (PS3.5 8.1.1)."""
    rows, columns = int(number(dataset, "Rows") or 0), int(number(dataset, "Columns") or 0)
    size, data = rows * columns, dataset.get("PixelData") or b""
    if transfer_syntax(dataset) not in NATIVE or not size or len(data) * 8 < count * size:
        raise gate.refuse("pixels", name=name, reason="they are cut short or compressed in a way that is not read")
    for index in range(count):
        first, last = index * size, (index + 1) * size
        packed = np.frombuffer(data, dtype=np.uint8, count=-(-last // 8) - first // 8, offset=first // 8)
        bits = np.unpackbits(packed, bitorder="little")
        yield bits[first % 8 : first % 8 + size].reshape(rows, columns)


def _split(
    image: Image, values: NDArray[Any], kind: str, dataset: Dataset, threshold: float, name: str
) -> Iterator[tuple[int, NDArray[np.bool_]]]:
    """Each segment in a frame and its voxels (yx)."""
    if kind == "LABELMAP":
        for value in np.flatnonzero(np.bincount(values.reshape(-1).astype(np.int64))):
            if value:
                yield int(value), values == value
        return
    segment = number(image, "ReferencedSegmentNumber")
    if segment is None:
        raise gate.refuse("segmentation_frames", name=name, what="a frame without a segment")
    if kind == "FRACTIONAL":
        most = number(dataset, "MaximumFractionalValue") or 255
        yield int(segment), (values >= threshold * most) & (values > 0)
    else:
        yield int(segment), values > 0


def _patch(name: str, image: Image, voxels: NDArray[np.bool_], scan: Grid, tolerances: GateTolerances) -> Patch:
    position, spacing = numbers(image, "ImagePositionPatient", 3), numbers(image, "PixelSpacing", 2)
    directions = numbers(image, "ImageOrientationPatient", 6)
    if position is None or spacing is None or directions is None or not 0 < min(spacing) <= max(spacing) < FARTHEST:
        raise gate.refuse("segmentation_frames", name=name, what="a frame without a place, a spacing or a direction")
    row, column = np.array(directions[:3]), np.array(directions[3:])
    normal = np.cross(row, column)
    if not np.allclose([np.linalg.norm(row), np.linalg.norm(column), np.linalg.norm(normal)], 1.0, atol=1e-2):
        raise gate.refuse("segmentation_frames", name=name, what="directions that are no pair of axes")
    # A frame is one voxel thick: as thick as the scan's voxels across it.
    across = scan.affine_lps[:3, int(np.argmax(np.abs(scan.affine_lps[:3, :3].T @ normal)))]
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1] = row * spacing[1], column * spacing[0]
    affine[:3, 2], affine[:3, 3] = normal * np.linalg.norm(across), position
    turn, box = place_box((1, *voxels.shape), affine, scan, tolerances)
    box, inside = clipped(box, turn.of(voxels[None]), scan.shape_zyx)
    if int(np.count_nonzero(inside)) != int(np.count_nonzero(voxels)):
        raise gate.refuse("mask_size", mask=" x ".join(map(str, voxels.shape[::-1])), scan=_sides(scan))
    return Patch.of(box, inside)


def _sides(scan: Grid) -> str:
    return " x ".join(str(side) for side in scan.shape_zyx[::-1])
