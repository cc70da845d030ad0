"""The gate: every finding that a reader of this package can speak of, its verdict, sentence, reason and remedy.

`refuse` and `Findings.say` are the only ways to speak, so that no code exists outside the table. The page
docs/reference/geometry-gate.md is written from it by `python -m inference.imaging.gate`.
"""

from collections.abc import Sequence

from inference.imaging.findings import Finding, SeriesRefused
from inference.imaging.gate import files, masks, pixels, series, slices, volumes
from inference.imaging.gate.table import Findings as _Findings
from inference.imaging.gate.table import Row, Verdict, by_code, refusal
from inference.imaging.gate.tolerances import STANDARD, GateTolerances

__all__ = [
    "GROUPS",
    "STANDARD",
    "TABLE",
    "Findings",
    "GateTolerances",
    "Row",
    "Verdict",
    "bias_weight",
    "refuse",
    "refuse_all",
]

GROUPS: dict[str, Sequence[Row]] = {
    "Files": files.ROWS,
    "What an image is": slices.ROWS,
    "How the slices lie": series.ROWS,
    "Pixels and Hounsfield units": pixels.ROWS,
    "Volume files and pictures": volumes.ROWS,
    "Masks from elsewhere": masks.ROWS,
}
TABLE: dict[str, Row] = by_code(*GROUPS.values())


class Findings(_Findings):
    """Findings by the gate's table."""

    def __init__(self) -> None:
        super().__init__(TABLE)


def refuse(code: str, /, **words: object) -> SeriesRefused:
    """The refusal of a row, to be raised, its sentence filled with `words`."""
    return refusal(TABLE, code, words)


def refuse_all(faults: Sequence[SeriesRefused], count: int, *, stopped: bool = False) -> SeriesRefused:
    """One refusal for `faults` among `count` files, with a finding for each; `stopped`: there may be more of them."""
    details = [Finding(fault.code, fault.sentence) for fault in faults]
    first = faults[0]
    most = "At least " if stopped else ""
    more = f"{most}{len(faults)} of {count} files cannot be used. First: {first.sentence}"
    return SeriesRefused(first.code, first.sentence if len(faults) == 1 else more, details)


def bias_weight(code: str) -> bool:
    """Whether a scan with this finding has a weight that is biased by it, so that it is told beside the weight."""
    return code in TABLE and TABLE[code].biases_weight
