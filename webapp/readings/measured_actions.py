"""Cases are marked as what readers are measured by, and readings of them are graded."""

from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from webapp.audit.actor import actor_of
from webapp.audit.refusal import ActionRefused, Refusal, require
from webapp.audit.trail import audited, record
from webapp.campaigns.actions import chain_of
from webapp.campaigns.models import Case
from webapp.campaigns.protocols import EMPTY, IMPORTED_MASK, PREVIOUS, STARTS, Acceptance, Qualification, Stage
from webapp.campaigns.queries import current_protocol, protocol_of
from webapp.campaigns.rules import may_assign
from webapp.masks.consensus import OF_THREE, RULES, consensus_version
from webapp.masks.models import Version
from webapp.readings import events
from webapp.readings.actions import held_case
from webapp.readings.comparing import objections
from webapp.readings.measured_queries import known_choices, measured_readings, start_choices
from webapp.readings.models import Grade, Reading
from webapp.readings.queries import ended_versions
from webapp.readings.standing import settle

AS_THE_STAGE = "stage"


@audited(events.CASE_MARKED)
def mark_case(
    *,
    case: Case,
    kind: str,
    known_version: Version | None,
    by: Any,
    stage_name: str = "",
    start: Version | str = AS_THE_STAGE,
) -> Case:
    """Say that a case measures readers of a stage (with what is known of it), or that it is one of the study.

    `stage_name` is empty for the first stage. Readers begin from `start`: as the stage says (AS_THE_STAGE), EMPTY, or a
    version that was prepared for it; where the stage begins from earlier readings, what those ended in is fixed now, so
    that all begin alike. Study readings of it that are open are not disturbed: a case with some is not marked.
    """
    case = held_case(case)
    require(may_assign(case.campaign, by) or _refusal_of_mark(case, kind, known_version, stage_name))
    if known_version is None:
        begins_from = None
    else:
        stage = _stage_called(case, stage_name)
        begins_from = _start_of(case, stage, start, by)
        require(_refusal_of_start(case, known_version, begins_from))
    same = (kind, known_version, stage_name, begins_from)
    unchanged = Refusal("unchanged", f"Case {case.number} is that already.")
    require(unchanged if (case.kind, case.known_version, case.measures_stage, case.start_version) == same else None)
    before = case.kind
    measures = {
        "kind": kind,
        "known_version": known_version,
        "measures_stage": stage_name,
        "start_version": begins_from,
        "measures_since": None if kind == Case.STUDY else case.measures_since or timezone.now(),
    }
    for name, value in measures.items():
        setattr(case, name, value)
    Case.ever.filter(pk=case.pk).update(**measures)
    settle(case)
    record(
        events.CASE_MARKED,
        by=by,
        chain=chain_of(case.campaign),
        subject=f"case:{case.pk}",
        case=case.number,
        before=before,
        after=kind,
        stage=stage_name or None,
        known_version=known_version.sha256 if known_version else None,
        start_version=begins_from.sha256 if begins_from else None,
    )
    return case


def _stage_called(case: Case, name: str) -> Stage:
    """The stage that a case is to measure readers of: of the present protocol, and of the one that the case goes by."""
    stages = {stage.name: stage for stage in protocol_of(case).stage_list}
    now = {stage.name for stage in current_protocol(case.campaign).stage_list}
    if not name:
        return protocol_of(case).stage_list[0]
    if name not in stages or name not in now:
        sentence = f"There is no stage {name[:60]!r} in the protocol that case {case.number} is read by."
        raise ActionRefused(Refusal("malformed", sentence))
    return stages[name]


def _start_of(case: Case, stage: Stage, start: Version | str, by: Any) -> Version | None:
    """The version that everybody begins from; None for what the stage says, and for an empty mask after others."""
    if isinstance(start, Version):
        if start.pk not in {version.pk for version, _ in start_choices(case)}:
            raise ActionRefused(Refusal("malformed", "Readers begin from a version of this very scan."))
        return start
    if start == EMPTY and stage.starts_from not in STARTS:
        return None
    if start != AS_THE_STAGE:
        raise ActionRefused(Refusal("malformed", "Say what readers begin from."))
    if stage.starts_from in STARTS:
        return None
    ended = ended_versions(case, stage)
    if stage.starts_from == PREVIOUS and ended:
        return ended[-1]
    if stage.starts_from in RULES and len(ended) > (2 if stage.starts_from in OF_THREE else 1):
        return consensus_version(versions=ended, rule=stage.starts_from, by=by, chain=chain_of(case.campaign))
    sentence = f"The stage {stage.name} begins from what was read before it, and case {case.number} was not: choose "
    raise ActionRefused(Refusal("no_start", sentence + "a version that its readers begin from, or an empty mask."))


def _refusal_of_mark(case: Case, kind: str, known: Version | None, stage_name: str) -> Refusal | None:
    if kind not in Case.KINDS or (kind == Case.STUDY) != (known is None) or (kind == Case.STUDY and stage_name):
        return Refusal("malformed", "A qualification or sentinel case has a known reference; a study case has none.")
    if case.readings.filter(state__in=Reading.OPEN_STATES).exists():
        return Refusal("being_read", f"Case {case.number} is being read: release its open readings first.")
    if kind == Case.STUDY:
        return _refusal_of_return(case)
    if known is not None and known.pk not in {version.pk for version, _ in known_choices(case)}:
        return Refusal(
            "malformed", f"What is known of case {case.number} is a signed version of it or a mask that came with it."
        )
    return None


def _refusal_of_return(case: Case) -> Refusal | None:
    """Why a case does not go back to the study: readings that measured readers would count in it as the study's."""
    if case.kind == Case.STUDY:
        return Refusal("unchanged", f"Case {case.number} is that already.")
    if not measured_readings(case).exists():
        return None
    sentence = f"Readers were measured by case {case.number}, and their readings would count in the study: it stays "
    return Refusal("measured", sentence + "what it is, or leaves the campaign.")


def _refusal_of_start(case: Case, known: Version, begins_from: Version | None) -> Refusal | None:
    """Why a case would measure nothing: readers begin from the known reference, or are shown it."""
    refusal = Refusal("known_start", "Readings begin from that very mask: a reader would be measured by nothing.")
    if begins_from is not None and begins_from.sha256 == known.sha256:
        return refusal
    imported = getattr(known.mask, "imported", None)
    stages = current_protocol(case.campaign).stage_list
    shown = {stage.data_set for stage in stages if stage.starts_from == IMPORTED_MASK}
    return refusal if imported and str(imported.data_set_id) in shown else None


@audited(events.READING_GRADED)
def grade_reading(
    *, reading: Reading, version: Version, known_version: Version, pair: Mapping[str, Any], by: Any
) -> Grade:
    """Write down how near a reading came to what is known of its case."""
    if actor_of(by).kind != "system":
        raise ActionRefused(Refusal("not_allowed", "Readings are graded by the site alone."))
    case = held_case(reading.case)
    known = Grade.objects.filter(reading=reading).first()
    rule = current_protocol(case.campaign).said.qualification or Qualification()
    reasons = objections(
        [{**pair, "contradicting_slices": []}], Acceptance(rule.dice_at_least, rule.extent_difference_at_most)
    )
    grade = known or Grade.objects.create(
        reading=reading,
        kind=case.kind,
        version=version,
        known_version=known_version,
        dice=pair["dice"],
        extent_difference=pair["extent_difference"],
        passed=not reasons,
        reasons=reasons,
    )
    record(
        events.READING_GRADED,
        by=by,
        chain=chain_of(case.campaign),
        # About the case: what is about their reading, a reader may find in the case's story.
        subject=f"case:{case.pk}",
        reading=str(reading.pk),
        case=case.number,
        kind=grade.kind,
        dice=grade.dice,
        extent_difference=grade.extent_difference,
        passed=grade.passed,
        already_there=known is not None,
    )
    return grade
