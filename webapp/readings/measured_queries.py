"""Cases that readers are measured by: what is known of them, and how readers did."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from webapp.accounts.models import User
from webapp.algorithms.queries import finished_draft
from webapp.campaigns.models import Campaign, Case, Membership, Protocol
from webapp.campaigns.protocols import Stage
from webapp.masks.models import Version
from webapp.masks.queries import imported_version, imports_of
from webapp.readings.models import Grade, Reading, Signature, Submission
from webapp.readings.qualifying import readers_to_qualify
from webapp.readings.queries import ended_version


def ungraded_readings(case: Case) -> list[tuple[Reading, Version]]:
    """The ended readings of the stage that a case measures, not graded yet, with the version that each ended in.

    The reading whose version is what is known of the case is not graded against itself.
    """
    readings = case.readings.filter(stage=case.stage, state__in=Reading.ENDED_STATES, supersedes=None, grade=None)
    ended = [(reading, ended_version(reading)) for reading in readings.order_by("ended_at")]
    return [(one, version) for one, version in ended if version is not None and version.pk != case.known_version_id]


def known_choices(case: Case) -> list[tuple[Version, str]]:
    """The versions that may be what is known of a case, with a name for each: signed ones and imported masks."""
    labels = case.campaign.label_set
    signed = Signature.objects.filter(reading__case=case).select_related("version__mask").order_by("-signed_at")
    if case.kind != Case.STUDY:
        # What readers were measured with is no reference.
        signed = signed.exclude(reading__in=measured_readings(case))
    choices = [(one.version, f"signed by {one.signer_name}, {one.signed_at:%Y-%m-%d}") for one in signed]
    return choices + [(imported_version(one), f"imported, {one.data_set}") for one in imports_of(case.scan, labels)]


def start_choices(case: Case) -> list[tuple[Version, str]]:
    """The versions that readers of a case may be made to begin from, with a name for each.

    The AI draft, what was submitted or signed, what came with the scan: whatever was prepared for it.
    """
    campaign = case.campaign
    run = finished_draft(case.scan, campaign.draft_algorithm, campaign.label_set) if campaign.draft_algorithm else None
    found = [(run.mask.versions.get(number=1), f"the AI draft, {campaign.draft_algorithm}")] if run and run.mask else []
    submitted = Submission.objects.filter(reading__case=case).select_related("version__mask", "reading__reader")
    found += [
        (one.version, f"handed on by {one.reading.reader}, {one.submitted_at:%Y-%m-%d}")
        for one in submitted.order_by("-submitted_at")
    ]
    return found + known_choices(case)


def measured_readings(case: Case) -> QuerySet[Reading]:
    """The ended readings of a case that were begun to measure readers, amendments and repeats among them."""
    ended = case.readings.filter(state__in=(*Reading.ENDED_STATES, Reading.SUPERSEDED))
    if case.measures_since is None:
        return ended.exclude(grade=None)
    return ended.filter(started_at__gte=case.measures_since)


@dataclass(frozen=True)
class ReaderResults:
    """A reader's graded readings in order of time, and where they read study cases: (stage, whether they may)."""

    reader: User
    stages: list[tuple[str, bool]]
    grades: list[Grade]


def results_of(campaign: Campaign, protocol: Protocol) -> list[ReaderResults]:
    """Every reader's results in qualification and sentinel cases, in order of time; a fixed number of queries."""
    grades: dict[Any, list[Grade]] = defaultdict(list)
    rows = Grade.objects.filter(reading__case__campaign=campaign).select_related("reading__case", "reading__reader")
    people: dict[Any, User] = {}
    for grade in rows.order_by("reading__ended_at"):
        grades[grade.reading.reader_id].append(grade)
        people[grade.reading.reader_id] = grade.reading.reader
    roles: dict[Any, set[str]] = defaultdict(set)
    measured = _measured_stages(campaign, protocol)
    wanted = {stage.role for stage in measured}
    for one in Membership.objects.filter(campaign=campaign, role__in=wanted).select_related("user"):
        people[one.user_id] = one.user
        roles[one.user_id].add(one.role)
    waiting = readers_to_qualify(campaign, set(people))
    found = [
        ReaderResults(
            person,
            [(stage.name, stage.name not in waiting.get(pk, ())) for stage in measured if stage.role in roles[pk]],
            grades[pk],
        )
        for pk, person in people.items()
    ]
    return sorted(found, key=lambda one: str(one.reader).casefold())


def _measured_stages(campaign: Campaign, protocol: Protocol) -> list[Stage]:
    """The stages whose readers are measured by a case; the first where none is."""
    stages = protocol.stage_list
    names = set(campaign.cases.exclude(kind=Case.STUDY).values_list("measures_stage", flat=True)) or {""}
    return [stage for stage in stages if stage.name in names or ("" in names and stage is stages[0])]
