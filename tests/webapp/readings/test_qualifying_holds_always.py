"""Whatever readers pass and fail: study cases of a stage open exactly when every case that measures it is passed."""

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories.sites import Team, a_team
from tests.webapp.readings.test_qualifying_at_any_stage import read
from webapp.campaigns.actions import add_member
from webapp.campaigns.protocols import Qualification
from webapp.readings.actions import start_reading
from webapp.readings.bulk_actions import Table
from webapp.readings.measured_actions import mark_case
from webapp.readings.models import Grade
from webapp.readings.qualifying import readers_to_qualify, stages_to_qualify
from webapp.readings.rules import may_be_assigned, stage_of

pytestmark = pytest.mark.django_db

# The places of the measured cases, with the stage that each measures, and of a study case that stands at each stage.
MEASURED = {0: "draft", 1: "review", 2: "review"}
STUDY = {"draft": 4, "review": 3}
READERS = {"tom": "draft", "robin": "review", "amara": "review"}
PAIRS = [(name, place) for name, stage in READERS.items() for place in MEASURED if MEASURED[place] == stage]


@pytest.fixture
def team(run_jobs) -> Team:
    team = a_team("draft_and_review", cases=5, qualification=Qualification())
    add_member(campaign=team.campaign, user=team["ada"], role="radiologist", by=team["clara"])
    for place in MEASURED:
        read(team, place, team["kim"], shift=4)
    read(team, STUDY["review"], team["kim"])
    for place, stage in MEASURED.items():
        known = read(team, place, team["ada"]).signature.version
        name = "" if stage == "draft" else stage
        mark_case(case=team.case(place), kind="qualification", known_version=known, stage_name=name, by=team["clara"])
    run_jobs()
    return team


def grade(team: Team, name: str, place: int, passed: bool) -> None:
    case = team.case(place)
    reading = start_reading(case=case, by=team[name])
    known = case.known_version
    Grade.objects.create(reading=reading, kind=case.kind, version=known, known_version=known, passed=passed)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(results=st.fixed_dictionaries({pair: st.sampled_from([None, False, True]) for pair in PAIRS}))
def test_study_cases_open_exactly_when_all_cases_of_the_stage_are_passed(team, results):
    with transaction.atomic():
        for (name, place), passed in results.items():
            if passed is not None:
                grade(team, name, place, passed)
        everybody = readers_to_qualify(team.campaign, {team[name].pk for name in READERS})
        table = Table.of(team.campaign, [place + 1 for place in STUDY.values()])
        for name, stage in READERS.items():
            all_passed = all(passed for (who, _), passed in results.items() if who == name)
            person, case = team[name], team.case(STUDY[stage])
            assert (stage not in stages_to_qualify(person, team.campaign)) == all_passed
            assert everybody.get(person.pk, set()) == stages_to_qualify(person, team.campaign)
            assert (may_be_assigned(case, stage_of(case), person) is None) == all_passed
            assert table.may_read(case.number, person.pk) == all_passed
        transaction.set_rollback(True)
