"""What the checks of a series say: findings that go with the scan, and refusals, in sentences for people.

Every code and sentence of this package stands in one table, `inference.imaging.gate`.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """Something about a series that its readers should know: a stable code and a sentence."""

    code: str
    sentence: str


class SeriesRefused(Exception):
    """A series that may not be read, and why; `details` has a finding for each file at fault."""

    def __init__(self, code: str, sentence: str, details: Sequence[Finding] = ()) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.details = tuple(details)

    def __reduce__(self) -> tuple[type["SeriesRefused"], tuple[str, str, tuple[Finding, ...]]]:
        # An exception is pickled by its message alone, and this one could not be made again from it.
        return type(self), (self.code, self.sentence, self.details)
