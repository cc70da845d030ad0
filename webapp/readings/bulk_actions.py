"""Who reads what, for many cases at once: a few statements for any number of them, and one event that lists them."""

import datetime
import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from webapp import push
from webapp.accounts.models import User
from webapp.audit.refusal import ActionRefused, Refusal, require
from webapp.audit.trail import audited, record
from webapp.campaigns.actions import chain_of
from webapp.campaigns.models import Campaign, Case, Membership, Protocol
from webapp.campaigns.protocols import SIGN
from webapp.campaigns.queries import current_protocol
from webapp.campaigns.rules import may_assign
from webapp.readings import events
from webapp.readings.assignment_actions import assign_repeat, release_reading
from webapp.readings.balancing import Open, deal
from webapp.readings.models import Reading
from webapp.readings.qualifying import readers_to_qualify
from webapp.readings.rules import refusal_of_reason
from webapp.readings.standing import measured_stage
from webapp.readings.telling import tell_many_assigned

MOST_CASES, MOST_REPEATS, BATCH = 10_000, 500, 1000
NO_PLACE = Refusal("nothing", "None of these cases has a place for them at the stage where it stands.")


@dataclass
class Table:
    """Cases of one campaign, held, with what the rules of assigning ask of them; read in a fixed number of queries."""

    campaign: Campaign
    cases: dict[int, Case]
    protocols: dict[int, Protocol]
    now: Protocol
    roles: dict[Any, set[str]]
    to_qualify: Mapping[Any, set[str]]
    # (case, stage) -> readers with a reading that counts there; case -> {stage: readers who had a hand in it}
    holders: dict[tuple[Any, str], set[Any]] = field(default_factory=lambda: defaultdict(set))
    hands: dict[Any, dict[str, set[Any]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(set)))

    @classmethod
    def of(cls, campaign: Campaign, numbers: Iterable[int]) -> "Table":
        """Hold the cases of these numbers that still want readers."""
        rows = Case.objects.select_for_update(of=("self",)).filter(campaign=campaign, number__in=list(numbers))
        rows = rows.filter(state=Case.TO_READ, places_left__gt=0, excluded_reason="", kind=Case.STUDY)
        cases = {case.number: case for case in rows.select_related("scan").order_by("pk")}
        roles: dict[Any, set[str]] = defaultdict(set)
        for user, role in Membership.objects.filter(campaign=campaign, user__is_active=True).values_list(
            "user_id", "role"
        ):
            roles[user].add(role)
        protocols = {one.pk: one for one in campaign.protocols.all()}
        now = current_protocol(campaign)
        table = cls(campaign, cases, protocols, now, roles, readers_to_qualify(campaign, set(roles)))
        table._look_at_readings()
        return table

    def _look_at_readings(self) -> None:
        ids = [case.pk for case in self.cases.values()]
        rows = Reading.objects.filter(case__in=ids).values_list(
            "case_id", "stage", "reader_id", "state", "repeat", "mask_id"
        )
        for case, stage, reader, state, repeat, mask in rows:
            if state not in Reading.PAST_STATES and repeat == 0:
                self.holders[case, stage].add(reader)
            if mask is not None:
                self.hands[case][stage].add(reader)

    def protocol_of(self, case: Case) -> Protocol:
        """The protocol of a case: its own, or the present one before its first reading."""
        return self.protocols[case.protocol_id] if case.protocol_id else self.now

    def may_read(self, number: int, reader: Any) -> bool:
        """Whether a case may be given to a person at the stage where it stands (rules.may_be_assigned)."""
        case = self.cases[number]
        protocol = self.protocol_of(case)
        if protocol.stage(case.stage).role not in self.roles[reader] or reader in self.holders[case.pk, case.stage]:
            return False
        if case.stage in self.to_qualify.get(reader, ()):
            return False
        if not protocol.said.separate_duties:
            return True
        return not any(reader in readers for stage, readers in self.hands[case.pk].items() if stage != case.stage)

    def give(self, dealt: Sequence[tuple[int, Any]], due_on: datetime.date | None) -> dict[str, list[int]]:
        """Write readings down as assigned; return the numbers given to each reader."""
        given: dict[str, list[int]] = defaultdict(list)
        readings: list[Reading] = []
        taken: dict[int, int] = defaultdict(int)
        for number, reader in dealt:
            case = self.cases[number]
            protocol = self.protocol_of(case)
            readings.append(
                Reading(
                    case=case,
                    protocol=protocol,
                    stage=case.stage,
                    reader_id=reader,
                    state=Reading.ASSIGNED,
                    due_on=due_on,
                )
            )
            taken[number] += 1
            given[str(reader)].append(number)
        Reading.objects.bulk_create(readings, batch_size=BATCH)
        self._settle(taken)
        return {reader: sorted(numbers) for reader, numbers in given.items()}

    def _settle(self, taken: dict[int, int]) -> None:
        """What standing.settle would write down for cases that got readers assigned: fewer places, or none."""
        left: dict[int, list[Any]] = defaultdict(list)
        for number, count in taken.items():
            left[self.cases[number].places_left - count].append(self.cases[number].pk)
        for places, ids in left.items():
            state = Case.TO_READ if places else Case.WITH_READERS
            Case.ever.filter(pk__in=ids).update(places_left=places, state=state, settled_at=timezone.now())


def _require_bulk(campaign: Campaign, numbers: Sequence[int], by: Any) -> None:
    require(may_assign(campaign, by))
    closed = Refusal("campaign_closed", "This campaign is closed: nothing more is read in it.")
    require(closed if campaign.closed_at else None)
    require(None if numbers else Refusal("nothing", "Choose cases first."))
    too_many = Refusal("too_many", f"At most {MOST_CASES:,} cases are changed at once: narrow the list.")
    require(too_many if len(numbers) > MOST_CASES else None)


def _tell(campaign: Campaign, given: Mapping[str, Sequence[int]], by: Any) -> None:
    push.publish(f"progress:{campaign.slug}", "case.settled")
    for reader in given:
        push.publish(f"person:{reader}", "reading.assigned")
    tell_many_assigned(campaign, given, by)


@audited(events.CASES_ASSIGNED)
def assign_cases(
    *, campaign: Campaign, numbers: Sequence[int], reader: User, by: Any, due_on: datetime.date | None = None
) -> int:
    """Give a person every one of some cases that has a place for them; return how many."""
    _require_bulk(campaign, numbers, by)
    table = Table.of(campaign, numbers)
    dealt = [(number, reader.pk) for number in sorted(table.cases) if table.may_read(number, reader.pk)]
    require(None if dealt else NO_PLACE)
    given = table.give(dealt, due_on)
    record(
        events.CASES_ASSIGNED,
        by=by,
        chain=chain_of(campaign),
        subject=f"campaign:{campaign.pk}",
        given=given,
        names={str(reader.pk): str(reader)},
        due_on=due_on,
    )
    _tell(campaign, given, by)
    return len(dealt)


@audited(events.CASES_ASSIGNED)
def assign_at_random(
    *,
    campaign: Campaign,
    numbers: Sequence[int],
    readers: Sequence[User],
    seed: int,
    by: Any,
    due_on: datetime.date | None = None,
) -> int:
    """Deal cases out to readers at random, balanced in each site and in all; return how many readings were given.

    The seed stands in the trail with what was dealt: the same cases, readers and seed are dealt the same again.
    """
    _require_bulk(campaign, numbers, by)
    require(None if readers else Refusal("malformed", "Choose the readers to deal the cases out to."))
    require(None if 0 <= seed < 2**31 else Refusal("malformed", "A seed is a number from 0 to 2,147,483,647."))
    table = Table.of(campaign, numbers)
    cases = [Open(number, case.scan.site, case.places_left) for number, case in table.cases.items()]
    ids = sorted({reader.pk for reader in readers}, key=str)
    dealt = deal(cases, ids, seed, table.may_read)
    require(None if dealt else NO_PLACE)
    given = table.give(dealt, due_on)
    record(
        events.CASES_ASSIGNED,
        by=by,
        chain=chain_of(campaign),
        subject=f"campaign:{campaign.pk}",
        at_random={"seed": seed, "stratified_by": "site", "readers": [str(pk) for pk in ids]},
        given=given,
        names={str(reader.pk): str(reader) for reader in readers},
        due_on=due_on,
    )
    _tell(campaign, given, by)
    return len(dealt)


@audited(events.CASES_RELEASED)
def move_readings(
    *, campaign: Campaign, numbers: Sequence[int], source: User, target: User | None, reason: str, by: Any
) -> tuple[int, int]:
    """Take the open readings of some cases from a person, and give what has a place for them to another.

    Return how many were taken and how many given. What was drawn is kept; repeats and amendments stay where they are.
    """
    _require_bulk(campaign, numbers, by)
    require(refusal_of_reason(reason))
    held = Case.objects.select_for_update(of=("self",)).filter(campaign=campaign, number__in=list(numbers))
    ids = list(held.order_by("pk").values_list("pk", flat=True))
    open_ones = Reading.objects.select_for_update(of=("self",)).filter(case__in=ids, reader=source, repeat=0)
    open_ones = open_ones.filter(supersedes=None, state__in=Reading.OPEN_STATES).select_related("case__campaign")
    found = list(open_ones.order_by("case__number"))
    require(None if found else Refusal("nothing", f"{source} has no open reading in these cases."))
    waiting = [one for one in found if one.mask_id is None]
    _release_waiting(waiting)
    for reading in found:
        if reading.mask_id is not None:
            release_reading(reading=reading, reason=reason, by=by)
    taken = sorted({reading.case.number for reading in found})
    given: dict[str, list[int]] = {}
    if target is not None:
        table = Table.of(campaign, taken)
        dealt = [(number, target.pk) for number in sorted(table.cases) if table.may_read(number, target.pk)]
        given = table.give(dealt, None)
    record(
        events.CASES_RELEASED,
        by=by,
        chain=chain_of(campaign),
        subject=f"campaign:{campaign.pk}",
        source=str(source.pk),
        target=str(target.pk) if target else None,
        taken=taken,
        given=given,
        reason=reason.strip(),
    )
    _tell(campaign, given, by)
    return len(found), sum(len(numbers) for numbers in given.values())


def _release_waiting(readings: Sequence[Reading]) -> None:
    """Release readings that nobody has begun, and free their places, as release_reading does for one."""
    ids = [reading.pk for reading in readings]
    Reading.objects.filter(pk__in=ids).update(state=Reading.RELEASED, ended_at=timezone.now())
    places: dict[int, list[Any]] = defaultdict(list)
    for reading in readings:
        case = reading.case
        if case.kind != Case.STUDY:
            continue  # it has a place for everybody, always
        if reading.stage == case.stage and case.state in (Case.TO_READ, Case.WITH_READERS):
            places[reading.case.places_left + 1].append(reading.case_id)
    for count, cases in places.items():
        Case.ever.filter(pk__in=cases).update(places_left=count, state=Case.TO_READ, settled_at=timezone.now())


@audited(events.CASES_EXCLUDED)
def exclude_cases(*, campaign: Campaign, numbers: Sequence[int], reason: str, by: Any) -> int:
    """Take cases out of their campaign with a reason; return how many. What was read of them stays."""
    _require_bulk(campaign, numbers, by)
    require(refusal_of_reason(reason))
    rows = Case.objects.select_for_update(of=("self",)).filter(campaign=campaign, number__in=list(numbers))
    cases = list(rows.filter(excluded_reason="").order_by("pk"))
    require(None if cases else Refusal("excluded", "These cases have left the campaign already."))
    protocols = {one.pk: one for one in campaign.protocols.all()}
    now = current_protocol(campaign)
    by_stage: dict[str, list[Any]] = defaultdict(list)
    for case in cases:
        protocol = protocols[case.protocol_id] if case.protocol_id else now
        by_stage[measured_stage(case, protocol).name].append(case.pk)
    for stage, ids in by_stage.items():
        Case.ever.filter(pk__in=ids).update(
            excluded_reason=reason.strip(), state=Case.EXCLUDED, stage=stage, places_left=0, settled_at=timezone.now()
        )
    record(
        events.CASES_EXCLUDED,
        by=by,
        chain=chain_of(campaign),
        subject=f"campaign:{campaign.pk}",
        cases=sorted(case.number for case in cases),
        reason=reason.strip(),
    )
    push.publish(f"progress:{campaign.slug}", "case.settled")
    return len(cases)


@audited(events.REPEATS_DRAWN)
def draw_repeats(*, campaign: Campaign, count: int, after_days: int, seed: int, by: Any) -> int:
    """Have a random sample of signed readings read again by the same readers, from `after_days` after their signature.

    Drawn among the first readings of study cases that have no repeat open; the seed stands in the trail.
    """
    require(may_assign(campaign, by))
    if not 1 <= count <= MOST_REPEATS or not 0 <= after_days <= 3650 or not 0 <= seed < 2**31:
        sentence = f"A sample has 1 to {MOST_REPEATS} readings, 0 to 3,650 days after, and a seed."
        raise ActionRefused(Refusal("malformed", sentence))
    stages = {
        stage.name for protocol in campaign.protocols.all() for stage in protocol.stage_list if stage.ends_with == SIGN
    }
    signed = Reading.objects.filter(
        case__campaign=campaign,
        case__kind=Case.STUDY,
        case__excluded_reason="",
        case__scan__deleted_at=None,
        stage__in=stages,
        state=Reading.SIGNED,
        repeat=0,
    )
    again = Reading.objects.filter(case__campaign=campaign, repeat__gt=0, state__in=Reading.OPEN_STATES)
    waiting = set(again.values_list("case_id", "stage", "reader_id"))
    rows = signed.order_by("case__number", "stage", "reader_id")
    pool = [pk for pk, *who in rows.values_list("pk", "case_id", "stage", "reader_id") if tuple(who) not in waiting]
    require(None if pool else Refusal("nothing", "No signed reading could be read again now."))
    drawn = sorted(random.Random(seed).sample(range(len(pool)), min(count, len(pool))))
    readings = Reading.objects.filter(pk__in=[pool[place] for place in drawn])
    made = [
        assign_repeat(reading=reading, after_days=after_days, by=by)
        for reading in readings.select_related("case__campaign", "protocol", "reader", "signature").order_by("pk")
    ]
    record(
        events.REPEATS_DRAWN,
        by=by,
        chain=chain_of(campaign),
        subject=f"campaign:{campaign.pk}",
        seed=seed,
        of=len(pool),
        after_days=after_days,
        cases=sorted(reading.case.number for reading in made),
    )
    return len(made)
