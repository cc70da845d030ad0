"""What masks of other programs have in common: segments with names and codes, on a scan's grid."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from inference.imaging import gate, patches
from inference.imaging.elements import items, text
from inference.imaging.findings import Finding
from inference.imaging.patches import Patch

MOST_TOLD = 5


@dataclass(frozen=True)
class ForeignCode:
    """A coded concept: scheme, value, meaning."""

    scheme: str
    value: str
    meaning: str


@dataclass(frozen=True, eq=False)
class ForeignSegment:
    """One segment or region as its author described it; `colour` is "#rrggbb", `side` "left", "right" or None."""

    number: int
    label: str
    code: ForeignCode | None = None
    category: ForeignCode | None = None
    side: str | None = None
    colour: str | None = None
    description: str = ""
    algorithm: str = ""
    tracking_id: str = ""


@dataclass(frozen=True, eq=False)
class ForeignMask:
    """Segments of another program on a scan's grid; `mask` unfolds one. `warnings` and `notes` as of a scan."""

    shape_zyx: tuple[int, int, int]
    segments: list[ForeignSegment]
    patches: Mapping[int, list[Patch]]
    warnings: list[Finding] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)

    def mask(self, number: int) -> NDArray[np.bool_]:
        """The voxels (zyx) of one segment."""
        return patches.unfolded(self.patches.get(number, ()), self.shape_zyx)

    def overlaps(self) -> dict[tuple[int, int], int]:
        """How many voxels each pair of segments shares, for those that share any."""
        return patches.overlaps(self.patches)


def say_overlaps(found: Mapping[int, list[Patch]], segments: Sequence[ForeignSegment], findings: gate.Findings) -> None:
    """Tell which segments share voxels."""
    labels = {segment.number: f"{segment.number} ({segment.label})" for segment in segments}
    shared = sorted(patches.overlaps(found).items(), key=lambda pair: -pair[1])
    if shared:
        told = [f"{labels[one]} and {labels[other]} share {count} voxels" for (one, other), count in shared[:MOST_TOLD]]
        findings.say("segments_overlap", what="; ".join(told) + ("; ..." if len(shared) > MOST_TOLD else ""))


def code_of(dataset: Dataset, keyword: str) -> ForeignCode | None:
    """The first item of a code sequence."""
    for item in items(dataset, keyword)[:1]:
        value = text(item, "CodeValue") or text(item, "LongCodeValue") or text(item, "URNCodeValue")
        return ForeignCode(text(item, "CodingSchemeDesignator")[:16], value[:64], text(item, "CodeMeaning")[:64])
    return None


def side_of(dataset: Dataset) -> str | None:
    """Left or right, by the modifier of the type or of the anatomic region; None where neither says so."""
    for sequence, modifier in (
        ("SegmentedPropertyTypeCodeSequence", "SegmentedPropertyTypeModifierCodeSequence"),
        ("AnatomicRegionSequence", "AnatomicRegionModifierSequence"),
    ):
        for holder in (dataset, *items(dataset, sequence)[:1]):
            code = code_of(holder, modifier)
            if code and code.value in ("7771000", "G-A101"):
                return "left"
            if code and code.value in ("24028007", "G-A100"):
                return "right"
    return None


def lab_colour(dataset: Dataset) -> str | None:
    """RecommendedDisplayCIELabValue as "#rrggbb"."""
    from highdicom.color import CIELabColor  # only where it is used: it is large

    try:
        values = [int(value) for value in dataset.RecommendedDisplayCIELabValue]
        return hex_colour(CIELabColor.from_dicom_value(values).to_rgb())
    except Exception:  # absent, or written in some other way: a colour is never worth a refusal
        return None


def hex_colour(rgb: Any) -> str | None:
    """Three numbers from 0 to 255 as "#rrggbb"."""
    try:
        red, green, blue = (min(max(int(value), 0), 255) for value in rgb)
    except (TypeError, ValueError):
        return None
    return f"#{red:02x}{green:02x}{blue:02x}"
