"""The page docs/reference/geometry-gate.md, written from the table."""

import ast
import inspect
import re
from dataclasses import fields

from inference.imaging import gate
from inference.imaging.gate.table import Row, Verdict
from inference.imaging.gate.tolerances import STANDARD, GateTolerances

HEAD = """# The geometry gate

What is checked before anybody annotates, and what follows. This page is written from the table in
`inference/imaging/gate` by `python -m inference.imaging.gate`; a test compares the two, and no reader can speak of a
finding that is not in the table.

Three things can follow from a finding:

- **accepted**: told to whoever sent the scan; nothing changes for its readers.
- **accepted with a warning**: told to the scan's readers, on its page and in its report. A warning marked *weight*
  makes weight wrong and is shown wherever weight is shown.
- **refused**: the series (or file, or mask) is not taken, with the sentence below. Nothing is resampled, straightened
  or guessed.

Slices are ordered by their positions projected on the slice normal, never by file name, InstanceNumber or
SliceLocation. The frames of enhanced multi-frame CT pass the same gate as single files do. Every slice is rescaled by
its own slope and intercept; voxels are whole Hounsfield units in 16 bits. Refusals that concern identity rather than
geometry (burned-in text, saved screens) are in [de-identification.md](de-identification.md).
"""


def page() -> str:
    """The whole page as Markdown."""
    parts = [HEAD]
    for title, rows in gate.GROUPS.items():
        parts.append(f"\n## {title}\n\n| Finding | Verdict | What is said | Why | What to do |\n")
        parts.append("|---|---|---|---|---|\n")
        parts.extend(_line(row) for row in rows)
    parts.append("\n## Tolerances\n\nStandard values; callers of the readers may pass others (`GateTolerances`).\n\n")
    parts.append("| Tolerance | Standard | Meaning |\n|---|---|---|\n")
    for name, meaning in _meanings().items():
        parts.append(f"| `{name}` | {getattr(STANDARD, name):g} | {meaning} |\n")
    return "".join(parts)


def _line(row: Row) -> str:
    verdict = row.verdict.value + (" (*weight*)" if row.biases_weight else "")
    said = re.sub(r"\{(\w+)[^}]*\}", lambda name: f"*{name[1].replace('_', ' ')}*", row.sentence)
    if row.verdict is Verdict.REFUSED:
        verdict = f"**{verdict}**"
    return f"| `{row.code}` | {verdict} | {said} | {row.why} | {row.remedy} |\n"


def _meanings() -> dict[str, str]:
    """What each tolerance means: the string that follows its field."""
    body = ast.parse(inspect.getsource(GateTolerances)).body[0]
    assert isinstance(body, ast.ClassDef)
    meanings, last = {}, ""
    for statement in body.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            last = statement.target.id
        elif last and isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            meanings[last] = str(statement.value.value)
    return {field.name: meanings[field.name] for field in fields(GateTolerances)}
