"""Why something may not be done, in the sentence that the button, the API and the exception all show."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Refusal:
    """A rule's no. `code` is for programs, `sentence` for people."""

    code: str
    sentence: str

    def __str__(self) -> str:
        return self.sentence


class ActionRefused(Exception):
    """An action did nothing, because a rule said no. `about` names what it said no to, for programs.

    `action` is the outermost action that was refused, with the `arguments` that it was given; empty where a rule was
    asked outside of actions.
    """

    def __init__(self, refusal: Refusal, **about: str | list[str]) -> None:
        super().__init__(refusal.sentence)
        self.code = refusal.code
        self.sentence = refusal.sentence
        self.about = about
        self.action = ""
        self.arguments: Mapping[str, Any] = {}


def require(refusal: Refusal | None) -> None:
    """Raise ActionRefused when a rule answered with a refusal."""
    if refusal is not None:
        raise ActionRefused(refusal)
