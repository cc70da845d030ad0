"""Qualification and sentinel cases: read by everybody, told to nobody, counted nowhere."""

import numpy as np
import pytest

from tests.factories.sites import a_team, paint, sign
from webapp.audit.refusal import ActionRefused
from webapp.audit.verify import faults
from webapp.campaigns.models import Case
from webapp.campaigns.protocols import Qualification
from webapp.masks.queries import version_layers
from webapp.readings.actions import start_reading
from webapp.readings.assignment_actions import assign_reading, take_next_case
from webapp.readings.bulk_actions import assign_cases
from webapp.readings.measured_actions import grade_reading, mark_case
from webapp.readings.measured_queries import results_of
from webapp.readings.models import Comparison, Grade, Reading, Reference
from webapp.readings.queries import exportable_readings_for

pytestmark = pytest.mark.django_db


def square(shape, shift: int = 0) -> np.ndarray:
    findings = np.zeros(shape, np.uint8)
    findings[4:6, 10 + shift : 20 + shift, 10:20] = 1
    return findings


def read(team, place: int, name: str, shift: int = 0) -> Reading:
    reading = start_reading(case=team.case(place), by=team[name])
    paint(reading, team[name], square(team.phantoms[place].findings.shape, shift))
    sign(reading)
    return Reading.objects.get(pk=reading.pk)


@pytest.fixture
def team(run_jobs):
    """Case 1 is known by what Ada, who reads no more after it, signed; case 2 is of the study."""
    from webapp.campaigns.actions import add_member

    team = a_team("ai_check", cases=3, qualification=Qualification(0.7, 50.0))
    add_member(campaign=team.campaign, user=team["ada"], role="radiologist", by=team["clara"])
    known = read(team, 0, "ada").signature.version
    mark_case(case=team.case(), kind=Case.QUALIFICATION, known_version=known, by=team["clara"])
    run_jobs()
    return team


def test_reader_qualifies_before_study_cases_are_theirs(team, run_jobs):
    for give in (
        lambda: start_reading(case=team.case(1), by=team["robin"]),
        lambda: assign_reading(case=team.case(1), reader=team["robin"], by=team["clara"]),
        lambda: assign_cases(campaign=team.campaign, numbers=[2], reader=team["robin"], by=team["clara"]),
    ):
        with pytest.raises(ActionRefused):
            give()
    reading = take_next_case(campaign=team.campaign, by=team["robin"])
    assert reading.case.number == 1
    paint(reading, team["robin"], square(team.phantoms[0].findings.shape, 1))
    sign(reading)
    run_jobs()
    grade = Grade.objects.get(reading=reading)
    # Two equal squares of ten rows, one row apart: Dice 0.9.
    assert (grade.dice, grade.passed, grade.reasons) == (pytest.approx(0.9), True, [])
    assert take_next_case(campaign=team.campaign, by=team["robin"]).case.number == 2
    results = {str(one.reader): one.stages for one in results_of(team.campaign, team.campaign.protocols.get())}
    assert (results["Robin"], results["Amara"]) == ([("check", True)], [("check", False)])
    assert list(faults()) == []


def test_reader_who_fails_waits_and_may_be_given_it_again(team, run_jobs):
    from webapp.readings.assignment_actions import assign_repeat

    failed = read(team, 0, "robin", shift=5)
    run_jobs()
    grade = Grade.objects.get(reading=failed)
    assert (grade.dice, grade.passed) == (pytest.approx(0.5), False)
    assert grade.reasons == ["Their Dice is 0.50, below 0.70."]
    with pytest.raises(ActionRefused, match="no case for you"):
        take_next_case(campaign=team.campaign, by=team["robin"])
    assign_repeat(reading=failed, after_days=0, by=team["clara"])
    again = take_next_case(campaign=team.campaign, by=team["robin"])
    paint(again, team["robin"], square(team.phantoms[0].findings.shape))
    sign(again)
    run_jobs()
    assert take_next_case(campaign=team.campaign, by=team["robin"]).case.number == 2


def test_sentinel_is_read_by_everybody_and_becomes_no_reference(team, run_jobs):
    for name in ("robin", "amara"):
        read(team, 0, name)
    run_jobs()
    known = read(team, 1, "ada").signature.version
    mark_case(case=team.case(1), kind=Case.SENTINEL, known_version=known, by=team["clara"])
    references = Reference.objects.count()
    readings = [read(team, 1, name, shift) for name, shift in (("robin", 2), ("amara", 3))]
    run_jobs()
    assert [Grade.objects.get(reading=one).dice for one in readings] == [pytest.approx(0.8), pytest.approx(0.7)]
    assert (team.case(1).state, team.case(1).places_left) == (Case.TO_READ, 1)
    assert Reference.objects.count() == references
    assert not Comparison.objects.exists()
    # Blinded for good: neither sees the other's, and what readers are measured by is no part of the study's tables.
    from webapp.readings.queries import readings_in_campaign_for

    for name, own in zip(("robin", "amara"), readings, strict=True):
        seen = readings_in_campaign_for(team[name], team.campaign).filter(case=team.case(1))
        assert [one.pk for one in seen] == [own.pk]
    assert not exportable_readings_for(team["clara"], team.campaign).exists()
    with pytest.raises(ActionRefused, match="have a reading"):
        start_reading(case=team.case(1), by=team["robin"])


def test_kind_reaches_no_reader(team, run_jobs, client):
    reading = read(team, 0, "robin")
    run_jobs()
    client.force_login(team["robin"])
    assert len(client.get("/campaigns/team/?kind=qualification").context["lines"]) == 3
    for address in (
        "/",
        "/campaigns/team/",
        "/campaigns/team/cases/1/",
        "/campaigns/team/cases/1/story/",
        f"/api/readings/{reading.pk}/",
    ):
        text = client.get(address).content.decode().lower()
        assert not any(word in text for word in ("qualification", "sentinel", "graded", "known_version")), address


def test_marking_is_refused_where_it_would_mean_nothing(team):
    open_one = team.case(2)
    known = team.case(0).known_version
    for kind, version in (("sentinel", None), ("study", known), ("gold", known), ("sentinel", known)):
        with pytest.raises(ActionRefused):
            mark_case(case=open_one, kind=kind, known_version=version, by=team["clara"])
    with pytest.raises(ActionRefused, match="Only a coordinator"):
        mark_case(case=team.case(), kind="study", known_version=None, by=team["robin"])
    reading = start_reading(case=team.case(), by=team["robin"])
    with pytest.raises(ActionRefused, match="being read"):
        mark_case(case=team.case(), kind="study", known_version=None, by=team["clara"])
    assert reading.case.kind == Case.QUALIFICATION


def test_case_goes_back_to_the_study_as_it_stood(team):
    mark_case(case=team.case(), kind="study", known_version=None, by=team["clara"])
    assert (team.case().state, team.case().known_version) == (Case.DONE, None)


def test_grades_are_the_sites_alone_and_never_change(team, run_jobs):
    from django.db import transaction
    from django.db.utils import DatabaseError

    reading = read(team, 0, "robin")
    run_jobs()
    grade = Grade.objects.get(reading=reading)
    version = reading.signature.version
    pair = {"dice": 1.0, "extent_difference": 0.0, "empty": [False, False]}
    with pytest.raises(ActionRefused, match="by the site alone"):
        grade_reading(reading=reading, version=version, known_version=version, pair=pair, by=team["clara"])
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Grade.objects.filter(pk=grade.pk).update(passed=False)
    assert version_layers(version)["findings"].any()
