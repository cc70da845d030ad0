"""Cases that readers are measured by: what is known of them, and how readers did."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from webapp.accounts.models import User
from webapp.campaigns.models import Campaign, Case, Membership, Protocol
from webapp.masks.models import Version
from webapp.masks.queries import imported_version, imports_of
from webapp.readings.models import Grade, Reading, Signature
from webapp.readings.queries import ended_version


def ungraded_readings(case: Case) -> list[tuple[Reading, Version]]:
    """The ended readings of a measured case that were not graded yet, with the version that each ended in.

    The reading whose version is what is known of the case is not graded against itself.
    """
    readings = case.readings.filter(state__in=Reading.ENDED_STATES, supersedes=None, grade=None)
    ended = [(reading, ended_version(reading)) for reading in readings.order_by("ended_at")]
    return [(one, version) for one, version in ended if version is not None and version.pk != case.known_version_id]


def known_choices(case: Case) -> list[tuple[Version, str]]:
    """The versions that may be what is known of a case, with a name for each: signed ones and imported masks."""
    labels = case.campaign.label_set
    signed = Signature.objects.filter(reading__case=case).select_related("version__mask").order_by("-signed_at")
    choices = [(one.version, f"signed by {one.signer_name}, {one.signed_at:%Y-%m-%d}") for one in signed]
    return choices + [(imported_version(one), f"imported, {one.data_set}") for one in imports_of(case.scan, labels)]


@dataclass(frozen=True)
class ReaderResults:
    """A reader's graded readings in order of time, and whether they may read study cases."""

    reader: User
    qualified: bool
    grades: list[Grade]


def results_of(campaign: Campaign, protocol: Protocol) -> list[ReaderResults]:
    """Every reader's results in qualification and sentinel cases, in order of time; a fixed number of queries."""
    grades: dict[Any, list[Grade]] = defaultdict(list)
    rows = Grade.objects.filter(reading__case__campaign=campaign).select_related("reading__case", "reading__reader")
    people: dict[Any, User] = {}
    for grade in rows.order_by("reading__ended_at"):
        grades[grade.reading.reader_id].append(grade)
        people[grade.reading.reader_id] = grade.reading.reader
    role = protocol.stage_list[0].role
    for one in Membership.objects.filter(campaign=campaign, role=role).select_related("user"):
        people[one.user_id] = one.user
    waiting = unqualified_readers(campaign, protocol, set(people))
    found = [ReaderResults(person, pk not in waiting, grades[pk]) for pk, person in people.items()]
    return sorted(found, key=lambda one: str(one.reader).casefold())


def unqualified_readers(campaign: Campaign, protocol: Protocol, readers: set[Any]) -> set[Any]:
    """Those of some readers who have yet to pass a qualification case (rules.is_to_qualify, for many at once)."""
    if protocol.said.qualification is None:
        return set()
    rows = campaign.cases.filter(kind=Case.QUALIFICATION, excluded_reason="")
    authors = dict(rows.values_list("pk", "known_version__mask__author_id"))
    cases = set(authors)
    passed: dict[Any, set[Any]] = {
        reader: {case for case, author in authors.items() if author == str(reader)} for reader in readers
    }
    grades = Grade.objects.filter(reading__case__in=cases, reading__reader__in=readers, passed=True)
    for reader, case in grades.values_list("reading__reader_id", "reading__case_id"):
        passed[reader].add(case)
    return {reader for reader in readers if cases - passed[reader]}
