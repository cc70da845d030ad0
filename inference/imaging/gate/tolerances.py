"""How far a series may stray from a regular grid before the gate speaks."""

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class GateTolerances:
    """The gate's limits; whoever calls a reader may pass others. Raises ValueError for one that is no positive number.

    Lengths are in mm, angles in degrees, fractions of the slice spacing or of the pixel spacing.
    """

    same_place_mm: float = 0.005
    """Slices nearer than this along the normal lie at one position."""
    direction: float = 1e-3
    """Largest difference between the direction cosines of two slices of one series."""
    oblique_degrees: float = 2.0
    """Largest angle between the slice normal and the patient's long axis."""
    declared_tilt_degrees: float = 0.5
    """Largest GantryDetectorTilt that a straight stack may declare."""
    sideways_pixels: float = 0.5
    """Largest distance of a slice from the straight line of the stack, in pixels."""
    pixel_spacing_fraction: float = 1e-4
    """Largest relative difference between the pixel spacings of two slices."""
    spacing_fraction: float = 0.02
    """A slice may lie this fraction of the slice spacing from its place in an even stack, or ..."""
    spacing_mm: float = 0.06
    """... this many mm, whichever is more."""
    noted_unevenness_mm: float = 0.01
    """From this distance on, unevenness is told to readers."""
    overlap_fraction: float = 0.05
    """Thickness and spacing may differ by this fraction before overlap or gaps are told."""
    thick_mm: float = 3.0
    """Slices thicker than this are told to readers."""
    grid_fraction: float = 0.1
    """A mask lies on a scan's grid when its voxels lie within this fraction of a voxel of the scan's."""
    contour_fraction: float = 0.25
    """A contour is moved to a slice that lies within this fraction of the slice spacing, and said."""
    most_slices: int = 4000
    """More slices than this are refused."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not 0 < value < float("inf"):
                raise ValueError(f"The tolerance {field.name} must be a positive number.")


STANDARD = GateTolerances()
