"""The machinery of the gate's table: rows, and the two ways to speak by a row."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from inference.imaging.findings import Finding, SeriesRefused


class Verdict(StrEnum):
    """What follows from a finding."""

    ACCEPTED = "accepted"
    WARNING = "accepted with a warning"
    REFUSED = "refused"


@dataclass(frozen=True)
class Row:
    """One finding: its code, what follows, the sentence (with {names} to fill), why, and what to do about it.

    `biases_weight`: the warning is shown wherever weight is shown, since it makes weight wrong.
    """

    code: str
    verdict: Verdict
    sentence: str
    why: str
    remedy: str = ""
    biases_weight: bool = False


def accepted(code: str, sentence: str, why: str) -> Row:
    """A row for something odd that changes nothing: told to whoever sent the scan, not to its readers."""
    return Row(code, Verdict.ACCEPTED, sentence, why)


def warned(code: str, sentence: str, why: str, remedy: str = "", *, biases_weight: bool = False) -> Row:
    """A row for a scan that is taken with a warning shown to its readers."""
    return Row(code, Verdict.WARNING, sentence, why, remedy, biases_weight)


def refused(code: str, sentence: str, why: str, remedy: str) -> Row:
    """A row for what is not taken."""
    return Row(code, Verdict.REFUSED, sentence, why, remedy)


def by_code(*groups: Sequence[Row]) -> dict[str, Row]:
    """The table of rows by code. Raises ValueError when two rows share one."""
    table: dict[str, Row] = {}
    for row in (row for group in groups for row in group):
        if row.code in table:
            raise ValueError(f"Two rows of the gate are called {row.code}.")
        table[row.code] = row
    return table


class Findings:
    """What a series is accepted with: warnings for its readers, notes for whoever sent it. Each code is said once."""

    def __init__(self, table: dict[str, Row]) -> None:
        self._table = table
        self.warnings: list[Finding] = []
        self.notes: list[Finding] = []

    def say(self, code: str, **words: object) -> None:
        """Add the finding of a row; raises ValueError for a row that refuses, KeyError where there is none."""
        row = self._table[code]
        if row.verdict is Verdict.REFUSED:
            raise ValueError(f"The gate refuses {code}; it is not a finding to accept with.")
        into = self.warnings if row.verdict is Verdict.WARNING else self.notes
        if all(finding.code != code for finding in into):
            into.append(Finding(code, row.sentence.format(**words)))

    def add(self, other: "Findings") -> None:
        """Take over another's findings."""
        for mine, theirs in ((self.warnings, other.warnings), (self.notes, other.notes)):
            mine.extend(finding for finding in theirs if all(known.code != finding.code for known in mine))


def refusal(table: dict[str, Row], code: str, words: dict[str, object]) -> SeriesRefused:
    """The refusal of a row; raises ValueError for a row that accepts, KeyError where there is none."""
    row = table[code]
    if row.verdict is not Verdict.REFUSED:
        raise ValueError(f"The gate accepts {code}; it is no reason to refuse.")
    return SeriesRefused(code, row.sentence.format(**words))
