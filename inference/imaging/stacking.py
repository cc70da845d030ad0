"""How slices lie above each other: gaps, unevenness, leaning, thickness."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from inference.imaging import gate
from inference.imaging.gate import GateTolerances
from inference.imaging.headers import SliceHeader

# A step is a multiple of the usual one when it is within this fraction of a step from it.
MULTIPLE = 0.1
MOST_PLACES = 5


def check_stack(
    slices: Sequence[SliceHeader],
    along_mm: NDArray[np.float64],
    tolerances: GateTolerances,
    findings: gate.Findings,
) -> float:
    """The spacing (mm) of slices in order, at `along_mm` on their normal; raises SeriesRefused where there is none."""
    _check_thickness(slices, tolerances, findings)
    if len(slices) == 1:
        thickness = slices[0].thickness_mm
        if thickness is None:
            raise gate.refuse("no_thickness", name=slices[0].name)
        findings.say("single_slice")
        return thickness
    sideways_mm = _sideways(slices, along_mm, tolerances)
    _check_gaps(slices, along_mm)
    spacing_mm = float(along_mm[-1] - along_mm[0]) / (len(slices) - 1)
    uneven = np.abs(along_mm - along_mm[0] - spacing_mm * np.arange(len(slices)))
    worst = int(np.argmax(uneven))
    if uneven[worst] > max(tolerances.spacing_fraction * spacing_mm, tolerances.spacing_mm):
        raise gate.refuse("irregular_spacing", name=slices[worst].name, distance=float(uneven[worst]))
    distance = float(np.hypot(uneven, sideways_mm).max())
    if distance > tolerances.noted_unevenness_mm:
        findings.say("uneven_spacing", distance=distance)
    _compare_thickness(slices[0].thickness_mm, spacing_mm, tolerances, findings)
    return spacing_mm


def _check_gaps(slices: Sequence[SliceHeader], along_mm: NDArray[np.float64]) -> None:
    steps = np.diff(along_mm)
    typical = float(np.median(steps))
    multiples = np.rint(steps / typical)
    gaps = np.flatnonzero((multiples >= 2) & (np.abs(steps - multiples * typical) < MULTIPLE * typical))
    if not gaps.size:
        return
    at, missing = int(gaps[0]), int((multiples[gaps] - 1).sum())
    counts = np.minimum(multiples[gaps] - 1, MOST_PLACES).astype(int)
    places = [along_mm[gap] + typical * n for gap, count in zip(gaps, counts, strict=True) for n in range(1, count + 1)]
    listed = ", ".join(f"{place:.1f}" for place in places[:MOST_PLACES])
    raise gate.refuse(
        "missing_slice",
        missing="1 slice is" if missing == 1 else f"{missing} slices are",
        step=float(steps[at]),
        pair=f"{slices[at].name} and {slices[at + 1].name}",
        typical=typical,
        places=listed + (", ..." if missing > MOST_PLACES else ""),
    )


def _sideways(
    slices: Sequence[SliceHeader], along_mm: NDArray[np.float64], tolerances: GateTolerances
) -> NDArray[np.float64]:
    """How far each slice lies from the line along the normal through the first; a stack that leans is refused."""
    first = slices[0]
    offsets = np.array([header.position_mm - first.position_mm for header in slices])
    sideways: NDArray[np.float64] = np.linalg.norm(offsets - np.outer(offsets @ first.normal, first.normal), axis=1)
    worst = int(np.argmax(sideways))
    if sideways[worst] > tolerances.sideways_pixels * min(first.spacing_yx_mm):
        degrees = float(np.degrees(np.arctan2(sideways[worst], abs(along_mm[worst] - along_mm[0]))))
        raise gate.refuse("gantry_tilt", degrees=degrees, sideways=float(sideways[worst]))
    return sideways


def _check_thickness(slices: Sequence[SliceHeader], tolerances: GateTolerances, findings: gate.Findings) -> None:
    thicknesses = sorted({header.thickness_mm for header in slices if header.thickness_mm is not None})
    if not thicknesses:
        return
    if thicknesses[-1] > tolerances.thick_mm:
        findings.say("thick_slices", thickness_mm=thicknesses[-1])
    if thicknesses[-1] - thicknesses[0] > tolerances.overlap_fraction * thicknesses[-1]:
        findings.say("mixed_thickness", thicknesses=f"{thicknesses[0]:g} to {thicknesses[-1]:g}")


def _compare_thickness(
    thickness_mm: float | None, spacing_mm: float, tolerances: GateTolerances, findings: gate.Findings
) -> None:
    if thickness_mm is None:
        return
    words = {"thickness_mm": thickness_mm, "spacing_mm": spacing_mm}
    if thickness_mm > (1 + tolerances.overlap_fraction) * spacing_mm:
        findings.say("overlapping_slices", **words)
    if thickness_mm < (1 - tolerances.overlap_fraction) * spacing_mm:
        findings.say("slice_gaps", **words)
