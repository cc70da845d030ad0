"""Who is told of what happens to readings, in the action's transaction; nobody of readings they may not know of."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone

from webapp.accounts.models import User
from webapp.campaigns.models import Campaign, Case
from webapp.campaigns.queries import protocol_of
from webapp.notices.notify import notify, notify_once
from webapp.readings.models import Reading, Thread

DUE_SOON_DAYS = 2


def address_of(case: Case) -> str:
    """The page of a case."""
    return f"/campaigns/{case.campaign.slug}/cases/{case.number}/"


def _tell(person: User, kind: str, case: Case, sentence: str, detail: str = "") -> None:
    notify(
        [person],
        kind,
        sentence=sentence,
        detail=detail,
        url=address_of(case),
        campaign_slug=case.campaign.slug,
    )


def tell_assigned(reading: Reading, by: Any) -> None:
    """Tell a reader that a case was given to them."""
    if getattr(by, "pk", None) != reading.reader_id:
        due = f", due on {reading.due_on}" if reading.due_on else ""
        sentence = f"Case {reading.case.number} was given to you to read ({reading.stage}{due})."
        _tell(reading.reader, "assigned", reading.case, sentence)


def tell_many_assigned(campaign: Campaign, given: Mapping[str, Sequence[int]], by: Any) -> None:
    """Tell readers, by their ids, that cases were given to them: one notice each, however many cases."""
    people = {str(person.pk): person for person in User.objects.filter(pk__in=list(given))}
    for identifier, numbers in given.items():
        if str(getattr(by, "pk", "")) == identifier:
            continue
        count = len(numbers)
        cases = f"Case {numbers[0]} was" if count == 1 else f"{count:,} cases were"
        notify(
            [people[identifier]],
            "assigned",
            sentence=f"{cases} given to you to read.",
            url=f"/campaigns/{campaign.slug}/",
            campaign_slug=campaign.slug,
        )


def tell_released(reading: Reading, by: Any, reason: str) -> None:
    """Tell a reader that a reading was taken from them."""
    if getattr(by, "pk", None) != reading.reader_id:
        sentence = f"Case {reading.case.number} is no longer with you ({reading.stage})."
        _tell(reading.reader, "released", reading.case, sentence, reason)


def tell_returned(reading: Reading, reason: str) -> None:
    """Tell a reader that what they handed on came back."""
    sentence = f"Case {reading.case.number} was returned to you ({reading.stage})."
    _tell(reading.reader, "returned", reading.case, sentence, reason)


def tell_adjudicators(case: Case) -> None:
    """Tell those who may settle a disputed case that it waits; nobody who had a hand in it."""
    protocol = protocol_of(case)
    stage = protocol.stage(case.stage)
    if not stage.only_if_disputed or case.state != Case.TO_READ:
        return
    people = User.objects.filter(memberships__campaign=case.campaign, memberships__role=stage.role)
    people = people.exclude(pk__in=case.readings.values("reader"))
    notify(
        people,
        "adjudication",
        sentence=f"Case {case.number} waits to be adjudicated.",
        url=address_of(case),
        campaign_slug=case.campaign.slug,
    )


def tell_mentioned(reading: Reading, people: list[User], thread: Thread, text: str) -> None:
    """Tell people, who may all see the reading, that a comment names them; its words stay on the page."""
    if people:
        case = reading.case
        where = {"url": f"/readings/{reading.pk}/#comment-{thread.pk}", "campaign_slug": case.campaign.slug}
        notify(people, "mentioned", sentence=f"A comment on case {case.number} names you.", detail=text, **where)


def tell_of_days(today: datetime.date) -> int:
    """Tell readers what is due within DUE_SOON_DAYS days, and which case they may read again from now on; once each."""
    now = timezone.now()
    kept = Reading.objects.filter(case__scan__deleted_at=None, case__campaign__closed_at=None)
    kept = kept.select_related("case__campaign", "reader").exclude(not_before__gt=now).order_by("pk")
    due = kept.filter(state__in=Reading.OPEN_STATES).alias(day=Coalesce("due_on", F("case__due_on")))
    due = due.filter(day__lte=today + datetime.timedelta(days=DUE_SOON_DAYS))
    again = kept.filter(state=Reading.ASSIGNED, repeat__gt=0, not_before__lte=now)
    told = [_once(one, "due_soon", f"Case {one.case.number} is due soon or overdue ({one.stage}).") for one in due]
    told += [_once(one, "repeat_due", f"Case {one.case.number} waits to be read again by you.") for one in again]
    return sum(told)


def _once(reading: Reading, kind: str, sentence: str) -> int:
    case = reading.case
    where = {"url": address_of(case), "campaign_slug": case.campaign.slug}
    return len(notify_once([reading.reader], kind, sentence=sentence, **where))
