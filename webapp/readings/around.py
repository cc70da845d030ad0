"""What lies around a reading: the case to go on with, and the patient's other scans."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import (
    BooleanField,
    CharField,
    ExpressionWrapper,
    F,
    FloatField,
    Func,
    OrderBy,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models import Case as Case_
from django.db.models.functions import Cast, Concat
from django.http import Http404
from django.utils import timezone

from webapp.accounts.models import User
from webapp.algorithms.fitting import needs_hu
from webapp.algorithms.models import DraftRun
from webapp.campaigns.models import Campaign, Case
from webapp.campaigns.protocols import AI_DRAFT, AT_RANDOM, MOST_UNCERTAIN, WITHOUT_DRAFT, ai_is_blinded
from webapp.campaigns.queries import current_protocol, roles_of
from webapp.readings.models import Reading, Signature
from webapp.readings.qualifying import stages_to_qualify
from webapp.readings.queries import readings_in_campaign_for
from webapp.readings.rules import may_start_reading

LOOK_AHEAD = 50
# What coordinators said comes before any other order.
URGENCY: tuple[Any, ...] = ("-priority", F("due_on").asc(nulls_last=True))


@dataclass(frozen=True)
class NextCase:
    """What to read next: a reading to go on with, or a case to begin."""

    case: Case
    reading: Reading | None


@dataclass(frozen=True)
class Room:
    """The cases where a person has a place: `given` to them, and `free` to be taken."""

    given: Q
    free: Q

    @property
    def any(self) -> Q:
        """Either."""
        return self.given | self.free


def room_for(user: User, campaign: Campaign) -> Room:
    """Where a person has a place in a campaign, as conditions on its cases.

    They are sets of ids, not questions about each case: the database asks once, however many cases there are.
    """
    roles, protocol = roles_of(user, campaign), current_protocol(campaign)
    mine = [stage.name for stage in protocol.stage_list if stage.role in roles]
    if not roles or campaign.closed_at is not None:
        return Room(Q(pk__in=[]), Q(pk__in=[]))
    hand_in = Reading.objects.filter(reader_id=user.pk)
    due = Q(stage=F("case__stage")) | Q(repeat__gt=0)
    given = hand_in.filter(due, state=Reading.ASSIGNED).exclude(not_before__gt=timezone.now()).values("case")
    # Who read a case that is read anew may read it again at the stage where they did; what was taken away stays away.
    barred = hand_in.exclude(state=Reading.SUPERSEDED, stage=F("case__stage"))
    if not protocol.said.separate_duties:
        barred = barred.exclude(state__in=Reading.PAST_STATES)
    # What was begun under an older protocol may have other stages: the rule looks again at each.
    free = Q(state=Case.TO_READ, places_left__gt=0, stage__in=mine) & ~Q(pk__in=barred.values("case"))
    if waiting := stages_to_qualify(user, campaign):
        free &= Q(kind=Case.QUALIFICATION) | ~Q(stage__in=waiting)
    return Room(Q(pk__in=given), free)


def cases_with_room_for(user: User, campaign: Campaign) -> QuerySet[Case]:
    """Cases that a person was assigned, or that want a reader of a role of theirs where they have no hand in yet.

    First what is most urgent and due soonest, then by number, in an order of each reader's own, or what the AI is least
    sure of, as the protocol says. The order never changes which cases these are.
    """
    room = room_for(user, campaign)
    cases = campaign.cases.filter(room.any).select_related("campaign", "scan__study__patient", "protocol")
    cases = cases.annotate(assigned=ExpressionWrapper(room.given, output_field=BooleanField()))
    order = ["-assigned", *URGENCY]
    if current_protocol(campaign).said.order == AT_RANDOM:
        own = Func(Concat(Value(str(user.pk)), Cast("pk", CharField())), function="md5")
        return cases.order_by(*order, own)
    return cases.order_by(*order, *uncertainty_order(campaign), "number")


def uncertainty_order(campaign: Campaign) -> list[Any]:
    """What puts the cases of a campaign in the order most uncertain first; nothing where its protocol has another.

    Cases without a number come last, and so do those that are read under a version by which somebody is blinded to the
    AI: the rule is asked here again, whatever a version came to say.
    """
    protocol = current_protocol(campaign)
    if protocol.said.order != MOST_UNCERTAIN or ai_is_blinded(protocol.stage_list, protocol.said):
        return []
    blinded = [one.pk for one in campaign.protocols.all() if ai_is_blinded(one.stage_list, one.said)]
    runs = DraftRun.objects.filter(
        scan=OuterRef("scan"),
        algorithm=campaign.draft_algorithm_id,
        label_set=campaign.label_set_id,
        state=DraftRun.FINISHED,
    )
    said = Subquery(runs.order_by("-finished_at").values("uncertainty")[:1])
    known = Case_(When(protocol__in=blinded, then=None), default=said, output_field=FloatField()) if blinded else said
    return [OrderBy(known, descending=True, nulls_last=True)]


def drafts_pending(campaign: Campaign) -> Q:
    """Cases whose stage begins from an AI draft that is still to be made: nobody begins to read them yet."""
    runs = DraftRun.objects.filter(algorithm=campaign.draft_algorithm_id, label_set=campaign.label_set_id)
    under_way = runs.filter(state__in=DraftRun.OPEN_STATES).values("scan")
    from_draft = [stage.name for stage in current_protocol(campaign).stage_list if stage.starts_from == AI_DRAFT]
    finished = runs.filter(state=DraftRun.FINISHED).values("scan")
    waits = Q(scan__in=under_way) & ~Q(scan__in=finished)
    if campaign.draft_algorithm is not None:
        # Not asked for yet: another algorithm was chosen for the drafts.
        unasked = ~Q(scan__in=runs.values("scan"))
        # What it cannot draft is never asked for, and begins without.
        waits |= unasked & Q(scan__has_hu=True) if needs_hu(campaign.draft_algorithm) else unasked
    return Q(stage__in=from_draft) & waits & ~Q(arm=WITHOUT_DRAFT) & Q(start_version=None)


def first_to_begin(user: User, cases: Iterable[Case]) -> Case | None:
    """The first of some cases that a person may begin to read now; a draft that is not ready is passed over."""
    return next((case for case in cases if may_start_reading(case, user) is None), None)


def next_case_after(reading: Reading, user: User) -> NextCase | None:
    """The next case of the worklist that this person has yet to read, after the reading's own and round to its front.

    A reading of theirs that is open counts, and comes before cases not begun only by its number. Where the most
    uncertain comes first, that goes before all numbers.
    """
    number, campaign = reading.case.number, reading.case.campaign
    open_ones = Reading.objects.filter(
        case__in=campaign.cases.all(), reader_id=user.pk, state__in=Reading.OPEN_STATES
    ).select_related("case__campaign", "case__scan")
    # What was given and not begun has nothing to open yet: it is among the cases with room.
    open_ones = open_ones.exclude(case_id=reading.case_id).exclude(mask=None).order_by("case__number")
    room = cases_with_room_for(user, campaign).exclude(pk=reading.case_id)
    if uncertainty_order(campaign):
        fresh, mine = first_to_begin(user, room[:LOOK_AHEAD]), open_ones.first()
        if fresh is not None:
            return NextCase(fresh, None)
        return NextCase(mine.case, mine) if mine else None
    for begun, waiting in (
        (open_ones.filter(case__number__gt=number), room.filter(number__gt=number)),
        (open_ones.filter(case__number__lt=number), room.filter(number__lt=number)),
    ):
        mine, fresh = begun.first(), first_to_begin(user, waiting[:LOOK_AHEAD])
        if mine and (fresh is None or mine.case.number < fresh.number):
            return NextCase(mine.case, mine)
        if fresh:
            return NextCase(fresh, None)
    return None


@dataclass(frozen=True)
class TimelineEntry:
    """One scan of a patient in a campaign; `label` says how it lies to the scan being read.

    `reading` is the one that this person may see; its numbers are those of its signed version, once measured.
    """

    case: Case
    when: date | None
    label: str
    reading: Reading | None
    extent_percent: float | None
    weight_g: float | None


def patients_cases(reading: Reading) -> QuerySet[Case]:
    """The cases of the reading's campaign that are scans of the same patient, in order of time.

    What another campaign makes of the patient stays there: its readers and its blinding are its own.
    """
    patient = reading.case.scan.study.patient_id
    cases = Case.objects.filter(campaign_id=reading.case.campaign_id, scan__study__patient_id=patient)
    return cases.select_related("campaign", "scan__study").order_by("scan__study__shifted_date", "number")


def timeline_of(reading: Reading, user: User) -> list[TimelineEntry]:
    """The patient's scans in this campaign, in order of time, those without a date last."""
    cases = list(patients_cases(reading))
    shown = _readings_shown(reading, cases, user)
    numbers = _numbers(shown.values())
    here = reading.case.scan.study.shifted_date
    entries = []
    for case in cases:
        mine = shown.get(case.pk)
        values = numbers.get(mine.pk, {}) if mine else {}
        entries.append(
            TimelineEntry(
                case=case,
                when=case.scan.study.shifted_date,
                label="this" if case.pk == reading.case_id else _label(case.scan.study.shifted_date, here),
                reading=mine,
                extent_percent=values.get("extent_percent"),
                weight_g=values.get("weight_g"),
            )
        )
    return entries


def _label(when: date | None, here: date | None) -> str:
    """How one day lies to another. No order is claimed where a date is missing or the day is the same."""
    if when is None or here is None or when == here:
        return "other"
    return "prior" if when < here else "follow-up"


def _readings_shown(reading: Reading, cases: list[Case], user: User) -> dict[Any, Reading]:
    """For each case the reading to show beside, of those that this person may see: the same reader's, a signed one."""
    readings = readings_in_campaign_for(user, reading.case.campaign).filter(case__in=cases, mask__isnull=False)
    ordered = sorted(
        readings.exclude(state__in=Reading.PAST_STATES),
        key=lambda one: (one.reader_id == reading.reader_id, one.state == Reading.SIGNED, one.started_at),
    )
    return {**{one.case_id: one for one in ordered}, reading.case_id: reading}


def _numbers(readings: Iterable[Reading]) -> dict[Any, dict[str, Any]]:
    """The measured numbers of signed readings. Releases, above, keeps them: the query follows the relation."""
    signatures = Signature.objects.filter(reading__in=list(readings), version__measurement__isnull=False)
    return dict(signatures.values_list("reading_id", "version__measurement__values"))


def patients_case(reading: Reading, case_id: Any) -> Case:
    """One of the patient's cases in the reading's campaign; Http404 for any other."""
    case = patients_cases(reading).filter(pk=case_id).first()
    if case is None:
        raise Http404("No such scan of this patient.")
    return case


def reading_beside(reading: Reading, case: Case, user: User) -> Reading | None:
    """The reading of another scan of the patient whose mask this person may lay beside."""
    return _readings_shown(reading, [case], user).get(case.pk)
