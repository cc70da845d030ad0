"""A case's events as chapters: one a day, looks folded away between what changed something."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby

from django.utils import timezone

from webapp.pages.audit_lines import Line

# Whoever reads how a case came about seldom asks who opened it.
LOOKS = ("scan.viewed", "reading.viewed", "series.viewed", "campaign.pictures_viewed")


@dataclass
class Entry:
    """One event, with the looks that came before it."""

    line: Line
    looks: list[Line] = field(default_factory=list)


@dataclass(frozen=True)
class Chapter:
    """A day, and what happened on it."""

    day: date
    entries: list[Entry]
    looks: list[Line]


def chapters_of(lines: Iterable[Line]) -> list[Chapter]:
    """Lines, oldest first, as chapters."""
    return [_chapter(day, list(of_day)) for day, of_day in groupby(lines, lambda line: timezone.localdate(line.at))]


def _chapter(day: date, lines: list[Line]) -> Chapter:
    entries: list[Entry] = []
    looks: list[Line] = []
    for line in lines:
        if line.event.name in LOOKS:
            looks.append(line)
        else:
            entries.append(Entry(line, looks))
            looks = []
    return Chapter(day, entries, looks)
