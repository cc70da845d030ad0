"""What a page of a worklist's address asks for, and the cases that answer it; the database filters, sorts and counts.

To a blinded reader each chip, filter and order speaks of their own readings alone (records.md, blinding): what another
reader begins or ends moves nothing on their page but, where every place of a case is taken, the case out of "to read".
"""

import copy
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.core.cache import cache
from django.db.models import Count, F, OrderBy, Q, QuerySet
from django.http import QueryDict
from django.utils import timezone

from webapp.accounts.models import User
from webapp.algorithms.models import DraftRun
from webapp.campaigns.metadata import hides_metadata_from
from webapp.campaigns.models import Campaign, Case
from webapp.campaigns.protocols import AI_DRAFT, Stage
from webapp.campaigns.queries import current_protocol, hold, roles_of
from webapp.readings.around import URGENCY, drafts_pending, room_for, uncertainty_order
from webapp.readings.models import Reading
from webapp.readings.queries import sees_all_readings, sees_where_cases_stand

LONGEST_WORDS, LONGEST_NUMBER = 100, 6
UNKNOWN_SITE = "-"
DUE_SOON_DAYS, SITES_KEPT_S = 7, 60
ORDERS = {
    "number": "number",
    "pseudonym": "scan__study__patient__pseudonym",
    "site": "scan__site",
    "priority": "priority",
    "due": "due_on",
    "added": "added_at",
    "stage": "stage",
    "settled": "settled_at",
}
# Orders that tell where others are.
ORDERS_OF_STANDING = {"stage", "settled"}
USUAL_ORDER = "number"
DUE = {"overdue": "Overdue", "week": f"Due within {DUE_SOON_DAYS} days"}


@dataclass(frozen=True)
class Place:
    """A campaign as one person comes to it: their roles, and what of other readings they may know."""

    user: User
    campaign: Campaign

    def __post_init__(self) -> None:
        # A copy: whoever goes on to change something with the campaign they gave reads it as it is by then.
        object.__setattr__(self, "campaign", copy.copy(self.campaign))
        hold(self.campaign, self.user)

    @cached_property
    def roles(self) -> set[str]:
        """Their roles."""
        return roles_of(self.user, self.campaign)

    @cached_property
    def stages(self) -> list[Stage]:
        """The stages of the protocol that holds now."""
        return current_protocol(self.campaign).stage_list

    @cached_property
    def sees_all(self) -> bool:
        """Whether every reading is open to them."""
        return sees_all_readings(self.roles, self.campaign)

    @cached_property
    def sees_standing(self) -> bool:
        """Whether they may know where cases stand."""
        return self.sees_all or sees_where_cases_stand(self.roles, self.campaign)

    @cached_property
    def reads(self) -> bool:
        """Whether they read at some stage."""
        return any(stage.role in self.roles for stage in self.stages)

    @cached_property
    def hides_metadata(self) -> bool:
        """Whether they read without knowing where a scan comes from."""
        return hides_metadata_from(self.user, self.campaign)

    @cached_property
    def pending(self) -> Q:
        """Cases whose AI draft is waited for."""
        return drafts_pending(self.campaign)

    @cached_property
    def to_begin(self) -> Q:
        """Cases that wait for this person, their drafts ready."""
        return self.room & ~self.pending

    @cached_property
    def room(self) -> Q:
        """Cases where this person has a place."""
        return room_for(self.user, self.campaign).any

    def own(self, **wanted: Any) -> Q:
        """Cases in which this person has such a reading that counts."""
        mine = Reading.objects.filter(reader_id=self.user.pk).exclude(state__in=Reading.PAST_STATES)
        return Q(pk__in=mine.filter(**wanted).values("case"))

    def anybody(self, wanted: Q) -> Q:
        """Cases in which anybody has such a reading; only for whoever sees all."""
        return Q(pk__in=Reading.objects.filter(wanted).values("case"))


@dataclass(frozen=True)
class Chip:
    """A state to filter by: its code in addresses, its word, which cases it means, whether it stands without any."""

    code: str
    word: str
    cases: Q
    always: bool = False


OPEN = Q(state__in=Reading.OPEN_STATES)


def chips_of(place: Place) -> list[Chip]:
    """The states that a person filters their worklist by; none that they may not know of."""
    return [*_own_chips(place), *_chips_of_standing(place), Chip("excluded", "Excluded", Q(state=Case.EXCLUDED))]


def _own_chips(place: Place) -> list[Chip]:
    if not place.reads:
        return []
    begun = (Reading.IN_PROGRESS, Reading.RETURNED)
    return [
        Chip("ready", "To read" if not place.sees_all else "To read by me", place.to_begin, always=True),
        Chip("mine", "Open with me", place.own(state__in=begun), always=True),
        Chip("returned", "Returned to me", place.own(state=Reading.RETURNED)),
        Chip("submitted", "Handed on", place.own(state=Reading.SUBMITTED)),
        Chip("signed", "Signed by me", place.own(state=Reading.SIGNED), always=True),
        Chip("waiting", "Waiting for the AI draft", place.room & place.pending),
    ]


def _chips_of_standing(place: Place) -> list[Chip]:
    if not place.sees_standing:
        return []
    settling = [stage.name for stage in place.stages if stage.only_if_disputed]
    unsettled = ~Q(state__in=(Case.DONE, Case.EXCLUDED))
    disputed = Chip("disputed", "Disputed", Q(state=Case.DISPUTED) | (Q(stage__in=settling) & unsettled))
    done = Chip("done", "Done", Q(state=Case.DONE), always=True)
    if not place.sees_all:
        others = Q(state__in=(Case.TO_READ, Case.WITH_READERS, Case.COMPARING)) & ~place.room & ~place.own()
        return [Chip("others", "With others", others), disputed, done]
    to_read = Chip("to_read", "To read", Q(state=Case.TO_READ) & ~place.pending, always=True)
    reading = Chip("open", "With readers", place.anybody(OPEN), always=True)
    drafting = Chip("drafting", "Waiting for the AI draft", Q(state=Case.TO_READ) & place.pending)
    return [
        to_read,
        reading,
        Chip("back", "Returned", place.anybody(Q(state=Reading.RETURNED))),
        Chip("comparing", "Comparing", Q(state=Case.COMPARING)),
        disputed,
        done,
        drafting,
        Chip("failed", "AI draft failed or cancelled", _draft_failed(place)),
    ]


def _draft_failed(place: Place) -> Q:
    runs = DraftRun.objects.filter(algorithm=place.campaign.draft_algorithm_id, label_set=place.campaign.label_set_id)
    begins = [stage.name for stage in place.stages if stage.starts_from == AI_DRAFT]
    better = runs.exclude(state__in=DraftRun.IN_VAIN).values("scan")
    failed = Q(scan__in=runs.filter(state__in=DraftRun.IN_VAIN).values("scan")) & ~Q(scan__in=better)
    return failed & Q(state=Case.TO_READ, stage__in=begins)


@dataclass(frozen=True)
class Wish:
    """What an address asks of a worklist; what it says that means nothing is left out."""

    show: str = ""
    stage: str = ""
    site: str = ""
    words: str = ""
    due: str = ""
    urgent: bool = False
    reader: str = ""
    idle_days: int | None = None
    kind: str = ""
    order: str = USUAL_ORDER
    chips: dict[str, Chip] = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, asked: QueryDict, place: Place) -> "Wish":
        """Read a page's address, as far as this person may ask."""
        chips = {chip.code: chip for chip in chips_of(place)}
        show, order, idle = asked.get("show", ""), asked.get("order", ""), asked.get("idle", "")
        known = {stage.name for stage in place.stages}
        known_order = order.removeprefix("-") in set(ORDERS) - (set() if place.sees_standing else ORDERS_OF_STANDING)
        return cls(
            show=show if show in chips else "",
            stage=asked.get("stage", "") if asked.get("stage") in known else "",
            site="" if place.hides_metadata else _clean(asked.get("site", "")),
            words=_clean(asked.get("q", "")),
            due=asked.get("due", "") if asked.get("due") in DUE else "",
            urgent=asked.get("urgent") == "1",
            reader=_clean(asked.get("reader", "")) if place.sees_all else "",
            idle_days=int(idle) if place.sees_all and idle.isdigit() and len(idle) < 4 else None,
            kind=asked.get("kind", "") if place.sees_all and asked.get("kind") in Case.KINDS else "",
            order=order if known_order else USUAL_ORDER,
            chips=chips,
        )

    @property
    def narrows(self) -> bool:
        """Whether anything but the order was asked for."""
        return replace(self, order=USUAL_ORDER) != Wish()

    @property
    def narrows_beside_state(self) -> bool:
        """Whether anything but the state and the order was asked for."""
        return replace(self, order=USUAL_ORDER, show="") != Wish()

    def within(self, cases: QuerySet[Case], place: Place) -> QuerySet[Case]:
        """The cases that are asked for, in no order; the state apart."""
        if self.stage:
            cases = cases.filter(self._at_stage(place))
        if self.site:
            cases = cases.filter(scan__site="" if self.site == UNKNOWN_SITE else self.site)
        for word in self.words.split():
            # A few digits are a number: they stand somewhere in most pseudonyms.
            is_number = word.isascii() and word.isdigit() and len(word) <= LONGEST_NUMBER
            named = Q(number=int(word)) if is_number else Q(scan__study__patient__pseudonym__icontains=word)
            cases = cases.filter(named)
        if self.urgent:
            cases = cases.filter(priority__gt=0)
        if self.kind:
            cases = cases.filter(kind=self.kind)
        if self.due:
            cases = cases.filter(self._due(place))
        return self._of_others(cases, place)

    def shown(self, cases: QuerySet[Case]) -> QuerySet[Case]:
        """Those of them that are in the state asked for."""
        return cases.filter(self.chips[self.show].cases) if self.show else cases

    def _at_stage(self, place: Place) -> Q:
        if place.sees_standing:
            return Q(stage=self.stage)
        return place.own(stage=self.stage) | (place.room & Q(stage=self.stage))

    def _due(self, place: Place) -> Q:
        day = timezone.localdate() + timedelta(days=-1 if self.due == "overdue" else DUE_SOON_DAYS)
        return due_by(place, day)

    def _of_others(self, cases: QuerySet[Case], place: Place) -> QuerySet[Case]:
        if self.reader:
            cases = cases.filter(place.anybody(Q(reader__username=self.reader) & ~Q(state__in=Reading.PAST_STATES)))
        if self.idle_days is not None:
            cases = cases.filter(place.anybody(idle_since(self.idle_days)))
        return cases

    def ordered(self, cases: QuerySet[Case], place: Place) -> QuerySet[Case]:
        """The cases in the order asked for; those to read, where none is, in the order in which they come."""
        if self.show == "ready" and self.order == USUAL_ORDER:
            return cases.order_by(*URGENCY, *uncertainty_order(place.campaign), "number")
        name = ORDERS[self.order.removeprefix("-")]
        if name == "number":
            return cases.order_by(self.order)
        unknown_last = True if name in ("due_on", "settled_at") else None
        return cases.order_by(
            OrderBy(F(name), descending=self.order.startswith("-"), nulls_last=unknown_last), "number"
        )

    def address(self, **changes: Any) -> str:
        """The query part of the page's address for this wish with some of it changed; the first page of it."""
        parts: dict[str, Any] = {
            "show": self.show,
            "stage": self.stage,
            "site": self.site,
            "q": self.words,
            "due": self.due,
            "urgent": "1" if self.urgent else "",
            "reader": self.reader,
            "idle": "" if self.idle_days is None else self.idle_days,
            "kind": self.kind,
            "order": "" if self.order == USUAL_ORDER else self.order,
            **changes,
        }
        return "?" + urlencode({name: value for name, value in parts.items() if value not in ("", None)})


def due_by(place: Place, day: date) -> Q:
    """Cases due on or before a day and still to be done: by anybody for whoever sees all, else by this person."""
    open_ones = Reading.objects.filter(OPEN, due_on__lte=day)
    if place.sees_all:
        late = Q(due_on__lte=day) & ~Q(state__in=(Case.DONE, Case.EXCLUDED))
        return late | Q(pk__in=open_ones.values("case"))
    mine = place.own(state__in=Reading.OPEN_STATES)
    own_late = Q(pk__in=open_ones.filter(reader_id=place.user.pk).values("case"))
    return own_late | (Q(due_on__lte=day) & (mine | place.room))


def idle_since(days: int) -> Q:
    """Open readings that nobody has touched for so many days and more."""
    before = timezone.now() - timedelta(days=days)
    touched = Q(active_at__lt=before) | Q(active_at=None, started_at__lt=before)
    return OPEN & touched & (Q(not_before=None) | Q(not_before__lt=before))


def counts_of(place: Place, wish: Wish) -> tuple[int, dict[str, int]]:
    """How many cases the wish finds whatever their state, and how many of them by chip: one query."""
    found = wish.within(place.campaign.cases.all(), place)
    numbers = {code: Count("pk", filter=chip.cases) for code, chip in wish.chips.items()}
    counted = found.aggregate(all_of_them=Count("pk"), **numbers)
    return counted.pop("all_of_them"), counted


def sites_of(place: Place) -> list[tuple[str, int]]:
    """The sites of a campaign's scans with how many cases each has, as of the last minute; nothing without a choice."""
    if place.hides_metadata:
        return []
    return cache.get_or_set(f"sites:{place.campaign.pk}", lambda: _sites(place.campaign), SITES_KEPT_S) or []


def _sites(campaign: Campaign) -> list[tuple[str, int]]:
    rows = campaign.cases.order_by().values_list("scan__site").annotate(count=Count("pk")).order_by("scan__site")
    sites = [(site or UNKNOWN_SITE, count) for site, count in rows]
    return sites if len(sites) > 1 else []


def _clean(text: str) -> str:
    return " ".join(text.replace("\0", "").split())[:LONGEST_WORDS]
