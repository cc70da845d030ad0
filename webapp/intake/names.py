"""File names as they may be shown and stored: a hospital's file names often hold patients' names and numbers.

Known words pass, and one number that counts: it follows a known word or begins with zeros, and no other number stands
beside it, since that would be a date or an id in parts. Names that a program gives by counting pass as a whole.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

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
# What is counted by more than a few hundred.
_COUNTED = """
    i im img image images slice slices file frame instance scan series ser se
"""
COUNTED = frozenset(_COUNTED.split())
_YEAR = re.compile(r"(?:19|20)\d\d")
# OsiriX and Horos count series, images and frames: IM-0001-0012.dcm. Zeros in front, so that no part is a year.
_COUNTED_BY_PROGRAM = re.compile(r"IM-00\d\d-0\d{3}(?:-00\d\d)?(?:\.dcm)?", re.ASCII | re.IGNORECASE)
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
    """A segment's name with only known words and one small number left; the rest becomes "…"."""
    return _shown(text, PARTS, lambda parts, at: _follows_a_word(parts, at, digits=2))


def shown_name(name: str) -> str:
    """The last part of a path with only known words and one counting number left; the rest becomes "…"."""
    last = name.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    return last if _COUNTED_BY_PROGRAM.fullmatch(last) else _shown(last, KNOWN, _counts)


@dataclass(frozen=True)
class _Part:
    """A word, a number or a separator of a name."""

    text: str
    known: bool

    @property
    def is_number(self) -> bool:
        return self.text.isdigit()

    @property
    def is_word(self) -> bool:
        return self.text.isalpha()

    @property
    def is_known_word(self) -> bool:
        return self.is_word and self.known


def _shown(text: str, known: frozenset[str], may_be_kept: Callable[[list[_Part], int], bool]) -> str:
    parts = [_Part(part, part.lower() in known or part in ".-_ ,()") for part in _PART.findall(text[:1000])]
    counting = [at for at, part in enumerate(parts) if part.is_number and may_be_kept(parts, at)][-1:]
    kept = ((part.known and not part.is_number) or at in counting for at, part in enumerate(parts))
    shown = "".join(part.text if keep else "…" for part, keep in zip(parts, kept, strict=True))
    shown = re.sub(r"…(?:[ ._()-]*…)+", "…", shown)
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST // 2] + "…" + shown[-_LONGEST // 2 :]


def _counts(parts: list[_Part], at: int) -> bool:
    """Whether a number in a file's name counts images or the like, rather than years of life."""
    number = parts[at].text
    if _follows_a_word(parts, at, digits=3) or _follows_a_word(parts, at, digits=4, words=COUNTED):
        return number.startswith("0") or not _YEAR.fullmatch(number)
    if sum(part.is_number for part in parts) > 1:
        return False
    all_known = all(part.known for part in parts if part.is_word)
    if number.startswith("0"):
        return len(number.lstrip("0")) <= (4 if all_known else 3) and len(number) >= 3
    return all_known and len(number) <= 3


def _follows_a_word(parts: list[_Part], at: int, *, digits: int, words: frozenset[str] | None = None) -> bool:
    """Whether a number of few digits stands behind a known word, and before one or the end."""
    before = next((part for part in reversed(parts[:at]) if part.is_word or part.is_number), None)
    after = next((part for part in parts[at + 1 :] if part.is_word or part.is_number), None)
    return (
        len(parts[at].text.lstrip("0")) <= digits
        and before is not None
        and before.is_known_word
        and (words is None or before.text.lower() in words)
        and (after is None or after.is_known_word)
    )
