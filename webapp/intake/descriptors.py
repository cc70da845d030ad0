"""Descriptions written by people, cleaned: only words of this list pass, for a name is never among them.

This is the profile's Clean Descriptors option: what is not known to be harmless goes.
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
_TOKEN = re.compile(r"[A-Za-zÀ-ÿ]+|\d+(?:[.,]\d+)?(?:mm)?|[xX*+/-]")
_SIZE = re.compile(r"\d{1,2}(?:[.,]\d{1,3})?(?:mm)?$")
# Reconstruction kernels: one or two letters and two digits, perhaps a letter (B60f, Br40, D40s, FC51).
_KERNEL = re.compile(r"(?<![A-Za-z0-9])(?:[BDHIJQU][a-z]?\d{2}[a-z]?|FC\d{2}|YA|YB)(?![A-Za-z0-9])")


def clean_description(text: str) -> str:
    """`text` reduced to known words, kernels and sizes of one or two digits; other parts are dropped."""
    kept: list[str] = []
    position = 0
    for match in _KERNEL.finditer(text):
        kept += _known(text[position : match.start()])
        kept.append(match.group())
        position = match.end()
    kept += _known(text[position:])
    while kept and kept[-1] in "xX*+/-":
        kept.pop()
    while kept and kept[0] in "xX*+/-":
        kept.pop(0)
    # Numbers alone describe nothing.
    return " ".join(kept)[:64] if any(part[0].isalpha() for part in kept) else ""


def _known(text: str) -> list[str]:
    return [
        token for token in _TOKEN.findall(text) if token.lower() in WORDS or _SIZE.match(token) or token in "xX*+/-"
    ]
