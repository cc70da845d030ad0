"""The profile's table for the reference, written from the rules in use.

`python -m webapp.intake.profile_table` writes it into docs/reference/de-identification.md, between its two marks.
"""

import sys
from dataclasses import replace
from pathlib import Path

from pydicom.datadict import dictionary_has_tag, dictionary_VR, keyword_for_tag
from pydicom.tag import BaseTag, Tag

from webapp.campaigns.deidentification import REMOVE, DeidentificationOptions
from webapp.intake.profile import (
    CHARACTER_SETS,
    CHARACTERISTICS,
    DESCRIPTORS,
    DEVICE,
    IDENTIFIED,
    MACHINE_TEXT,
    OTHER_PIXELS,
    PIXELS,
    TABLE,
    Profile,
)

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "de-identification.md"
BEGIN, END = "<!-- written by webapp.intake.profile_table: begin -->", "<!-- end -->"
DEFAULT = DeidentificationOptions()
OTHERS = {
    "dates removed": replace(DEFAULT, dates=REMOVE),
    "characteristics removed": replace(DEFAULT, characteristics=False),
    "device kept": replace(DEFAULT, device=True),
    "descriptions removed": replace(DEFAULT, descriptors=REMOVE),
}
# Beside the standard's table: attributes that the rules name.
NAMED = (
    CHARACTERISTICS
    | DEVICE
    | DESCRIPTORS
    | MACHINE_TEXT
    | CHARACTER_SETS
    | PIXELS
    | OTHER_PIXELS
    | frozenset(IDENTIFIED)
)


def row(tag: BaseTag) -> str:
    """One attribute: tag, keyword, the standard's letters, what is done, and what other options change of that."""
    known = dictionary_has_tag(tag)
    vr = dictionary_VR(tag).split(" or ")[0] if known else "UN"
    deed = Profile(DEFAULT).deed(tag, vr)
    changes = [(words, Profile(options).deed(tag, vr)) for words, options in OTHERS.items()]
    changed = "; ".join(f"{words}: {other.value}" for words, other in changes if other is not deed)
    keyword = keyword_for_tag(tag) if known else "(retired)"
    letters = TABLE.get((tag.group, tag.element), "")
    return f"| ({tag.group:04X},{tag.element:04X}) | {keyword} | {letters} | {deed.value} | {changed} |"


def table() -> str:
    """All rows, by tag."""
    tags = sorted({Tag(tag) for tag in TABLE} | NAMED)
    head = "| Tag | Attribute | PS3.15 | Here | With other options |\n|---|---|---|---|---|\n"
    return head + "\n".join(row(tag) for tag in tags) + "\n"


def written(page: str) -> str:
    """The page with its table anew."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
    sys.stdout.write(f"{PAGE} is written.\n")
