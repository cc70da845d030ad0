"""The list that a coordinator assigns from: cases of a campaign with who holds them, filtered."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from webapp.accounts.models import User
from webapp.campaigns.models import Campaign, Case, Membership
from webapp.readings.models import Reading

FILTERS = ("state", "stage", "site", "reader", "due", "kind", "numbers")
LONGEST_VALUE, MOST_RANGES = 200, 50


@dataclass(frozen=True)
class CaseFilter:
    """What a list of cases is narrowed to; what means nothing narrows nothing."""

    state: str = ""
    stage: str = ""
    site: str | None = None
    reader: str = ""
    due: str = ""
    kind: str = ""
    numbers: str = ""

    @classmethod
    def of(cls, asked: Mapping[str, str]) -> "CaseFilter":
        """Read an address or a form."""
        said = {name: str(asked[name]).replace("\0", "")[:LONGEST_VALUE].strip() for name in FILTERS if name in asked}
        if said.get("site", "") == "":
            said.pop("site", None)
        return cls(**said)  # type: ignore[arg-type]

    def within(self, cases: QuerySet[Case]) -> QuerySet[Case]:
        """The cases that it lets through."""
        plain = {"state": self.state, "stage": self.stage, "kind": self.kind}
        cases = cases.filter(**{name: value for name, value in plain.items() if value})
        if self.site is not None:
            cases = cases.filter(scan__site="" if self.site == "-" else self.site)
        if self.reader:
            held = Reading.objects.filter(case=OuterRef("pk"), reader__username=self.reader)
            cases = cases.filter(Exists(held.exclude(state__in=Reading.PAST_STATES)))
        if self.due:
            cases = cases.exclude(due_on=None) if self.due == "set" else cases.filter(due_on=None)
        if self.numbers:
            cases = cases.filter(_ranges(self.numbers))
        return cases

    @property
    def query(self) -> dict[str, str]:
        """What is asked for, as an address says it."""
        return {name: value for name in FILTERS if (value := getattr(self, name))}


def _ranges(text: str) -> Q:
    """Case numbers and ranges ("1-20, 35"); what is neither is left out, and with nothing left nothing is found."""
    wanted = Q(pk=None)
    for part in text.replace(",", " ").split()[:MOST_RANGES]:
        first, _, last = part.partition("-")
        if all(one.isascii() and one.isdigit() and len(one) < 9 for one in (first, last or first)):
            wanted |= Q(number__gte=int(first), number__lte=int(last or first))
    return wanted


@dataclass(frozen=True)
class Holder:
    """Somebody's reading of a case: who, at which stage, in which state."""

    name: str
    username: str
    stage: str
    state: str


@dataclass(frozen=True)
class Load:
    """A reader of a campaign: what they were given, have open, and ended."""

    user: User
    roles: list[str]
    assigned: int
    in_progress: int
    ended: int


@dataclass(frozen=True)
class Choices:
    """What a list can be narrowed to."""

    states: list[tuple[str, int]] = field(default_factory=list)
    stages: list[str] = field(default_factory=list)
    sites: list[tuple[str, int]] = field(default_factory=list)


def cases_to_assign(campaign: Campaign, asked: CaseFilter) -> QuerySet[Case]:
    """The cases of a campaign that a filter lets through, by number."""
    return asked.within(campaign.cases.all()).select_related("scan__study__patient").order_by("number")


def holders_of(cases: list[Case]) -> dict[Any, list[Holder]]:
    """Who holds or has read each of some cases, in one query."""
    found: dict[Any, list[Holder]] = defaultdict(list)
    readings = Reading.objects.filter(case__in=cases).exclude(state__in=Reading.PAST_STATES).select_related("reader")
    for reading in readings.order_by("started_at"):
        state = f"{reading.state}, repeat" if reading.repeat else reading.state
        found[reading.case_id].append(Holder(str(reading.reader), reading.reader.username, reading.stage, state))
    return found


def choices_of(campaign: Campaign) -> Choices:
    """The states, stages and sites of a campaign's cases, with counts."""
    cases = campaign.cases.order_by()
    states = dict(cases.values_list("state").annotate(count=Count("pk")))
    sites = cases.values_list("scan__site").annotate(count=Count("pk")).order_by("scan__site")
    return Choices(
        states=[(state, states[state]) for state in Case.STATES if state in states],
        stages=sorted(cases.values_list("stage", flat=True).distinct()),
        sites=list(sites),
    )


def loads_of(campaign: Campaign) -> list[Load]:
    """The people who read in a campaign, with how much each has, by name."""
    roles: dict[Any, list[str]] = defaultdict(list)
    people: dict[Any, User] = {}
    reading = ("technician", "radiologist", "adjudicator")
    for one in Membership.objects.filter(campaign=campaign, role__in=reading).select_related("user"):
        roles[one.user_id].append(one.role)
        people[one.user_id] = one.user
    rows = Reading.objects.filter(case__campaign=campaign, reader__in=list(people), case__kind=Case.STUDY)
    counts = rows.values("reader_id").annotate(
        assigned=Count("pk", filter=Q(state=Reading.ASSIGNED)),
        in_progress=Count("pk", filter=Q(state__in=(Reading.IN_PROGRESS, Reading.RETURNED))),
        ended=Count("pk", filter=Q(state__in=Reading.ENDED_STATES)),
    )
    known: dict[Any, dict[str, Any]] = {row["reader_id"]: dict(row) for row in counts}
    none = {"assigned": 0, "in_progress": 0, "ended": 0}
    loads = []
    for pk, user in people.items():
        row = known.get(pk, none)
        loads.append(Load(user, sorted(roles[pk]), row["assigned"], row["in_progress"], row["ended"]))
    return sorted(loads, key=lambda load: str(load.user).casefold())


def open_readings_of_role(campaign: Campaign, user: User, role: str) -> list[Reading]:
    """The open readings of a person at stages of a role, whichever version of the protocol they began under."""
    readings = Reading.objects.filter(case__campaign=campaign, reader=user, state__in=Reading.OPEN_STATES)
    rows = readings.select_related("protocol", "case__campaign").order_by("case__number")
    return [one for one in rows if one.protocol.stage(one.stage).role == role]
