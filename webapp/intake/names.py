"""File names as they may be shown and stored: a hospital's file names often hold patients' names and numbers."""

import re

# Parts that cameras, scanners and archives give; anything else in a name may be somebody's.
_KNOWN = """
    im img image images slice slices dcm dicom ct cta ctimage chest thorax lung scan series ser se study st
    i im0 instance file frame nii gz zip nrrd txt png jpg pdf json csv volume vol empty broken cut copy corrupt text
    bad good notes readme j2kr
    mha mhd nhdr hdr raw zraw jpeg tif tiff
    lungs lesion lesions infection infections mask masks left right findings finding classes wholelung whole label
    labels labelmap seg segmentation gt annotation
"""
KNOWN = frozenset(_KNOWN.split())
_PART = re.compile(r"[^\W\d_]+|\d+|[\W_]", re.UNICODE)
_LONGEST = 40


# What parts of a chest are called: a segment's name is shown as far as it is made of such words.
_PARTS = """
    covid ground glass ggo opacity opacities consolidation consolidations infiltrate infiltrates pneumonia infected
    effusion effusions pleural lobe lobes upper lower middle both of the and heart aorta trachea airway airways bronchi
    vessel vessels bone bones rib ribs spine body skin fat nodule nodules tumor tumour emphysema fibrosis reticulation
    honeycombing region area roi segment background
"""
PARTS = KNOWN | frozenset(_PARTS.split())


def shown_words(text: str) -> str:
    """A segment's name with only known words and small numbers left; the rest becomes "…"."""
    return _shown(text, PARTS, digits=2)


def shown_name(name: str) -> str:
    """The last part of a path with only known words and small counting numbers left; the rest becomes "…"."""
    return _shown(name.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1], KNOWN, digits=4)


def _shown(text: str, known: frozenset[str], *, digits: int) -> str:
    shown = "".join(part if _is_harmless(part, known, digits) else "…" for part in _PART.findall(text[:1000]))
    shown = re.sub(r"…(?:[ ._()-]*…)+", "…", shown)
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST // 2] + "…" + shown[-_LONGEST // 2 :]


def _is_harmless(part: str, known: frozenset[str], digits: int) -> bool:
    if part.isdigit():
        return len(part.lstrip("0")) <= digits
    if part.isalpha():
        return part.lower() in known
    return part in ".-_ ,()"
