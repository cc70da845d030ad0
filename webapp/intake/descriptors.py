"""Descriptions written by people, cleaned: only words of this list pass, for a name is never among them.

This is the profile's Clean Descriptors option: what is not known to be harmless goes. A number is a size in mm, or a
thickness beside a kernel; any other may be a part of a date, of an age or of an id.
"""

import re

_WORDS = """
    abdomen abd abdominal adult angio arterial ascending apical axial ax base basal biphasic body bone brain
    bronchial ce cap cardiac chest child cm combo con contrast contraste cor coronal cta ctpa ct delayed dose
    dual ecg emphysema enhanced expiration expiratory exp fine follow gated head hires high hr hrct ild
    inspiration inspiratory insp iv kernel ldct le long low lung lungs mediastinal mediastinum medium mip mm
    mpr neck native nc no non noncon noncontrast nativ axiale and of the with portal phase phantom plain
    post pre prone protocol pulm pulmonary recon reformat resolution right left routine sag sagittal scan
    screening series sharp slice slices smooth soft spiral standard std supine survey thick thin thor thorax
    thoracic thoraxroutine thorroutine tissue trachea upper lower up uhr unenhanced venous volume vol w wo
    without wocontrast wcontrast wwo window image images ge siemens philips toshiba canon
"""
WORDS = frozenset(_WORDS.split())
# Reconstruction kernels: one or two letters and two digits, perhaps a letter (B60f, Br40, D40s, FC51).
_KERNEL = r"(?<![A-Za-z0-9])(?:[BDHIJQU][a-z]?\d{2}[a-z]?|FC\d{2}|YA|YB)(?![A-Za-z0-9])"
# What is written as one number, a date too, is one token.
_TOKEN = re.compile(rf"(?P<kernel>{_KERNEL})|(?P<number>\d(?:[\d.,/:-]*\d)?)|(?P<word>[A-Za-zÀ-ÿ]+)|(?P<sign>[xX*+/-])")
_KERNEL_WORDS = """
    lung lungs bone soft standard std sharp smooth kernel fine hr hrct hires thin thick
"""
KERNEL_WORDS = frozenset(_KERNEL_WORDS.split())
UNITS = frozenset({"mm", "cm"})
TIMES = frozenset("xX*")
SIGNS = "xX*+/-"
_SIZE = re.compile(r"\d{1,2}(?:[.,]\d{1,3})?")
# Of a number alone, "3.12" is a day in December.
_THICKNESS = re.compile(r"(?:\d|10)(?:[.,](?:\d|00|50|[27]5|[1368][27]5))?")


def clean_description(text: str) -> str:
    """`text` reduced to known words, kernels, sizes and thicknesses; other parts are dropped."""
    tokens = [(match.lastgroup or "", match.group()) for match in _TOKEN.finditer(text)]
    kept = [token for at, (kind, token) in enumerate(tokens) if _is_kept(tokens, at, kind, token)]
    while kept and kept[-1] in SIGNS:
        kept.pop()
    while kept and kept[0] in SIGNS:
        kept.pop(0)
    # Numbers alone describe nothing.
    return " ".join(kept)[:64] if any(part[0].isalpha() for part in kept) else ""


def _is_kept(tokens: list[tuple[str, str]], at: int, kind: str, token: str) -> bool:
    if kind == "word":
        return token.lower() in WORDS or (token in TIMES and _is_times(tokens, at))
    if kind == "number":
        return _is_size(tokens, at)
    return kind == "kernel" or token not in TIMES or _is_times(tokens, at)


def _is_size(tokens: list[tuple[str, str]], at: int) -> bool:
    number = tokens[at][1]
    before, after = _near(tokens, at - 1), _near(tokens, at + 1)
    if not _SIZE.fullmatch(number) or "number" in (_beside(tokens, at, -1), _beside(tokens, at, 1)):
        return False
    if after[1].lower() in UNITS or _is_times(tokens, at - 1) or _is_times(tokens, at + 1):
        return True
    is_by_kernel = any(kind == "kernel" or word.lower() in KERNEL_WORDS for kind, word in (before, after))
    return is_by_kernel and _THICKNESS.fullmatch(number) is not None


def _near(tokens: list[tuple[str, str]], at: int) -> tuple[str, str]:
    return tokens[at] if 0 <= at < len(tokens) else ("", "")


def _beside(tokens: list[tuple[str, str]], at: int, step: int) -> str:
    """The kind of the next token in a direction, signs other than "times" left aside: 12 + 03 are no sizes."""
    at += step
    while _near(tokens, at)[0] == "sign" and _near(tokens, at)[1] not in TIMES:
        at += step
    return _near(tokens, at)[0]


def _is_times(tokens: list[tuple[str, str]], at: int) -> bool:
    """Whether a token is the x of a size like 1.0 x 0.7."""
    sides = (_near(tokens, at - 1), _near(tokens, at + 1))
    return _near(tokens, at)[1] in TIMES and all(_SIZE.fullmatch(word) for _, word in sides)
