"""File names as they may be shown and stored: a hospital's file names often hold patients' names and numbers."""

import re

# Parts that cameras, scanners and archives give; anything else in a name may be somebody's.
_KNOWN = """
    im img image images slice slices dcm dicom ct cta ctimage chest thorax lung scan series ser se study st
    i im0 instance file frame nii gz zip nrrd txt png jpg pdf json csv volume vol empty broken cut copy corrupt text
    bad good notes readme j2kr
"""
KNOWN = frozenset(_KNOWN.split())
_PART = re.compile(r"[^\W\d_]+|\d+|[\W_]", re.UNICODE)
_LONGEST = 40


def shown_name(name: str) -> str:
    """The last part of a path with only known words and small counting numbers left; the rest becomes "…"."""
    last = name.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    shown = "".join(part if _is_harmless(part) else "…" for part in _PART.findall(last))
    shown = re.sub(r"…(?:[ ._()-]*…)+", "…", shown)
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST // 2] + "…" + shown[-_LONGEST // 2 :]


def _is_harmless(part: str) -> bool:
    if part.isdigit():
        return len(part.lstrip("0")) <= 4
    if part.isalpha():
        return part.lower() in KNOWN
    return part in ".-_ ,()"
