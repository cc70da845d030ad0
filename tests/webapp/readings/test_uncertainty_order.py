"""Most uncertain first: only where nobody is blinded to the AI, and never another set of cases than without."""

import datetime
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories.sites import a_team
from webapp.algorithms.models import DraftRun
from webapp.audit.refusal import ActionRefused
from webapp.campaigns.actions import set_protocol
from webapp.campaigns.models import Case
from webapp.campaigns.protocols import (
    EMPTY,
    MOST_UNCERTAIN,
    ORDERS,
    PRESETS,
    Arms,
    Stage,
    Terms,
    ai_is_blinded,
    stored_stages,
)
from webapp.campaigns.queries import current_protocol
from webapp.pages.worklist_search import Place, Wish
from webapp.readings.around import cases_with_room_for, next_case_after
from webapp.readings.assignment_actions import assign_reading, take_next_case
from webapp.readings.models import Reading

pytestmark = pytest.mark.django_db


def say(team, order: str) -> None:
    """Have the protocol say so, as if it had begun with it."""
    protocol = current_protocol(team.campaign)
    protocol.terms = {**protocol.terms, "order": order}
    protocol.save()


def be_unsure(team, *uncertainties: float | None) -> None:
    """How unsure the algorithm is of each case, in their order."""
    for case, uncertainty in zip(team.cases, uncertainties, strict=True):
        DraftRun.objects.filter(scan=case.scan_id).update(uncertainty=uncertainty)


def numbers(team, who: str = "robin") -> list[int]:
    return [case.number for case in cases_with_room_for(team[who], team.campaign)]


def test_cases_come_by_uncertainty_and_those_without_last():
    team = a_team("ai_check", cases=4)
    be_unsure(team, 0.1, None, 0.9, 0.5)
    assert numbers(team) == [1, 2, 3, 4]
    say(team, MOST_UNCERTAIN)
    assert numbers(team) == [3, 4, 1, 2]
    assert take_next_case(campaign=team.campaign, by=team["robin"]).case.number == 3
    reading = take_next_case(campaign=team.campaign, by=team["robin"])
    assert reading.case.number == 4
    assert next_case_after(reading, team["robin"]).case.number == 1


def test_what_coordinators_say_comes_before_what_the_algorithm_does_not_know():
    team = a_team("ai_check", cases=5)
    be_unsure(team, 0.9, 0.8, 0.2, 0.1, 0.7)
    say(team, MOST_UNCERTAIN)
    Case.objects.filter(pk=team.cases[3].pk).update(priority=1)
    Case.objects.filter(pk=team.cases[2].pk).update(due_on=datetime.date(2026, 1, 1))
    assign_reading(case=team.case(4), reader=team["robin"], by=team["clara"])
    assert numbers(team) == [5, 4, 3, 1, 2]


def test_the_list_of_what_is_to_be_read_has_the_same_order():
    from django.http import QueryDict

    team = a_team("ai_check", cases=3)
    be_unsure(team, 0.1, 0.9, 0.5)
    say(team, MOST_UNCERTAIN)
    place = Place(team["robin"], team.campaign)
    wish = Wish.of(QueryDict("show=ready"), place)
    listed = wish.ordered(wish.shown(team.campaign.cases.all()), place)
    assert [case.number for case in listed] == [2, 3, 1]


@pytest.mark.parametrize(
    ("stages", "terms", "blinded"),
    [
        ([Stage("check", "radiologist")], Terms(), False),
        (PRESETS["draft_and_review"].stages, Terms(), False),
        (PRESETS["double_reading"].stages, Terms(), False),
        ([Stage("check", "radiologist")], Terms(hides_ai=True), True),
        ([Stage("check", "radiologist")], Terms(arms=Arms()), True),
        ([Stage("check", "radiologist", starts_from=EMPTY)], Terms(), True),
        ([Stage("a", "technician", ends_with="submit"), Stage("b", "radiologist", starts_from=EMPTY)], Terms(), True),
    ],
)
def test_ai_is_blinded_where_somebody_reads_without_knowing_of_it(stages, terms, blinded):
    assert ai_is_blinded(stages, terms) == blinded


def order_refused(team, **terms: object) -> str:
    protocol = current_protocol(team.campaign)
    with pytest.raises(ActionRefused) as refused:
        set_protocol(
            campaign=team.campaign,
            stages=protocol.stage_list,
            terms=replace(protocol.said, order=MOST_UNCERTAIN, **terms),
            statement=protocol.statement,
            note="",
            known_version=protocol.version,
            by=team["clara"],
        )
    return refused.value.sentence


def test_order_is_refused_where_the_ai_is_blinded():
    team = a_team("ai_check")
    for terms in ({"hides_ai": True}, {"arms": Arms()}):
        assert "tells readers something about the AI" in order_refused(team, **terms)
    assert current_protocol(team.campaign).version == 1


def test_order_is_refused_without_an_algorithm():
    team = a_team("ai_check")
    team.campaign.draft_algorithm = None
    team.campaign.save()
    assert "no algorithm" in order_refused(team)


def test_order_is_not_kept_to_where_a_version_came_to_blind_the_ai():
    team = a_team("ai_check", cases=3)
    be_unsure(team, 0.1, 0.9, 0.5)
    say(team, MOST_UNCERTAIN)
    protocol = current_protocol(team.campaign)
    protocol.terms = {**protocol.terms, "hides_ai": True}
    protocol.save()
    assert numbers(team) == [1, 2, 3]


def test_cases_read_under_a_version_that_blinds_the_ai_come_last():
    team = a_team("ai_check", cases=3, order=MOST_UNCERTAIN)
    be_unsure(team, 0.5, 0.9, 0.7)
    older = current_protocol(team.campaign)
    older.terms = {**older.terms, "hides_ai": True, "order": "number"}
    older.save()
    Case.objects.filter(pk=team.cases[1].pk).update(protocol=older)
    terms = replace(older.said, hides_ai=False, order=MOST_UNCERTAIN)
    team.campaign.protocols.create(
        version=2, stages=stored_stages(older.stage_list), terms=terms.stored, statement=older.statement
    )
    assert numbers(team) == [3, 1, 2]


@pytest.fixture
def large_team():
    return a_team("double_reading", cases=7)


CASES = st.tuples(
    st.none() | st.floats(0, 1),
    st.integers(-9, 9),
    st.none() | st.dates(datetime.date(2026, 1, 1), datetime.date(2026, 1, 3)),
    st.sampled_from(["nobody", "robin", "amara"]),
    st.booleans(),
)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.lists(CASES, min_size=7, max_size=7))
def test_the_order_never_changes_which_cases_a_person_may_get(large_team, cases):
    team = large_team
    Reading.objects.all().delete()
    for case, (uncertainty, priority, due_on, holder, excluded) in zip(team.cases, cases, strict=True):
        DraftRun.objects.filter(scan=case.scan_id).update(uncertainty=uncertainty)
        reason = "of another study" if excluded else ""
        state = Case.EXCLUDED if excluded else Case.TO_READ
        Case.objects.filter(pk=case.pk).update(
            priority=priority, due_on=due_on, excluded_reason=reason, state=state, places_left=2
        )
        if holder != "nobody" and not excluded:
            assign_reading(case=team.campaign.cases.get(pk=case.pk), reader=team[holder], by=team["clara"])
    for who in ("robin", "amara", "kim", "ada"):
        found = {}
        for order in ORDERS:
            say(team, order)
            listed = numbers(team, who)
            assert len(listed) == len(set(listed))
            found[order] = set(listed)
        assert found["number"] == found["random"] == found[MOST_UNCERTAIN]
    say(team, MOST_UNCERTAIN)
    keys = [
        (
            not case.assigned,
            -case.priority,
            case.due_on or datetime.date.max,
            -(case.scan.draft_runs.get().uncertainty if case.scan.draft_runs.get().uncertainty is not None else -1),
            case.number,
        )
        for case in cases_with_room_for(team["robin"], team.campaign)
    ]
    assert keys == sorted(keys)
