"""Cases are marked as what readers are measured by, and readings of them are graded."""

from collections.abc import Mapping
from typing import Any

from webapp.audit.actor import actor_of
from webapp.audit.refusal import ActionRefused, Refusal, require
from webapp.audit.trail import audited, record
from webapp.campaigns.actions import chain_of
from webapp.campaigns.models import Case
from webapp.campaigns.protocols import IMPORTED_MASK, Acceptance, Qualification
from webapp.campaigns.queries import current_protocol
from webapp.campaigns.rules import may_assign
from webapp.masks.models import Version
from webapp.readings import events
from webapp.readings.actions import held_case
from webapp.readings.comparing import objections
from webapp.readings.measured_queries import known_choices
from webapp.readings.models import Grade, Reading
from webapp.readings.standing import settle


@audited(events.CASE_MARKED)
def mark_case(*, case: Case, kind: str, known_version: Version | None, by: Any) -> Case:
    """Say that a case measures readers (with what is known of it), or that it is one of the study.

    Study readings of it that are open are not disturbed: a case with some is not marked.
    """
    case = held_case(case)
    require(may_assign(case.campaign, by) or _refusal_of_mark(case, kind, known_version))
    before = case.kind
    case.kind, case.known_version = kind, known_version
    Case.ever.filter(pk=case.pk).update(kind=kind, known_version=known_version)
    settle(case)
    record(
        events.CASE_MARKED,
        by=by,
        chain=chain_of(case.campaign),
        subject=f"case:{case.pk}",
        case=case.number,
        before=before,
        after=kind,
        known_version=known_version.sha256 if known_version else None,
    )
    return case


def _refusal_of_mark(case: Case, kind: str, known: Version | None) -> Refusal | None:
    if kind not in Case.KINDS or (kind == Case.STUDY) != (known is None):
        return Refusal("malformed", "A qualification or sentinel case has a known reference; a study case has none.")
    if case.kind == kind and case.known_version_id == (known.pk if known else None):
        return Refusal("unchanged", f"Case {case.number} is that already.")
    if case.readings.filter(state__in=Reading.OPEN_STATES).exists():
        return Refusal("being_read", f"Case {case.number} is being read: release its open readings first.")
    if known is None:
        return None
    if known.pk not in {version.pk for version, _ in known_choices(case)}:
        return Refusal(
            "malformed", f"What is known of case {case.number} is a signed version of it or a mask that came with it."
        )
    first = current_protocol(case.campaign).stage_list[0]
    imported = getattr(known.mask, "imported", None)
    if first.starts_from == IMPORTED_MASK and imported and str(imported.data_set_id) == first.data_set:
        return Refusal("known_start", "Readings begin from that very mask: a reader would be measured by nothing.")
    return None


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
