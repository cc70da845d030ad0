"""What the words of one event are."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Words:
    """The words of one event: its sentence, when it is written, and what each of its details means.

    The sentence stands behind the actor's name; it may use `{it}` (what the event is about) and the event's details.
    """

    sentence: str
    meaning: str
    details: dict[str, str] = field(default_factory=dict)
