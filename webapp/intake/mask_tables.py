"""The tables of imported masks for the reference, written from the rules in use.

`python -m webapp.intake.mask_tables` writes them into docs/reference/imported-masks.md, between its marks.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

from webapp.intake.grouping import RULES
from webapp.intake.layers import (
    BOTH_WORDS,
    EFFUSION_WORDS,
    FILLERS,
    LEFT,
    LESION_CODES,
    LESION_WORDS,
    LUNG_CODES,
    LUNG_WORDS,
    RIGHT,
    SIDE_WORDS,
)

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "imported-masks.md"
MARK, END = "<!-- written by webapp.intake.mask_tables: {} -->", "<!-- end -->"
SIDES = {LEFT: "left lung", RIGHT: "right lung"}


def names_table() -> str:
    """Words of names, and what they mean."""
    rows = [f"| {', '.join(f'`{word}`' for word in rule.words)} | {rule.means} |" for rule in RULES]
    return "\n".join(["| A name that ends in, or a folder called | Is |", "|---|---|", *rows])


def codes_table() -> str:
    """Coded concepts, and where they go."""
    rows = ["| every code of the campaign's label set | findings layer, that label |"]
    for (scheme, value), side in LUNG_CODES.items():
        sides = SIDES.get(side, "both lungs; a modifier of the code, or the segment's name, tells the side")
        rows.append(f"| {scheme} {value} | lung layer, {sides} |")
    for (scheme, value), meaning in LESION_CODES.items():
        rows.append(f"| {scheme} {value} ({meaning}) | findings layer, the lesion label |")
    return "\n".join(["| Code | Goes to |", "|---|---|", *rows])


def words_table() -> str:
    """Words of labels, and where they go."""
    left, right = ([word for word, side in SIDE_WORDS.items() if side is wanted] for wanted in (LEFT, RIGHT))
    rows = [
        ("the name of a label of the campaign's label set", "findings layer, that label"),
        (f"{_listed(LUNG_WORDS)} and {_listed(left)}", "lung layer, left lung"),
        (f"{_listed(LUNG_WORDS)} and {_listed(right)}", "lung layer, right lung"),
        (f"{_listed(LUNG_WORDS)}, perhaps with {_listed(BOTH_WORDS)}", "lung layer, both lungs"),
        (_listed(LESION_WORDS), "findings layer, the lesion label, where the label set has one and not several"),
        (_listed(EFFUSION_WORDS), "findings layer, the label set's pleural effusion, where it has one"),
    ]
    told = f"Words that say nothing by themselves: {_listed(FILLERS)}."
    table = ["| Made of these words alone | Goes to |", "|---|---|", *(f"| {words} | {goes} |" for words, goes in rows)]
    return "\n".join([*table, "", told])


TABLES = {"names": names_table, "codes": codes_table, "words": words_table}


def written(page: str) -> str:
    """The page with its tables anew."""
    for name, table in TABLES.items():
        begin = MARK.format(name)
        before, _, rest = page.partition(begin)
        _, _, after = rest.partition(END)
        page = f"{before}{begin}\n\n{table()}\n\n{END}{after}"
    return page


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in sorted(words))


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
    sys.stdout.write(f"{PAGE} is written.\n")
