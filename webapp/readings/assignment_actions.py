"""Who reads what: given, pulled, given back, read again; and cases that leave their campaign."""

import datetime
from collections.abc import Sequence
from typing import Any

from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone

from webapp import push
from webapp.accounts.models import User
from webapp.audit.refusal import ActionRefused, Refusal, require
from webapp.audit.trail import audited, record
from webapp.campaigns.actions import chain_of
from webapp.campaigns.models import Campaign, Case
from webapp.campaigns.queries import protocol_of
from webapp.campaigns.rules import may_assign
from webapp.masks.actions import cut_version
from webapp.readings import events
from webapp.readings.actions import held_case, start_reading
from webapp.readings.around import LOOK_AHEAD, cases_with_room_for, first_to_begin
from webapp.readings.models import Reading
from webapp.readings.rules import may_be_assigned, may_read_again, may_release, refusal_of_reason, stage_of
from webapp.readings.standing import settle
from webapp.readings.telling import tell_assigned, tell_released

MOST_READMITTED = 500
NOTHING_TO_READ = Refusal("nothing_to_read", "There is no case for you to begin in this campaign now.")


@audited(events.READING_STARTED)
def take_next_case(*, campaign: Campaign, by: User) -> Reading:
    """Begin the next case that waits for a person in a campaign: given to them first, then by urgency and order.

    Two who ask at once never get one place: whoever comes second finds the case given and goes on to the next.
    """
    for _ in range(LOOK_AHEAD):
        waiting = cases_with_room_for(by, campaign)
        # Cases that somebody else is being given at this moment are passed over, not waited for.
        free = list(waiting.select_for_update(of=("self",), skip_locked=True)[:1])
        case = first_to_begin(by, free) or first_to_begin(by, waiting[:LOOK_AHEAD])
        if case is None:
            break
        try:
            return start_reading(case=case, by=by)
        except ActionRefused as refused:
            if refused.code not in ("taken", "reading_exists"):
                raise
    raise ActionRefused(NOTHING_TO_READ)


@audited(events.READING_ASSIGNED)
def assign_reading(
    *, case: Case, reader: User, by: Any, due_on: datetime.date | None = None, stage_name: str | None = None
) -> Reading:
    """Give a person a case to read at the stage where it stands (or at a later one, ahead of time)."""
    case = held_case(case)
    require(may_assign(case.campaign, by))
    protocol = protocol_of(case)
    stage = protocol.stage(stage_name) if stage_name else stage_of(case)
    require(may_be_assigned(case, stage, reader))
    reading = Reading.objects.create(
        case=case, protocol=protocol, stage=stage.name, reader=reader, state=Reading.ASSIGNED, due_on=due_on
    )
    settle(case)
    record(
        events.READING_ASSIGNED,
        by=by,
        chain=chain_of(case.campaign),
        subject=f"reading:{reading.pk}",
        case=case.number,
        stage=stage.name,
        reader=str(reader.pk),
        reader_name=str(reader),
        due_on=due_on,
    )
    push.publish(f"person:{reader.pk}", "reading.assigned")
    tell_assigned(reading, by)
    return reading


@audited(events.READING_RELEASED)
def release_reading(*, reading: Reading, reason: str, by: Any) -> Reading:
    """Take an open reading from its reader: its place is free again. What was drawn in it is kept as a version."""
    case = held_case(reading.case)
    reading = Reading.objects.select_for_update(of=("self",)).get(pk=reading.pk)
    reading.case = case
    require(may_release(reading, by) or refusal_of_reason(reason))
    if reading.mask is not None and reading.mask.stroke_sequence:
        cut_version(mask=reading.mask, reason="return", by=by, chain=chain_of(case.campaign))
    before = reading.state
    reading.state, reading.ended_at = Reading.RELEASED, timezone.now()
    reading.save(update_fields=["state", "ended_at"])
    settle(case)
    record(
        events.READING_RELEASED,
        by=by,
        chain=chain_of(case.campaign),
        subject=f"reading:{reading.pk}",
        case=case.number,
        stage=reading.stage,
        reader=str(reading.reader_id),
        before=before,
        reason=reason.strip(),
    )
    push.publish(f"reading:{reading.pk}", "reading.released")
    tell_released(reading, by, reason.strip())
    return reading


@audited(events.READING_REASSIGNED)
def reassign_reading(*, reading: Reading, reader: User, reason: str, by: Any) -> Reading:
    """Take an open reading from its reader and give its place to another."""
    held = release_reading(reading=reading, reason=reason, by=by)
    given = assign_reading(case=held.case, reader=reader, by=by, due_on=held.due_on, stage_name=held.stage)
    record(
        events.READING_REASSIGNED,
        by=by,
        chain=chain_of(held.case.campaign),
        subject=f"reading:{given.pk}",
        case=held.case.number,
        stage=held.stage,
        before=str(held.reader_id),
        after=str(reader.pk),
        reason=reason.strip(),
    )
    return given


def idle_readings(now: datetime.datetime) -> list[Reading]:
    """Open readings that nobody has touched for longer than their protocol lets them lie."""
    last = Coalesce("active_at", "started_at")
    waiting = Reading.objects.filter(state__in=(Reading.ASSIGNED, Reading.IN_PROGRESS), supersedes=None)
    readings = waiting.filter(protocol__terms__release_after_days__gt=0).annotate(last=last)
    readings = readings.select_related("protocol", "case__campaign").order_by(F("last").asc())
    return [
        one
        for one in readings
        if (days := one.protocol.said.release_after_days)
        and max(one.last, one.not_before or one.last) < now - datetime.timedelta(days=days)
    ]


def release_idle_readings(*, by: Any) -> int:
    """Release every idle reading, each in a transaction of its own; return how many."""
    count = 0
    for reading in idle_readings(timezone.now()):
        days = reading.protocol.said.release_after_days
        try:
            release_reading(reading=reading, reason=f"Left alone for more than {days} days", by=by)
            count += 1
        except ActionRefused:
            continue  # signed, released or touched a moment ago
    return count


@audited(events.REPEAT_ASSIGNED)
def assign_repeat(*, reading: Reading, after_days: int, by: Any) -> Reading:
    """Give a reader a case again that they signed, from `after_days` days after; blinded to their first reading."""
    case = held_case(reading.case)
    require(may_assign(case.campaign, by) or may_read_again(reading))
    signed = Reading.objects.filter(case=case, stage=reading.stage, reader_id=reading.reader_id)
    number = max(signed.values_list("repeat", flat=True)) + 1
    not_before = reading.signature.signed_at + datetime.timedelta(days=after_days)
    again = Reading.objects.create(
        case=case,
        protocol=reading.protocol,
        stage=reading.stage,
        reader_id=reading.reader_id,
        state=Reading.ASSIGNED,
        repeat=number,
        not_before=not_before,
    )
    record(
        events.REPEAT_ASSIGNED,
        by=by,
        chain=chain_of(case.campaign),
        subject=f"reading:{again.pk}",
        case=case.number,
        stage=again.stage,
        reader=str(again.reader_id),
        repeat=number,
        not_before=not_before,
    )
    return again


@audited(events.CASE_EXCLUDED)
def exclude_case(*, case: Case, reason: str, by: Any) -> Case:
    """Take a case out of its campaign with a reason. What was read of it stays; nothing more is."""
    case = held_case(case)
    require(may_assign(case.campaign, by) or refusal_of_reason(reason))
    require(Refusal("excluded", "This case has left the campaign already.") if case.excluded_reason else None)
    case.excluded_reason = reason.strip()
    Case.ever.filter(pk=case.pk).update(excluded_reason=case.excluded_reason)
    settle(case)
    _record_of_case(events.CASE_EXCLUDED, case, by, reason=case.excluded_reason)
    return case


@audited(events.CASE_READMITTED)
def readmit_case(*, case: Case, reason: str, by: Any) -> Case:
    """Take a case back into its campaign."""
    case = held_case(case)
    require(may_assign(case.campaign, by) or refusal_of_reason(reason))
    require(None if case.excluded_reason else Refusal("not_excluded", "This case is in the campaign."))
    before, case.excluded_reason = case.excluded_reason, ""
    Case.ever.filter(pk=case.pk).update(excluded_reason="")
    settle(case)
    _record_of_case(events.CASE_READMITTED, case, by, reason=reason.strip(), before=before)
    return case


@audited(events.CASE_READMITTED)
def readmit_cases(*, campaign: Campaign, cases: Sequence[Case], reason: str, by: Any) -> int:
    """Take cases that have left back into their campaign, MOST_READMITTED at once; return how many."""
    require(may_assign(campaign, by))
    gone = [case for case in cases if case.campaign_id == campaign.pk and case.excluded_reason]
    require(None if gone else Refusal("not_excluded", "None of these cases has left the campaign."))
    if len(gone) > MOST_READMITTED:
        raise ActionRefused(Refusal("too_many", f"At most {MOST_READMITTED} cases are readmitted at once."))
    for case in sorted(gone, key=lambda one: str(one.pk)):
        readmit_case(case=case, reason=reason, by=by)
    return len(gone)


@audited(events.CASES_SCHEDULED)
def schedule_cases(
    *, campaign: Campaign, cases: Sequence[Case], by: Any, priority: int | None = None, due_on: Any = None
) -> int:
    """Say how urgent cases are (-9 to 9) and by when they should be read; None leaves either as it is."""
    require(may_assign(campaign, by))
    if priority is not None and not -9 <= priority <= 9:
        raise ActionRefused(Refusal("malformed", "A priority is a number from -9 to 9."))
    change = {k: v for k, v in (("priority", priority), ("due_on", due_on)) if v is not None}
    require(None if change and cases else Refusal("nothing", "Choose cases, and a priority or a day."))
    rows = Case.objects.filter(campaign=campaign, pk__in=[case.pk for case in cases])
    numbers = sorted(rows.values_list("number", flat=True))
    rows.update(**change)
    record(
        events.CASES_SCHEDULED,
        by=by,
        chain=chain_of(campaign),
        subject=f"campaign:{campaign.pk}",
        cases=numbers,
        **change,
    )
    return len(numbers)


@audited(events.CASES_REOPENED)
def read_cases_again(*, campaign: Campaign, cases: Sequence[Case], reason: str, by: Any) -> int:
    """Have cases read anew under the present protocol: readings are superseded, references stay on record."""
    require(may_assign(campaign, by) or refusal_of_reason(reason))
    protocol = campaign.protocols.order_by("-version")[0]
    numbers = []
    for chosen in sorted(cases, key=lambda one: str(one.pk)):
        case = held_case(chosen)
        if case.campaign_id != campaign.pk or case.protocol_id in (None, protocol.pk):
            continue
        readings = case.readings.exclude(state__in=Reading.PAST_STATES)
        for reading in readings.exclude(mask=None).filter(state__in=Reading.OPEN_STATES):
            cut_version(mask=reading.begun_mask, reason="return", by=by, chain=chain_of(campaign))
        readings.filter(state=Reading.ASSIGNED).update(state=Reading.RELEASED)
        readings.update(state=Reading.SUPERSEDED)
        case.protocol = None
        Case.ever.filter(pk=case.pk).update(protocol=None)
        settle(case)
        numbers.append(case.number)
    require(None if numbers else Refusal("nothing", "None of these cases was read under an older protocol."))
    record(
        events.CASES_REOPENED,
        by=by,
        chain=chain_of(campaign),
        subject=f"campaign:{campaign.pk}",
        cases=sorted(numbers),
        protocol_version=protocol.version,
        reason=reason.strip(),
    )
    return len(numbers)


def _record_of_case(name: str, case: Case, by: Any, **details: Any) -> None:
    record(name, by=by, chain=chain_of(case.campaign), subject=f"case:{case.pk}", case=case.number, **details)
