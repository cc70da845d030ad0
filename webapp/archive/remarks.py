"""What to know of a scan before its numbers are read, in words: what the checks warned of, and why it matters.

Density, and with it weight, is biased by contrast medium, by the reconstruction kernel, by the thickness of slices and
by a missing rescale: these stand wherever a weight is shown.
"""

import re
from dataclasses import dataclass
from typing import Any

from webapp.archive.models import Scan

SHARP_KERNEL, UNKNOWN_ACQUISITION, CONTRAST = "sharp_kernel", "unknown_acquisition", "contrast"
# Siemens B/D/H/I/J/Q/U/Br/Bl... with 50 or more, Canon FC 30-35, 50-59 and 80-86, Philips L, YA, YB, D; GE by name.
_NUMBERED = re.compile(r"^[BDHIJQTU][a-z]?(\d{2})\w*$", re.IGNORECASE)
_CANON = re.compile(r"^FC(\d{2})$", re.IGNORECASE)
_NAMED = {"LUNG", "BONE", "BONEPLUS", "EDGE", "ULTRA", "CHST", "DETAIL", "YA", "YB", "YC", "YD", "L", "D", "E"}


@dataclass(frozen=True)
class Remark:
    """One thing to know: `short` for a list, `sentence` for a page, `why` it matters; empty where that is plain."""

    code: str
    short: str
    sentence: str
    why: str
    biases_weight: bool


@dataclass(frozen=True)
class _Kind:
    short: str
    why: str
    biases_weight: bool = True


# By the gate's codes; what stands here alone is what no check says but the columns do.
KINDS = {
    CONTRAST: _Kind(
        "contrast", "Vessels and perfused tissue are denser by it: compare with scans without it with care."
    ),
    SHARP_KERNEL: _Kind("sharp kernel", "Sharp kernels overshoot at edges and raise noise, which shifts densities."),
    UNKNOWN_ACQUISITION: _Kind(
        "acquisition unknown", "Each of them biases density: compare with other scans with care."
    ),
    "thick_slices": _Kind("thick slices", "Voxels at edges mix tissue with air."),
    "mixed_thickness": _Kind("mixed thickness", "Noise and partial volume change from slice to slice."),
    "slice_gaps": _Kind(
        "gaps", "What lies between slices was not imaged; volumes take each slice for what is around it."
    ),
    "single_slice": _Kind("single slice", "Volume and weight are those of one slab, not of the lung."),
    "reformat": _Kind("reformat", "Averaging over slices smooths small lesions and edges."),
    "multi_energy": _Kind("multi-energy", "Computed HU depend on energy and material model."),
    "no_hu": _Kind(
        "no HU", "Weight is density, and density needs Hounsfield units: only volumes and extent are given."
    ),
    "no_air": _Kind("no air", "Every chest holds air: values without it were shifted, clipped or scaled."),
    "no_spacing": _Kind("no spacing", "Extent is by area; there are no mL and no grams."),
    "padding_as_tissue": _Kind("padding", "Where a mask covers padding it counts as tissue."),
    "lossy": _Kind("lossy", "Fine texture is gone and edges ring."),
    "overlapping_slices": _Kind(
        "overlap", "Each slice shows some of its neighbours' tissue; volumes follow the spacing.", False
    ),
    "uneven_spacing": _Kind("uneven spacing", "Places and volumes are off by no more than that.", False),
    "mixed_frame_of_reference": _Kind("frames of reference", "The positions were compared all the same.", False),
    "clipped": _Kind("clipped", "No tissue is that dense: metal, or a wrong rescale.", False),
    "rounded": _Kind("rounded", "Each value may be off by up to half a unit.", False),
    "monochrome1": _Kind("MONOCHROME1", "It speaks of the display alone: check that air is dark.", False),
    "no_modality": _Kind("no modality", "Other elements may be missing as well.", False),
    "no_patient": _Kind("no patient id", "An earlier or later scan of the same person cannot be found by it.", False),
}


def remarks_of(scan: Scan) -> list[Remark]:
    """Every remark on a scan: its warnings as filed, then what its columns say and no warning said already."""
    found = [_remark(warning["code"], warning["sentence"]) for warning in scan.warnings]
    codes = " ".join(remark.code for remark in found)
    if scan.contrast and CONTRAST not in codes:
        found.append(_remark(CONTRAST, "Contrast medium was given."))
    if "kernel" not in codes and is_sharp(scan.kernel):
        found.append(_remark(SHARP_KERNEL, f"Reconstructed with a sharp kernel ({scan.kernel})."))
    if scan.source == "nifti" and not scan.kernel and scan.slice_thickness_mm is None:
        sentence = "Kernel, thickness of slices and contrast medium are not known: the file does not carry them."
        found.append(_remark(UNKNOWN_ACQUISITION, sentence))
    return sorted(found, key=lambda remark: not remark.biases_weight)


def weight_remarks_of(scan: Scan) -> list[Remark]:
    """The remarks that must stand where a weight of the scan is shown."""
    return [remark for remark in remarks_of(scan) if remark.biases_weight]


def short_of(code: str) -> str:
    """The word for a code in lists and filters."""
    return KINDS[code].short if code in KINDS else code.replace("_", " ")


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


def is_sharp(kernel: str) -> bool:
    """Whether a kernel's name says that it sharpens: makers number or name them each in their own way."""
    name = kernel.split("\\")[0].strip()
    if match := _CANON.match(name):
        return 30 <= int(match[1]) <= 35 or 50 <= int(match[1]) <= 59 or 80 <= int(match[1]) <= 86
    if match := _NUMBERED.match(name):
        return int(match[1]) >= 50
    return name.upper() in _NAMED


def _remark(code: str, sentence: str) -> Remark:
    # A warning that this table does not know yet is shown all the same, and counted as one that bears on weight.
    kind = KINDS.get(code) or _Kind(code.replace("_", " "), "", True)
    return Remark(code, kind.short, sentence, kind.why, kind.biases_weight)
