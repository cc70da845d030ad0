"""What is said about a whole case: readers flag it, coordinators decide on what a flag proposes."""

from typing import Any

from webapp import push
from webapp.accounts.models import User
from webapp.audit.refusal import ActionRefused, Refusal, require
from webapp.audit.trail import audited, record
from webapp.campaigns.actions import chain_of
from webapp.campaigns.models import Case
from webapp.campaigns.rules import may_assign
from webapp.readings import events
from webapp.readings.actions import held_case
from webapp.readings.assignment_actions import exclude_case
from webapp.readings.flags import flag_for, raised_in, refusal_of_remark
from webapp.readings.models import Flag, FlagDecision, Reading
from webapp.readings.rules import may_edit, refusal_of_reason


@audited(events.FLAG_SET)
def set_flag(*, reading: Reading, name: Any, remark: str = "", by: User) -> Flag:
    """Say of a case what one of its protocol's flags says, with a remark; saying it anew gives it a new remark."""
    held = _held(reading, by)
    if name not in held.protocol.said.flags:
        known = ", ".join(held.protocol.said.flags) or "none"
        raise ActionRefused(Refusal("malformed", f"The flags of this protocol are: {known}."))
    require(refusal_of_remark(remark))
    flag = Flag.objects.create(reading=held, name=name, raised=True, remark=remark.strip())
    _record(events.FLAG_SET, flag, by, remark=flag.remark)
    return flag


@audited(events.FLAG_TAKEN_BACK)
def take_flag_back(*, reading: Reading, name: Any, by: User) -> Flag:
    """Take back a flag that was set; that it was set stays on record."""
    held = _held(reading, by)
    is_set = {one.flag.name for one in raised_in(held.flags.select_related("decision").order_by("pk"))}
    require(None if name in is_set else Refusal("not_set", "This flag is not set."))
    flag = Flag.objects.create(reading=held, name=name, raised=False)
    _record(events.FLAG_TAKEN_BACK, flag, by)
    return flag


@audited(events.FLAG_DECIDED)
def exclude_flagged_case(*, case: Case, flag: int, reason: str, by: User) -> FlagDecision:
    """Take a case out of its campaign, as one of its flags proposes."""
    return _decide(case, flag, reason, by, excluded=True)


@audited(events.FLAG_DECIDED)
def keep_flagged_case(*, case: Case, flag: int, reason: str, by: User) -> FlagDecision:
    """Keep a case in spite of the flag that proposes its exclusion."""
    return _decide(case, flag, reason, by, excluded=False)


def _decide(case: Case, identifier: int, reason: str, by: User, *, excluded: bool) -> FlagDecision:
    case = held_case(case)
    require(may_assign(case.campaign, by))
    found = flag_for(by, case, identifier)
    require(None if found.waits else Refusal("decided", "Nothing waits to be decided about this flag."))
    require(refusal_of_reason(reason))
    if excluded:
        exclude_case(case=case, reason=reason, by=by)
    decision = FlagDecision.objects.create(
        flag=found.flag, excluded=excluded, reason=reason.strip(), decided_by_name=str(by)
    )
    _record(events.FLAG_DECIDED, found.flag, by, excluded=excluded, reason=decision.reason)
    return decision


def _held(reading: Reading, by: User) -> Reading:
    held = (
        Reading.objects.select_for_update(of=("self",)).select_related("case__campaign", "protocol").get(pk=reading.pk)
    )
    require(may_edit(held, by))
    return held


def _record(name: str, flag: Flag, by: User, **details: Any) -> None:
    case = flag.reading.case
    push.publish(f"reading:{flag.reading_id}", "flags.changed")
    push.publish(f"progress:{case.campaign.slug}", "flags.changed")
    record(
        name,
        by=by,
        chain=chain_of(case.campaign),
        subject=f"reading:{flag.reading_id}",
        case=case.number,
        flag=flag.name,
        **details,
    )
