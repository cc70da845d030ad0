"""Where a case stands: a rule over its readings and its protocol, and the one place that writes its answer down."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Q
from django.utils import timezone

from webapp import jobs, push
from webapp.campaigns.models import Case, Protocol
from webapp.campaigns.protocols import SIGN, Stage
from webapp.campaigns.queries import protocol_of
from webapp.masks.models import Mask, Version
from webapp.readings.models import Comparison, Reading, Reference


@dataclass(frozen=True)
class Standing:
    """The stage that a case has come to, its state there, and how many more readers it wants."""

    stage: Stage
    state: str
    places_left: int = 0


def standing(
    stages: Sequence[Stage], readings: Iterable[tuple[str, str]], accepted: Mapping[str, bool], excluded: bool = False
) -> Standing:
    """Where a case stands.

    `readings` are (stage, state) of those that count, `accepted` what became of the comparison of a stage's readings,
    by stage, where they were compared.
    """
    counted = list(readings)
    verdict: bool | None = None
    last = stages[0]
    for stage in stages:
        if stage.only_if_disputed and verdict is not False:
            continue
        last = stage
        states = [state for name, state in counted if name == stage.name]
        done = sum(state in Reading.ENDED_STATES for state in states)
        if excluded:
            return Standing(stage, Case.EXCLUDED)
        if done < stage.readers:
            left = max(0, stage.readers - len(states))
            return Standing(stage, Case.TO_READ if left else Case.WITH_READERS, left)
        verdict = None
        if stage.readers > 1 and stage.ends_with == SIGN:
            if stage.name not in accepted:
                return Standing(stage, Case.COMPARING)
            verdict = accepted[stage.name]
    return Standing(last, Case.DISPUTED if verdict is False else Case.DONE)


def counted_readings(case: Case) -> list[tuple[str, str]]:
    """(stage, state) of the readings that count: neither past, nor a repeat, nor an amendment not yet signed."""
    readings = case.readings.exclude(state__in=Reading.PAST_STATES).filter(repeat=0)
    readings = readings.exclude(Q(supersedes__isnull=False) & Q(state__in=Reading.OPEN_STATES))
    return list(readings.values_list("stage", "state"))


def standing_of(case: Case) -> Standing:
    """Where a case stands by what is written down of it now."""
    protocol = protocol_of(case)
    if case.kind != Case.STUDY:
        # Everybody reads what readers are measured by: its places never run out, and it never becomes a reference.
        stage = measured_stage(case, protocol)
        return Standing(stage, Case.EXCLUDED) if case.excluded_reason else Standing(stage, Case.TO_READ, 1)
    compared = case.comparisons.filter(protocol=protocol).order_by("pk")
    accepted = dict(compared.values_list("stage", "accepted"))
    return standing(protocol.stage_list, counted_readings(case), accepted, bool(case.excluded_reason))


def measured_stage(case: Case, protocol: Protocol) -> Stage:
    """The stage at which a case measures readers by a protocol: the one it says, else the first."""
    return next((stage for stage in protocol.stage_list if stage.name == case.measures_stage), protocol.stage_list[0])


def settle(case: Case) -> Standing:
    """Write down where a case stands, in the caller's transaction, which holds the case's row.

    What follows is set going: readings to compare are compared by a worker, a case that is done gets its reference.
    """
    place = standing_of(case)
    before = (case.stage, case.state, case.places_left)
    case.stage, case.state, case.places_left = place.stage.name, place.state, place.places_left
    case.settled_at = timezone.now()
    Case.ever.filter(pk=case.pk).update(
        stage=case.stage, state=case.state, places_left=case.places_left, settled_at=case.settled_at
    )
    if place.state == Case.COMPARING and before[:2] != (case.stage, Case.COMPARING):
        jobs.enqueue("readings.compare_readings", case_id=str(case.pk))
    if case.kind != Case.STUDY:
        jobs.enqueue("readings.grade_case", case_id=str(case.pk))
    if place.state == Case.DONE:
        _name_reference(case, place.stage)
    push.publish(f"progress:{case.campaign.slug}", "case.settled")
    return place


def _name_reference(case: Case, stage: Stage) -> None:
    """Make the one signed reading of the last stage the case's reference, where it is not already."""
    if stage.readers > 1:
        return  # the comparison that accepted them named it
    counted = case.readings.filter(stage=stage.name, state=Reading.SIGNED, repeat=0)
    reading = counted.select_related("signature__version", "protocol").order_by("-ended_at").first()
    if reading is None:
        return
    how = Reference.ADJUDICATED if stage.only_if_disputed else Reference.SIGNED
    if reading.supersedes_id:
        how = Reference.AMENDED
    name_reference(case, version=reading.signature.version, protocol=reading.protocol, how=how)


def name_reference(
    case: Case, *, version: Version, protocol: Protocol, how: str, comparison: Comparison | None = None
) -> Reference:
    """Let a version be what stands for a case from now on; the one that is, stays the one that is."""
    last = case.references.order_by("-number").first()
    if last is not None and last.version_id == version.pk:
        return last
    return Reference.objects.create(
        case=case,
        number=last.number + 1 if last else 1,
        version=version,
        protocol=protocol,
        how=how,
        comparison=comparison,
        began_from_draft=began_from_draft(version.mask),
    )


def began_from_draft(mask: Mask) -> bool:
    """Whether an algorithm's mask is among those that a mask was forked from, at any remove."""
    while mask.forked_from_id:
        mask = Mask.objects.select_related("forked_from").get(versions=mask.forked_from_id)
        if mask.author_kind == "algorithm":
            return True
    return False


def reference_of(case: Case) -> Reference | None:
    """What stands for a case now; None until there is one."""
    return case.references.select_related("version__mask__scan").order_by("-number").first()
