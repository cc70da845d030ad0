"""The home page: how far a person is in each campaign, and what waits for them. Nothing in it is of blinded others."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from webapp.accounts.models import User
from webapp.campaigns.models import Campaign, Case
from webapp.campaigns.queries import listed_campaigns_for
from webapp.notices.queries import notices_of
from webapp.pages.worklist_search import Place
from webapp.readings.models import Reading, Return

MOST_LINES = 8


@dataclass(frozen=True)
class CampaignCard:
    """A campaign on the home page, with how far it is: of the whole for whoever sees all, else of their own share."""

    place: Place
    case_count: int
    done: int
    open_count: int
    to_read: int
    to_adjudicate: int

    @property
    def campaign(self) -> Campaign:
        """The campaign."""
        return self.place.campaign

    @property
    def roles(self) -> list[str]:
        """The person's roles, by name."""
        return sorted(self.place.roles)

    @property
    def sees_all(self) -> bool:
        """Whether the numbers are of everybody."""
        return self.place.sees_all

    @property
    def whole(self) -> int:
        """What the ring counts up to: every case, or what a person has done, has open and may still read."""
        return self.case_count if self.sees_all else self.done + self.open_count + self.to_read

    @property
    def percent(self) -> float:
        """What is done in per cent of the whole."""
        return 100 * self.done / self.whole if self.whole else 0


def cards_for(user: User) -> list[CampaignCard]:
    """The campaigns of a person that are not archived, with how far each is."""
    return [_card(Place(user, campaign)) for campaign in listed_campaigns_for(user)]


def _card(place: Place) -> CampaignCard:
    settling = [stage.name for stage in place.stages if stage.only_if_disputed]
    numbers = {
        "all": Count("pk"),
        "finished": Count("pk", filter=Q(state=Case.DONE)),
        "ended": Count("pk", filter=place.own(state__in=Reading.ENDED_STATES)),
        "mine": Count("pk", filter=place.own(state__in=(Reading.IN_PROGRESS, Reading.RETURNED))),
    }
    if place.reads:
        numbers["ready"] = Count("pk", filter=place.to_begin)
        numbers["settling"] = Count("pk", filter=place.to_begin & Q(stage__in=settling))
    counted = place.campaign.cases.exclude(state=Case.EXCLUDED).aggregate(**numbers)
    return CampaignCard(
        place=place,
        case_count=counted["all"],
        done=counted["finished"] if place.sees_all else counted["ended"],
        open_count=counted["mine"],
        to_read=counted.get("ready", 0),
        to_adjudicate=counted.get("settling", 0),
    )


@dataclass(frozen=True)
class Waiting:
    """One thing that waits for a person: a word of its kind with an icon and a tone, what it is, where it leads."""

    word: str
    icon: str
    tone: str
    what: str
    detail: str
    url: str
    where: str


def waiting_for(user: User, cards: list[CampaignCard]) -> list[Waiting]:
    """What waits for a person: returned with the reason, late, to read again, to adjudicate, what names them."""
    found = [*_of_readings(user), *_of_campaigns(cards), *_mentions(user)]
    return found[:MOST_LINES]


def _of_readings(user: User) -> list[Waiting]:
    today = timezone.localdate()
    readings = Reading.objects.filter(
        reader_id=user.pk, state__in=Reading.OPEN_STATES, case__scan__deleted_at=None, case__campaign__closed_at=None
    ).exclude(not_before__gt=timezone.now())
    late = Q(day__lt=today)
    again = Q(repeat__gt=0, state=Reading.ASSIGNED)
    readings = readings.annotate(day=Coalesce("due_on", F("case__due_on")))
    wanted = readings.filter(Q(state=Reading.RETURNED) | late | again).select_related("case__campaign")
    lines = list(wanted.order_by("day", "started_at")[:MOST_LINES])
    reasons = _reasons(lines)
    return [_line_of(reading, reasons.get(reading.pk, "")) for reading in lines]


def _line_of(reading: Reading, reason: str) -> Waiting:
    case = reading.case
    where = f"/readings/{reading.pk}/" if reading.mask_id else f"/campaigns/{case.campaign.slug}/cases/{case.number}/"
    day = reading.day  # type: ignore[attr-defined]
    if reading.state == Reading.RETURNED:
        word, icon, tone, detail = "returned", "again", "wait", reason
    elif day and day < timezone.localdate():
        word, icon, tone, detail = "overdue", "alert", "bad", f"due {day:%Y-%m-%d}"
    else:
        word, icon, tone, detail = "to read again", "again", "accent", ""
    return Waiting(word, icon, tone, f"Case {case.number}, {reading.stage}", detail, where, str(case.campaign))


def _reasons(readings: Sequence[Reading]) -> dict[object, str]:
    """Why readings came back, by reading; the last reason of each."""
    returns = Return.objects.filter(submission__reading__in=readings).order_by("returned_at")
    return dict(returns.values_list("submission__reading", "reason"))


def _of_campaigns(cards: list[CampaignCard]) -> list[Waiting]:
    return [
        Waiting(
            "to adjudicate",
            "scales",
            "accent",
            f"{card.to_adjudicate} case{'s' if card.to_adjudicate > 1 else ''}",
            "",
            f"/campaigns/{card.campaign.slug}/?show=ready",
            str(card.campaign),
        )
        for card in cards
        if card.to_adjudicate
    ]


def _mentions(user: User) -> list[Waiting]:
    new = notices_of(user).filter(kind="mentioned", seen_at=None)[:MOST_LINES]
    return [
        Waiting("mentioned", "user", "accent", one.sentence, one.detail, f"/notices/{one.pk}/", one.campaign_slug)
        for one in new
    ]
