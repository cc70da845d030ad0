"""The geometry gate: slices become one regular axial grid, or are refused with a reason.

Slices are ordered by their positions projected on the slice normal, never by name or InstanceNumber. Nothing is
resampled. What differs from a regular grid by more than the tolerances is refused, never straightened.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from inference.imaging import axes, gate
from inference.imaging.findings import Finding
from inference.imaging.gate import STANDARD, GateTolerances
from inference.imaging.headers import SliceHeader
from inference.imaging.stacking import check_stack

# Whether two slices, by their indices, hold the same voxels.
SamePixels = Callable[[int, int], bool]


@dataclass(frozen=True, eq=False)
class SeriesGeometry:
    """A regular grid: `order[z]` is the index, among the headers given, of the slice at z; findings go with the scan.

    Headers of images that are there twice are in `order` once.
    """

    order: list[int]
    shape_zyx: tuple[int, int, int]
    affine_lps: NDArray[np.float64]
    findings: gate.Findings = field(default_factory=gate.Findings)

    @property
    def warnings(self) -> list[Finding]:
        """What the scan's readers are told."""
        return self.findings.warnings


def series_geometry(
    headers: Sequence[SliceHeader],
    *,
    tolerances: GateTolerances = STANDARD,
    same_pixels: SamePixels | None = None,
) -> SeriesGeometry:
    """The regular axial grid of one series; raises SeriesRefused when there is none.

    `same_pixels` decides whether two slices at one position are the same image, sent twice; without it they are not.
    """
    if not headers:
        raise gate.refuse("empty")
    if len(headers) > tolerances.most_slices:
        raise gate.refuse("too_many_slices", most=tolerances.most_slices)
    for header in headers:
        _check_axial(header, tolerances)
    _check_alike(headers, tolerances)
    findings = gate.Findings()
    if len({header.frame_of_reference_uid for header in headers}) > 1:
        findings.say("mixed_frame_of_reference")
    normal = headers[0].normal
    along = np.array([header.position_mm @ normal for header in headers])
    order = [int(index) for index in np.argsort(along, kind="stable")]
    order = _without_repeats(order, headers, along, tolerances, same_pixels, findings)
    slices = [headers[index] for index in order]
    spacing_mm = check_stack(slices, along[order], tolerances, findings)
    _check_declared_tilt(slices, tolerances)
    first = slices[0]
    affine = axes.make_affine(first.position_mm, first.row, first.column, (spacing_mm, *first.spacing_yx_mm))
    return SeriesGeometry(order, (len(slices), first.rows, first.columns), affine, findings)


def _check_alike(headers: Sequence[SliceHeader], tolerances: GateTolerances) -> None:
    first = headers[0]
    for other in headers[1:]:
        pair = f"{first.name} and {other.name}"
        if other.patient_id != first.patient_id:
            raise gate.refuse("two_patients", pair=pair)
        if other.series_uid != first.series_uid:
            raise gate.refuse("two_series", pair=pair)
        if (other.rows, other.columns) != (first.rows, first.columns):
            sizes = f"{first.columns} x {first.rows} and {other.columns} x {other.rows}"
            raise gate.refuse("mixed_size", pair=pair, sizes=sizes)
        directions = np.abs(np.concatenate((other.row - first.row, other.column - first.column)))
        if directions.max() > tolerances.direction:
            raise gate.refuse("mixed_orientation", pair=pair)
        spacings = other.spacing_yx_mm, first.spacing_yx_mm
        if not np.allclose(*spacings, rtol=tolerances.pixel_spacing_fraction, atol=0):
            raise gate.refuse("mixed_spacing", pair=pair)
        if other.rescale.is_hu != first.rescale.is_hu:
            types = " and ".join("HU" if h.rescale.is_hu else h.rescale.shown_type for h in (first, other))
            raise gate.refuse("mixed_rescale", pair=pair, types=types)


def _check_axial(header: SliceHeader, tolerances: GateTolerances) -> None:
    normal = np.abs(header.normal)
    axis = int(np.argmax(normal))
    if axis != 2:
        raise gate.refuse("not_axial", plane=("sagittal", "coronal")[axis], name=header.name)
    degrees = float(np.degrees(np.arccos(np.clip(normal[2], -1, 1))))
    if degrees > tolerances.oblique_degrees:
        raise gate.refuse("oblique", degrees=degrees, name=header.name)


def _without_repeats(
    order: list[int],
    headers: Sequence[SliceHeader],
    along: NDArray[np.float64],
    tolerances: GateTolerances,
    same_pixels: SamePixels | None,
    findings: gate.Findings,
) -> list[int]:
    """`order` with images that are there twice once; raises SeriesRefused for different images in one place."""
    kept = order[:1]
    repeated = 0
    clashes: list[tuple[int, int]] = []
    for index in order[1:]:
        if along[index] - along[kept[-1]] >= tolerances.same_place_mm:
            kept.append(index)
        elif not clashes and same_pixels is not None and same_pixels(kept[-1], index):
            repeated += 1
        else:
            clashes.append((kept[-1], index))
    if clashes:
        pair = " and ".join(headers[index].name for index in clashes[0])
        raise gate.refuse("two_in_one_place", pair=pair, count=len(clashes))
    if repeated:
        findings.say("repeated_image", count=repeated)
    return kept


def _check_declared_tilt(slices: Sequence[SliceHeader], tolerances: GateTolerances) -> None:
    """A stack that lies straight may not declare a tilt; one that leans was refused before."""
    for header in slices:
        if abs(header.declared_tilt_degrees) > tolerances.declared_tilt_degrees:
            raise gate.refuse("gantry_tilt_declared", name=header.name, degrees=abs(header.declared_tilt_degrees))
