"""The geometry gate: slices become one regular axial grid, or are refused with a reason.

Slices are ordered by their positions projected on the slice normal, never by name or InstanceNumber. Nothing is
resampled. What differs from a regular grid by more than the tolerances below is refused, never straightened.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.imaging import axes
from inference.imaging.findings import Finding, SeriesRefused
from inference.imaging.headers import SliceHeader

SAME_PLACE_MM = 0.005
MAX_OBLIQUE_DEGREES = 2.0
MAX_DIRECTION_DIFFERENCE = 1e-3
MAX_SLICES = 4000
SPACING_TOLERANCE = 0.02
SPACING_TOLERANCE_MM = 0.06
NOTED_UNEVENNESS_MM = 0.01
NOTED_THICKNESS_MM = 3.0


@dataclass(frozen=True, eq=False)
class SeriesGeometry:
    """A regular grid: `order[z]` is the index of the slice at z; warnings go with the scan."""

    order: list[int]
    shape_zyx: tuple[int, int, int]
    affine_lps: NDArray[np.float64]
    warnings: list[Finding]


def series_geometry(headers: Sequence[SliceHeader]) -> SeriesGeometry:
    """The regular axial grid of one series; raises SeriesRefused when there is none."""
    if not headers:
        raise SeriesRefused("empty", "The series has no slices.")
    if len(headers) > MAX_SLICES:
        raise SeriesRefused("too_many_slices", f"The series has more than {MAX_SLICES} slices.")
    for header in headers:
        _check_axial(header)
    _check_alike(headers)
    normal = headers[0].normal
    along = np.array([header.position_mm @ normal for header in headers])
    order = [int(index) for index in np.argsort(along, kind="stable")]
    slices = [headers[index] for index in order]
    warnings: list[Finding] = []
    spacing_mm = _slice_spacing(slices, along[order], warnings)
    _check_straight(slices, normal)
    _note_thickness(slices, spacing_mm, warnings)
    first = slices[0]
    affine = axes.make_affine(first.position_mm, first.row, first.column, (spacing_mm, *first.spacing_yx_mm))
    return SeriesGeometry(order, (len(slices), first.rows, first.columns), affine, warnings)


def _check_alike(headers: Sequence[SliceHeader]) -> None:
    first = headers[0]
    for other in headers[1:]:
        pair = f"{first.name} and {other.name}"
        if other.patient_id != first.patient_id:
            raise SeriesRefused("two_patients", f"{pair} belong to different patients.")
        if other.series_uid != first.series_uid:
            raise SeriesRefused("two_series", f"{pair} belong to different series.")
        if (other.rows, other.columns) != (first.rows, first.columns):
            sizes = f"{first.rows} x {first.columns} and {other.rows} x {other.columns}"
            raise SeriesRefused("mixed_size", f"{pair} differ in size ({sizes} pixels).")
        directions = np.abs(np.concatenate((other.row - first.row, other.column - first.column)))
        if directions.max() > MAX_DIRECTION_DIFFERENCE:
            raise SeriesRefused("mixed_orientation", f"{pair} differ in orientation.")
        if not np.allclose(other.spacing_yx_mm, first.spacing_yx_mm, rtol=1e-4, atol=0):
            raise SeriesRefused("mixed_spacing", f"{pair} differ in pixel spacing.")


def _check_axial(header: SliceHeader) -> None:
    normal = np.abs(header.normal)
    axis = int(np.argmax(normal))
    if axis != 2:
        plane = ("sagittal", "coronal")[axis]
        raise SeriesRefused("not_axial", f"The series is {plane} ({header.name}); only axial series are read.")
    degrees = float(np.degrees(np.arccos(np.clip(normal[2], -1, 1))))
    if degrees > MAX_OBLIQUE_DEGREES:
        raise SeriesRefused(
            "tilted", f"The slices are tilted by {degrees:.1f} degrees ({header.name}); nothing is resampled here."
        )


def _slice_spacing(slices: Sequence[SliceHeader], along: NDArray[np.float64], warnings: list[Finding]) -> float:
    if len(slices) == 1:
        thickness = slices[0].thickness_mm
        if thickness is None:
            raise SeriesRefused("thickness", f"{slices[0].name} is a single slice without a SliceThickness.")
        warnings.append(Finding("single_slice", "A single slice: its declared thickness stands for spacing."))
        return thickness
    steps = np.diff(along)
    same = np.flatnonzero(steps < SAME_PLACE_MM)
    if same.size:
        pair = f"{slices[same[0]].name} and {slices[same[0] + 1].name}"
        raise SeriesRefused("duplicate", f"{pair} lie at the same position ({same.size} such pairs).")
    typical = float(np.median(steps))
    _check_gaps(slices, steps, typical)
    spacing = float(along[-1] - along[0]) / (len(slices) - 1)
    uneven = np.abs(along - along[0] - spacing * np.arange(len(slices)))
    worst = int(np.argmax(uneven))
    if uneven[worst] > max(SPACING_TOLERANCE * spacing, SPACING_TOLERANCE_MM):
        raise SeriesRefused(
            "irregular_spacing",
            f"The slices are not evenly spaced: {slices[worst].name} lies {uneven[worst]:.2f} mm from its place.",
        )
    if uneven[worst] > NOTED_UNEVENNESS_MM:
        text = f"Slice positions differ from an even spacing by up to {uneven[worst]:.3f} mm."
        warnings.append(Finding("uneven_spacing", text))
    return spacing


def _check_gaps(slices: Sequence[SliceHeader], steps: NDArray[np.float64], typical: float) -> None:
    multiples = np.rint(steps / typical)
    gaps = np.flatnonzero((multiples >= 2) & (np.abs(steps - multiples * typical) < 0.1 * typical))
    if gaps.size:
        at, missing = int(gaps[0]), int((multiples[gaps] - 1).sum())
        noun = "slice is" if missing == 1 else "slices are"
        raise SeriesRefused(
            "missing_slice",
            f"{missing} {noun} missing: {steps[at]:.2f} mm lie between {slices[at].name} and "
            f"{slices[at + 1].name}, where {typical:.2f} mm is usual.",
        )


def _check_straight(slices: Sequence[SliceHeader], normal: NDArray[np.float64]) -> None:
    """Slices must be stacked along their normal; a stack that leans is a gantry tilt."""
    first = slices[0]
    offsets = np.array([header.position_mm - first.position_mm for header in slices])
    sideways = np.linalg.norm(offsets - np.outer(offsets @ normal, normal), axis=1)
    if sideways.max() > 0.5 * min(first.spacing_yx_mm):
        length = float(offsets[int(np.argmax(sideways))] @ normal)
        degrees = float(np.degrees(np.arctan2(sideways.max(), abs(length))))
        raise SeriesRefused(
            "tilted",
            f"The slices are not stacked straight (gantry tilt of {degrees:.1f} degrees, up to "
            f"{sideways.max():.1f} mm sideways); nothing is resampled here.",
        )


def _note_thickness(slices: Sequence[SliceHeader], spacing_mm: float, warnings: list[Finding]) -> None:
    thickness = slices[0].thickness_mm
    if thickness is None:
        return
    if thickness > NOTED_THICKNESS_MM:
        warnings.append(Finding("thick_slices", f"Thick slices ({thickness:g} mm): partial volume biases weight."))
    if len(slices) > 1 and thickness > 1.05 * spacing_mm:
        text = f"Slices overlap: {thickness:g} mm thick, {spacing_mm:.2f} mm apart."
        warnings.append(Finding("overlapping_slices", text))
    if len(slices) > 1 and thickness < 0.95 * spacing_mm:
        text = f"Gaps between slices: {thickness:g} mm thick, {spacing_mm:.2f} mm apart."
        warnings.append(Finding("slice_gaps", text))
