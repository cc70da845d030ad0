"""The home page: numbers of the person who looks, and what waits for them."""

import pytest

from tests.factories.sites import a_team, paint, sign, submit
from tests.webapp.pages.conftest import client_of
from webapp.notices.notify import notify
from webapp.pages.home import cards_for, waiting_for
from webapp.readings.actions import return_submission, start_reading
from webapp.readings.assignment_actions import assign_reading, assign_repeat, exclude_case

pytestmark = pytest.mark.django_db
MOST_QUERIES = 36


def numbers(person):
    (card,) = cards_for(person)
    return card.done, card.open_count, card.to_read, card.whole


def waits(person):
    return [(line.word, line.what, line.detail) for line in waiting_for(person, cards_for(person))]


def home_of(person):
    return client_of(person).get("/").content.decode()


def test_numbers_are_a_readers_own_and_move_with_nothing_that_a_blinded_other_does(run_jobs):
    team = a_team("double_reading", cases=4)
    robin, amara = team["robin"], team["amara"]
    sign(start_reading(case=team.case(0), by=robin))
    start_reading(case=team.case(1), by=robin)
    assert numbers(robin) == (1, 1, 2, 4)
    (before,) = cards_for(robin)
    assert before.percent == 25
    other = start_reading(case=team.case(0), by=amara)
    paint(other, amara, team.phantoms[0].findings * 0)
    sign(other)
    start_reading(case=team.case(2), by=amara)
    run_jobs()
    assert numbers(robin) == (1, 1, 2, 4)
    assert waits(robin) == []
    assert numbers(team["clara"]) == (0, 0, 0, 4)
    assert numbers(team["ada"]) == (0, 0, 1, 1)
    assert waits(team["ada"]) == [("to adjudicate", "1 case", "")]
    exclude_case(case=team.case(3), reason="not a chest", by=team["clara"])
    assert numbers(robin) == (1, 1, 1, 3)


def test_what_waits_is_returned_with_its_reason_late_to_read_again_or_names_me():
    team = a_team("draft_and_review", cases=4)
    kim, robin = team["kim"], team["robin"]
    submit(start_reading(case=team.case(0), by=kim))
    review = start_reading(case=team.case(0), by=robin)
    return_submission(reading=review, reason="The left lung is missing", stroke_sequence=0, by=robin)
    assign_reading(case=team.case(1), reader=kim, by=team["clara"], due_on="2020-01-02")
    notify([kim], "mentioned", sentence="You were mentioned in a comment on case 3.", url="/campaigns/team/cases/3/")
    assert waits(kim) == [
        ("overdue", "Case 2, draft", "due 2020-01-02"),
        ("returned", "Case 1, draft", "The left lung is missing"),
        ("mentioned", "You were mentioned in a comment on case 3.", ""),
    ]
    page = home_of(kim)
    assert "The left lung is missing" in page
    assert "mentioned in a comment" not in home_of(robin)


def test_repeat_waits_from_its_day_and_hides_what_was_read_first():
    team = a_team("ai_check")
    reading = start_reading(case=team.case(), by=team["robin"])
    sign(reading)
    reading.refresh_from_db()
    assert f"/readings/{reading.pk}/" in home_of(team["robin"])
    assign_repeat(reading=reading, after_days=14, by=team["clara"])
    assert waits(team["robin"]) == []
    again = team.case().readings.get(repeat=1)
    again.not_before = None
    again.save()
    assert waits(team["robin"]) == [("to read again", "Case 1, check", "")]
    page = home_of(team["robin"])
    assert f"/readings/{reading.pk}/" not in page
    assert "Start reading" in page


def test_home_needs_as_many_queries_for_many_cases_as_for_one(django_assert_max_num_queries):
    team = a_team("double_reading", cases=4)
    for name in ("robin", "amara"):
        for n in range(3):
            sign(start_reading(case=team.case(n), by=team[name]))
    for name in ("robin", "clara", "ada"):
        client = client_of(team[name])
        with django_assert_max_num_queries(MOST_QUERIES):
            client.get("/")
