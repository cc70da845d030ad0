"""RT Structure Sets (PS3.3 A.19) on the grid of a scan that is here: closed contours, filled slice by slice."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from inference.imaging import gate
from inference.imaging.elements import file_name, items, number, text
from inference.imaging.foreign_masks import ForeignMask, ForeignSegment, code_of, hex_colour, say_overlaps, side_of
from inference.imaging.foreign_seg import check_frame_of_reference
from inference.imaging.gate import STANDARD, GateTolerances
from inference.imaging.grids import Box, Grid
from inference.imaging.patches import Patch, clipped
from inference.imaging.polygons import filled

RTSTRUCT = "1.2.840.10008.5.1.4.1.1.481.3"
CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")
CONTOUR_DATA = Tag("ContourData")
MOST_REGIONS = 1000
MOST_POINTS = 5_000_000
# Nearer to its slice than this (in slices), a contour is on it.
ON_PLANE = 0.02


class _Tally:
    """What is to be told of all contours together."""

    def __init__(self) -> None:
        self.moved = self.outside = self.open = self.points = 0
        self.farthest_mm = 0.0

    def say(self, findings: gate.Findings) -> None:
        if self.moved:
            findings.say("contour_moved", count=self.moved, distance=self.farthest_mm)
        if self.outside:
            findings.say("contour_outside", count=self.outside)
        if self.open:
            findings.say("contour_open", count=self.open)


def read_rtstruct(
    dataset: Dataset,
    scan: Grid,
    *,
    frame_of_reference_uid: str = "",
    tolerances: GateTolerances = STANDARD,
) -> ForeignMask:
    """The regions of a structure set on a scan's grid; raises SeriesRefused with a sentence.

    Contours of one region on one slice are joined by the even-odd rule; a contour off the slices is moved to one within
    the tolerance and said, or refused. With `frame_of_reference_uid`, regions of another one are refused.
    """
    name, findings, tally = file_name(dataset), gate.Findings(), _Tally()
    if text(dataset, "SOPClassUID") != RTSTRUCT:
        raise gate.refuse("not_segmentation", name=name, what=text(dataset, "Modality")[:16] or "no structure set")
    contours = {number(item, "ReferencedROINumber"): item for item in items(dataset, "ROIContourSequence")}
    seen = {number(item, "ReferencedROINumber"): item for item in items(dataset, "RTROIObservationsSequence")}
    segments, found = [], {}
    for item in items(dataset, "StructureSetROISequence")[:MOST_REGIONS]:
        at = number(item, "ROINumber")
        if at is None:
            continue
        theirs = text(item, "ReferencedFrameOfReferenceUID")
        check_frame_of_reference(name, theirs, frame_of_reference_uid, findings)
        segment = _segment(int(at), item, contours.get(at), seen.get(at))
        segments.append(segment)
        lists = items(contours[at], "ContourSequence") if at in contours else []
        found[segment.number] = _fill(name, segment.label, lists, scan, tolerances, tally, findings)
    if not segments:
        raise gate.refuse("no_segments", name=name, what="no StructureSetROISequence")
    tally.say(findings)
    say_overlaps(found, segments, findings)
    return ForeignMask(scan.shape_zyx, segments, found, findings.warnings, findings.notes)


def _segment(at: int, item: Dataset, contour: Dataset | None, observation: Dataset | None) -> ForeignSegment:
    observed = observation if observation is not None else Dataset()
    colour = contour.get("ROIDisplayColor") if contour is not None else None
    return ForeignSegment(
        number=at,
        label=text(item, "ROIName")[:64] or f"region {at}",
        code=code_of(observed, "RTROIIdentificationCodeSequence")
        or code_of(observed, "SegmentedPropertyTypeCodeSequence"),
        category=code_of(observed, "SegmentedPropertyCategoryCodeSequence"),
        side=side_of(observed),
        colour=hex_colour(colour),
        description=text(item, "ROIDescription")[:1024],
        algorithm=text(item, "ROIGenerationAlgorithm").lower()[:64],
    )


def _fill(
    name: str,
    label: str,
    contours: Sequence[Dataset],
    scan: Grid,
    tolerances: GateTolerances,
    tally: _Tally,
    findings: gate.Findings,
) -> list[Patch]:
    """A region's patches, one a slice."""
    into = np.linalg.inv(scan.affine_lps)
    nz, ny, nx = scan.shape_zyx
    by_slice: dict[int, list[NDArray[np.float64]]] = {}
    for contour in contours:
        if text(contour, "ContourGeometricType").upper() not in CLOSED:
            tally.open += 1
            continue
        points = _points(name, contour, tally)
        places = points @ into[:3, :3].T + into[:3, 3]
        z = _slice_of(label, places, scan, tolerances, tally)
        if not (0 <= z < nz):
            tally.outside += 1
            continue
        if places[:, :2].min() < -0.5 or (places[:, :2].max(axis=0) > (nx - 0.5, ny - 0.5)).any():
            tally.outside += 1
        by_slice.setdefault(z, []).append(places[:, :2])
    gaps = max(by_slice) - min(by_slice) + 1 - len(by_slice) if by_slice else 0
    if gaps:
        findings.say("contour_gaps", region=label, count=gaps)
    patches = []
    for z, polygons in sorted(by_slice.items()):
        plane: Box = (slice(z, z + 1), slice(0, ny), slice(0, nx))
        box, inside = clipped(plane, filled(polygons, (ny, nx))[None], scan.shape_zyx)
        if inside.size:
            patches.append(Patch.of(box, inside))
    return patches


def _slice_of(label: str, places: NDArray[np.float64], scan: Grid, tolerances: GateTolerances, tally: _Tally) -> int:
    z = int(np.rint(places[:, 2].mean()))
    distance = float(np.abs(places[:, 2] - z).max())
    spacing_mm = float(np.linalg.norm(scan.affine_lps[:3, 2]))
    if distance > tolerances.contour_fraction:
        raise gate.refuse("contour_off_plane", region=label, distance=distance * spacing_mm)
    if distance > ON_PLANE:
        tally.moved += 1
        tally.farthest_mm = max(tally.farthest_mm, distance * spacing_mm)
    return z


def _points(name: str, contour: Dataset, tally: _Tally) -> NDArray[np.float64]:
    """A contour's points (n, 3) in mm; numbers are taken from the file's own text, which is much faster."""
    try:
        element = contour.get_item(CONTOUR_DATA)
        raw = element.value if isinstance(element, RawDataElement) else None
        values = raw.split(b"\\") if isinstance(raw, bytes) else [float(value) for value in contour.ContourData]
        points = np.array(values, dtype=np.float64).reshape(-1, 3)
    except Exception as error:  # absent, no numbers, not in threes
        raise gate.refuse("contour", name=name, what="no list of points") from error
    tally.points += len(points)
    if len(points) < 3 or not np.isfinite(points).all() or np.abs(points).max() > 1e5:
        raise gate.refuse("contour", name=name, what=f"{len(points)} points, or points far away")
    if tally.points > MOST_POINTS:
        raise gate.refuse("contour", name=name, what=f"more than {MOST_POINTS:,} points")
    return points
