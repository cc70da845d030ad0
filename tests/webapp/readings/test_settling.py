"""What an adjudicator is told of the readings in dispute: their scores and comments side by side, by letters alone."""

import json

import numpy as np
import pytest
from django.utils import timezone

from tests.factories.filed import letter_f
from tests.factories.sites import a_team, client_of, paint, sign
from tests.webapp.readings.test_workflow import another_version
from webapp.campaigns.score_presets import PRESET_FORMS
from webapp.readings.actions import amend_reading, start_reading
from webapp.readings.adjudicating import candidates_of
from webapp.readings.answering import record_answers
from webapp.readings.assignment_actions import read_cases_again
from webapp.readings.commenting_actions import open_thread, resolve_thread, withdraw_comment
from webapp.readings.events import READINGS_COMPARED
from webapp.readings.models import Reading
from webapp.readings.nameless import without_names

pytestmark = pytest.mark.django_db
PAN = PRESET_FORMS["pan_2020"]
SCORES = {"robin": {"rul": 2, "rml": 1}, "amara": {"rul": 4}}


def disputed(run_jobs, **terms):
    """A case that two readers painted apart, scored and spoke of; Ada settles it. The team, their readings, hers."""
    team = a_team("double_reading", forms=[PAN], **terms)
    letter = letter_f(team.phantoms[0].findings.shape)
    pair = {}
    for name, findings in (("robin", letter), ("amara", np.roll(letter, 2, axis=2))):
        reading = pair[name] = start_reading(case=team.case(), by=team[name])
        paint(reading, team[name], findings)
        said = [{"form": "pan_2020", "item": f"region/{k}", "value": v} for k, v in SCORES[name].items()]
        record_answers(reading=reading, answers=said, by=team[name])
        open_thread(reading=reading, text=f"A vessel, says {name.title()}", voxel=[3, 4, 5], by=team[name])
        sign(reading)
    run_jobs()
    return team, pair, start_reading(case=team.case(), by=team["ada"])


def told(user, reading):
    """What the viewer is told of what is to be settled; None where the reading is not there for them."""
    answer = client_of(user).get(f"/api/readings/{reading.pk}/")
    return answer.json()["settles"] if answer.status_code == 200 else None


def letters_of(pair):
    return dict(zip("AB", sorted(pair.values(), key=lambda one: one.pk), strict=True))


def test_scores_and_comments_stand_side_by_side_without_a_name_or_a_time(run_jobs):
    team, pair, settling = disputed(run_jobs)
    answer = client_of(team["ada"]).get(f"/api/readings/{settling.pk}/").json()
    settles = answer["settles"]
    expected = {
        letter: {"pan_2020": {f"region/{k}": v for k, v in SCORES[one.reader.username].items()}}
        for letter, one in letters_of(pair).items()
    }
    assert {one["letter"]: one["answers"] for one in settles["candidates"]} == expected
    assert settles["comments"] == [
        {
            "id": str(one.threads.get().pk),
            "letter": letter,
            "voxel": [3, 4, 5],
            "resolved": False,
            "comments": [{"by": letter, "text": f"A vessel, says Reading {letter}"}],
        }
        for letter, one in letters_of(pair).items()
    ]
    # Nothing of it is the adjudicator's own yet.
    assert answer["forms"]["answers"] == {}
    for name in ("robin", "amara"):
        assert name not in json.dumps(answer).casefold()
        assert str(pair[name].pk) not in json.dumps(answer)


def test_once_it_is_settled_comments_are_told_by_name_where_they_always_are(run_jobs):
    team, _, settling = disputed(run_jobs)
    sign(settling)
    assert told(team["ada"], settling)["comments"] == []
    threads = client_of(team["ada"]).get(f"/api/readings/{settling.pk}/comments/").json()["threads"]
    assert {one["whose"]["reader"] for one in threads} == {"Robin", "Amara"}
    assert len(told(team["robin"], settling)["candidates"]) == 2


def test_overseers_see_the_scores_and_the_comments_once(run_jobs):
    team, _, settling = disputed(run_jobs)
    for name in ("clara", "otto"):
        settles = told(team[name], settling)
        assert [len(one["answers"]["pan_2020"]) > 0 for one in settles["candidates"]] == [True, True]
        assert settles["comments"] == []


def test_blinded_readers_are_told_nothing_through_what_was_settled(run_jobs):
    team, _, settling = disputed(run_jobs, unblinded_when="campaign_closed")
    # A protocol may show its adjudications to all; what was settled by them stays hidden for all that.
    stages = team.campaign.protocols.get().stages
    team.campaign.protocols.update(stages=[stages[0], {**stages[1], "blinded": False}])
    sign(settling)
    assert client_of(team["robin"]).get(f"/api/readings/{settling.pk}/").status_code == 200
    assert told(team["robin"], settling) is None
    for state in ("candidate:A", "candidate:B", "consensus:union", "consensus:intersection"):
        assert client_of(team["robin"]).get(f"/api/readings/{settling.pk}/states/{state}/mask/").status_code == 404
        path = f"/api/readings/{settling.pk}/difference/?a=head&b={state}"
        assert client_of(team["robin"]).get(path).status_code == 404
    assert told(team["ada"], settling)["candidates"] != []
    story = "/campaigns/team/cases/1/story/"
    assert READINGS_COMPARED not in client_of(team["robin"]).get(story).content.decode()
    team.campaign.closed_at = timezone.now()
    team.campaign.save()
    assert len(told(team["robin"], settling)["candidates"]) == 2
    assert READINGS_COMPARED in client_of(team["robin"]).get(story).content.decode()
    for name in ("kim", "mallory"):
        assert told(team[name], settling) is None


def test_while_it_is_being_settled_nobody_else_is_told(run_jobs):
    team, pair, settling = disputed(run_jobs)
    for name in ("robin", "amara", "kim", "mallory"):
        assert told(team[name], settling) is None, name
    assert [told(team[name], pair[name]) for name in ("robin", "amara")] == [None, None]


def test_a_dispute_that_is_past_tells_nothing_of_the_readings_that_come_after(run_jobs):
    team, _, settling = disputed(run_jobs)
    sign(settling)
    another_version(team)
    read_cases_again(campaign=team.campaign, cases=[team.case()], reason="A longer look", by=team["clara"])
    anew = start_reading(case=team.case(), by=team["robin"])
    sign(anew)
    # It is still hers to open; what it settled then is by now another's reading that is not over.
    assert client_of(team["ada"]).get(f"/api/readings/{settling.pk}/").status_code == 200
    assert told(team["ada"], settling) is None
    assert client_of(team["ada"]).get(f"/api/readings/{settling.pk}/states/candidate:A/mask/").status_code == 404
    assert candidates_of(Reading.objects.get(pk=settling.pk)) != {}


def test_comments_that_were_withdrawn_stay_withdrawn_and_overseers_are_told_by_role(run_jobs):
    team, pair, settling = disputed(run_jobs)
    robins, amaras = (pair[name].threads.get() for name in ("robin", "amara"))
    first = robins.entries.get()
    withdraw_comment(reading=pair["robin"], thread=robins.pk, comment=first.pk, by=team["robin"])
    resolve_thread(reading=pair["amara"], thread=amaras.pk, by=team["clara"])
    open_thread(reading=pair["amara"], text="@Amara, is it?", voxel=None, by=team["clara"])
    letter = next(letter for letter, one in letters_of(pair).items() if one == pair["amara"])
    said = told(team["ada"], settling)["comments"]
    assert [(one["letter"], one["resolved"], one["voxel"]) for one in said] == [
        (letter, True, [3, 4, 5]),
        (letter, False, None),
    ]
    assert said[1]["comments"] == [{"by": "coordinator", "text": f"Reading {letter}, is it?"}]


def test_an_amended_reading_is_settled_by_its_answers_as_they_were_amended(run_jobs):
    team, pair, settling = disputed(run_jobs)
    robins = Reading.objects.get(pk=pair["robin"].pk)
    amended = amend_reading(reading=robins, reason="The middle lobe anew", by=team["robin"])
    record_answers(reading=amended, answers=[{"form": "pan_2020", "item": "region/rml", "value": 5}], by=team["robin"])
    sign(amended)
    values = [one["answers"]["pan_2020"] for one in told(team["ada"], settling)["candidates"]]
    assert {"region/rul": 2, "region/rml": 5} in values


def test_names_are_taken_out_of_texts_as_whole_words():
    names = {"robin": "A", "Robin Miller": "A", "amara": "B"}
    assert without_names("@robin and Amara's, not amaranth", names) == "Reading A and Reading B's, not amaranth"
    assert without_names("Ask ROBIN MILLER, robin@site.org", names) == "Ask Reading A, Reading A@site.org"
    assert without_names("Nobody.", {}) == "Nobody."
