"""Searching the audit trail: what an address asks for, and the events that it finds, newest first, a page at a time.

No count and no offset: a page of two million events takes as long as one of fifty. Nothing in the address reaches the
database but as a value, and what means nothing is left out.
"""

import json
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib.postgres.search import SearchQuery
from django.db.models import QuerySet
from django.http import QueryDict

from webapp.audit.models import WORDS as EVENT_WORDS
from webapp.audit.models import Event
from webapp.pages.event_words import WORDS

LINES_A_PAGE = 50
LONGEST = 120
# Events written at the same moment by several connections may stand in another order than their ids.
IDS_OUT_OF_ORDER = 1000


@dataclass(frozen=True)
class AuditSearch:
    """What is looked for: on the page of one `chain` (`in_chain`), or of all, of which one may be chosen."""

    in_chain: bool
    words: str = ""
    who: str = ""
    event: str = ""
    case: int | None = None
    chain: str = ""
    first_day: date | None = None
    last_day: date | None = None
    before: int | None = None
    after: int | None = None
    trouble: str = field(default="", compare=False)

    @classmethod
    def of(cls, asked: QueryDict, chain: str | None = None) -> "AuditSearch":
        """Read the address of the page of a chain, or of all."""
        first, first_trouble = _day(asked.get("from", ""))
        last, last_trouble = _day(asked.get("to", ""))
        case, case_trouble = _number(asked.get("case", ""), "case is a number")
        event = asked.get("event", "")
        return cls(
            in_chain=chain is not None,
            words=_clean(asked.get("q", "")),
            who=_clean(asked.get("who", "")),
            event=event if event in WORDS else "",
            case=case,
            chain=_clean(asked.get("chain", "")) if chain is None else chain,
            first_day=first,
            last_day=last,
            before=_number(asked.get("before", ""), "")[0],
            after=_number(asked.get("after", ""), "")[0],
            trouble=first_trouble or last_trouble or case_trouble,
        )

    @property
    def asked(self) -> dict[str, str]:
        """What narrows the search, as an address says it."""
        named = {
            "q": self.words,
            "who": self.who,
            "event": self.event,
            "case": self.case,
            "chain": "" if self.in_chain else self.chain,
            "from": self.first_day,
            "to": self.last_day,
        }
        return {name: str(value) for name, value in named.items() if value not in ("", None)}

    @property
    def place(self) -> str:
        """The column that pages go by: places of the chain that is read or was chosen, or else ids."""
        return "seq" if self.chain else "id"

    def address(self, **more: Any) -> str:
        """The address of the same search, with more."""
        query = urlencode({**self.asked, **{name: value for name, value in more.items() if value not in ("", None)}})
        return f"?{query}" if query else "?"

    def within(self, events: QuerySet[Event], subjects: list[str] | None) -> QuerySet[Event]:
        """The events that are looked for, in no order; `subjects` are those of the case that was asked for."""
        if self.who:
            events = events.filter(actor_id=self.who)
        if self.event:
            events = events.filter(name=self.event)
        if self.chain:
            events = events.filter(chain=self.chain)
        if subjects is not None:
            events = events.filter(subject__in=subjects)
        if self.words:
            query = SearchQuery(_as_in_bodies(self.words), config="simple", search_type="websearch")
            events = events.alias(said=EVENT_WORDS).filter(said=query)
        return self._in_days(events)

    def _in_days(self, events: QuerySet[Event]) -> QuerySet[Event]:
        """Within the days: by their times, and by the places that those have, so that nothing else is looked at."""
        slack = 0 if self.chain else IDS_OUT_OF_ORDER
        around = Event.objects.filter(chain=self.chain) if self.chain else Event.objects.all()
        if self.first_day:
            start = self.first_day.isoformat()
            first = around.filter(at__gte=start).order_by("at")
            place = first.values_list(self.place, flat=True).first()
            events = events.filter(at__gte=start)
            events = events.filter(**{f"{self.place}__gte": place - slack}) if place is not None else events.none()
        if self.last_day:
            end = (self.last_day + timedelta(days=1)).isoformat()
            last = around.filter(at__lt=end).order_by("-at")
            place = last.values_list(self.place, flat=True).first()
            events = events.filter(at__lt=end)
            events = events.filter(**{f"{self.place}__lte": place + slack}) if place is not None else events.none()
        return events


@dataclass(frozen=True)
class Found:
    """A page of events, newest first, with the addresses of the pages beside it."""

    events: list[Event]
    older: str
    newer: str


def page_of(search: AuditSearch, events: QuerySet[Event]) -> Found:
    """The page that a search asks for: the newest events, those before a place, or those after one."""
    place = search.place
    if search.after is not None:
        rows = list(events.filter(**{f"{place}__gt": search.after}).order_by(place)[: LINES_A_PAGE + 1])
        more_newer, more_older = len(rows) > LINES_A_PAGE, True
        rows = rows[:LINES_A_PAGE][::-1]
    else:
        if search.before is not None:
            events = events.filter(**{f"{place}__lt": search.before})
        rows = list(events.order_by(f"-{place}")[: LINES_A_PAGE + 1])
        more_newer, more_older = search.before is not None, len(rows) > LINES_A_PAGE
        rows = rows[:LINES_A_PAGE]
    older = search.address(before=getattr(rows[-1], place)) if rows and more_older else ""
    newer = search.address(after=getattr(rows[0], place)) if rows and more_newer else ""
    return Found(rows, older, newer)


def _clean(text: str) -> str:
    return " ".join(text.replace("\0", "").split())[:LONGEST]


def _as_in_bodies(words: str) -> str:
    """Words as the bodies of events spell them: ASCII, anything else as JSON escapes."""
    return json.dumps(words)[1:-1].replace('\\"', '"')


def _day(text: str) -> tuple[date | None, str]:
    if not text:
        return None, ""
    try:
        return date.fromisoformat(text), ""
    except ValueError:
        return None, f"{text[:20]} is no day: write it as year-month-day."


def _number(text: str, must: str) -> tuple[int | None, str]:
    if text.isascii() and text.isdigit() and len(text) <= 15:
        return int(text), ""
    return None, f"{text[:20]} was left out: a {must}." if text and must else ""
