"""What to know of a scan before its numbers are read, in words: what the checks warned of, and why it matters.

Density, and with it weight, is biased by contrast medium, by the reconstruction kernel, by the thickness of slices and
by a missing rescale: these stand wherever a weight is shown.
"""

from dataclasses import dataclass
from typing import Any

from inference.imaging.acquisition import is_sharp
from inference.imaging.gate import TABLE
from webapp.archive.models import Scan

SHARP_KERNEL, UNKNOWN_ACQUISITION, CONTRAST = "sharp_kernel", "unknown_acquisition", "contrast"


@dataclass(frozen=True)
class Remark:
    """One thing to know: `short` for a list, `sentence` for a page, `why` it matters; empty where that is plain."""

    code: str
    short: str
    sentence: str
    why: str
    biases_weight: bool


# A word or two for each of the gate's warnings; why it matters, and whether weight is biased, stands in the gate.
SHORT = {
    CONTRAST: "contrast",
    SHARP_KERNEL: "sharp kernel",
    UNKNOWN_ACQUISITION: "acquisition unknown",
    "thick_slices": "thick slices",
    "mixed_thickness": "mixed thickness",
    "slice_gaps": "gaps",
    "single_slice": "single slice",
    "overlapping_slices": "overlap",
    "uneven_spacing": "uneven spacing",
    "mixed_frame_of_reference": "frames of reference",
    "reformat": "reformat",
    "multi_energy": "multi-energy",
    "no_hu": "no HU",
    "no_air": "no air",
    "no_spacing": "no spacing",
    "padding_as_tissue": "padding",
    "clipped": "clipped",
    "rounded": "rounded",
    "lossy": "lossy",
    "monochrome1": "MONOCHROME1",
    "no_modality": "no modality",
    "no_patient": "no patient id",
}
# What is said of a scan beside the gate's findings: why it matters, and whether it biases weight.
BESIDE_THE_GATE = {
    UNKNOWN_ACQUISITION: ("Each of them biases density: compare with other scans with care.", True),
    "no_patient": ("An earlier or later scan of the same person cannot be found by it.", False),
}


def remarks_of(scan: Scan) -> list[Remark]:
    """Every remark on a scan: its warnings as filed, then what its columns say and no warning said already."""
    found = [_remark(warning["code"], warning["sentence"]) for warning in scan.warnings]
    codes = " ".join(remark.code for remark in found)
    if scan.contrast and CONTRAST not in codes:
        found.append(_remark(CONTRAST, "Contrast medium was given."))
    if "kernel" not in codes and is_sharp(scan.kernel):
        found.append(_remark(SHARP_KERNEL, f"Reconstructed with a sharp kernel ({scan.kernel})."))
    if scan.source != "dicom" and not scan.kernel and scan.slice_thickness_mm is None:
        sentence = "Kernel, thickness of slices and contrast medium are not known: the file does not carry them."
        found.append(_remark(UNKNOWN_ACQUISITION, sentence))
    return sorted(found, key=lambda remark: not remark.biases_weight)


def weight_remarks_of(scan: Scan) -> list[Remark]:
    """The remarks that must stand where a weight of the scan is shown."""
    return [remark for remark in remarks_of(scan) if remark.biases_weight]


def short_of(code: str) -> str:
    """The word for a code in lists and filters."""
    return SHORT.get(code) or code.replace("_", " ")


def remarks_data(scan: Scan) -> list[dict[str, Any]]:
    """The remarks on a scan as the viewer takes them."""
    return [
        {
            "code": remark.code,
            "short": remark.short,
            "sentence": remark.sentence,
            "why": remark.why,
            "biases_weight": remark.biases_weight,
        }
        for remark in remarks_of(scan)
    ]


def _remark(code: str, sentence: str) -> Remark:
    row = TABLE.get(code)
    if row is not None:
        return Remark(code, short_of(code), sentence, row.why, row.biases_weight)
    # A warning that nothing is known of is shown all the same, and counted as one that bears on weight.
    why, biases_weight = BESIDE_THE_GATE.get(code, ("", True))
    return Remark(code, short_of(code), sentence, why, biases_weight)
