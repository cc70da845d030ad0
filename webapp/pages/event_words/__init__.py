"""Every event of the audit trail in plain words: the sentence on pages, and what the reference says of it."""

from typing import Any

from webapp.pages.event_words.of_campaigns import CAMPAIGNS
from webapp.pages.event_words.of_coordination import COORDINATION
from webapp.pages.event_words.of_readings import READINGS
from webapp.pages.event_words.of_site import SITE
from webapp.pages.event_words.words import Words

__all__ = ["WORDS", "Words", "sentence_of"]

WORDS = dict(sorted({**CAMPAIGNS, **COORDINATION, **READINGS, **SITE}.items()))


class _Said(dict[str, Any]):
    """Details for a sentence: what is not there is said as such, lists by their length."""

    def __missing__(self, key: str) -> str:
        return "…"


def sentence_of(name: str, details: dict[str, Any], it: str) -> str:
    """What happened, in words that follow the actor's name; an event that no table knows is called by its name."""
    words = WORDS.get(name)
    if words is None:
        return f"{name.replace('.', ': ').replace('_', ' ')} {it}".strip()
    said = {key: str(len(value)) if isinstance(value, list | dict) else str(value) for key, value in details.items()}
    return words.sentence.format_map(_Said({**said, "it": it or "it"}))
