"""Readers of any stage qualify: from where the stage begins, against what is known, and for that stage alone."""

from dataclasses import replace

import numpy as np
import pytest

from tests.factories.sites import Team, a_person, a_team, client_of, paint, sign, submit
from webapp.algorithms.queries import finished_draft
from webapp.audit.models import Event
from webapp.audit.refusal import ActionRefused
from webapp.audit.verify import faults
from webapp.campaigns.actions import add_member, set_protocol
from webapp.campaigns.models import Case
from webapp.campaigns.protocols import Qualification
from webapp.campaigns.queries import current_protocol
from webapp.masks.queries import head_layers
from webapp.readings.actions import return_submission, start_reading
from webapp.readings.adjudicating import candidates_of
from webapp.readings.assignment_actions import assign_reading, take_next_case
from webapp.readings.bulk_actions import Table, exclude_cases
from webapp.readings.measured_actions import AS_THE_STAGE, mark_case
from webapp.readings.measured_queries import known_choices, results_of, start_choices
from webapp.readings.models import Grade, Reading
from webapp.readings.qualifying import readers_to_qualify, stages_to_qualify
from webapp.readings.queries import readings_of_case_for
from webapp.readings.rules import may_be_assigned, stage_of

pytestmark = pytest.mark.django_db


def square(team: Team, shift: int = 0) -> np.ndarray:
    findings = np.zeros(team.phantoms[0].findings.shape, np.uint8)
    findings[4:6, 10 + shift : 20 + shift, 10:20] = 1
    return findings


def read(team: Team, place: int, person, shift: int = 0) -> Reading:
    """Read a case where it stands, a square moved by some rows, and end the reading as the stage does."""
    reading = start_reading(case=team.case(place), by=person)
    paint(reading, person, square(team, shift))
    (submit if reading.protocol.stage(reading.stage).ends_with == "submit" else sign)(reading)
    return Reading.objects.get(pk=reading.pk)


@pytest.fixture
def reviewed(run_jobs) -> Team:
    """Case 1: drafted by Kim, known by Ada's review, measures reviewers. Case 2 is drafted, case 3 is not."""
    team = a_team("draft_and_review", cases=3, qualification=Qualification(0.7, 50.0))
    add_member(campaign=team.campaign, user=team["ada"], role="radiologist", by=team["clara"])
    read(team, 0, team["kim"], shift=8)
    known = read(team, 0, team["ada"]).signature.version
    read(team, 1, team["kim"], shift=8)
    mark_case(case=team.case(), kind="qualification", known_version=known, stage_name="review", by=team["clara"])
    run_jobs()
    return team


@pytest.fixture
def disputed(run_jobs) -> Team:
    """Cases 1 and 2 are disputed; case 1 is known by Ada's adjudication and measures adjudicators, as Ida is."""
    team = a_team("double_reading", cases=2, qualification=Qualification(0.7, 50.0))
    team.people["ida"] = a_person("ida", team.campaign, "adjudicator")
    for place in (0, 1):
        read(team, place, team["robin"])
        read(team, place, team["amara"], shift=6)
        run_jobs()
    known = read(team, 0, team["ada"], shift=1).signature.version
    mark_case(case=team.case(), kind="qualification", known_version=known, stage_name="adjudication", by=team["clara"])
    run_jobs()
    return team


def test_reviewer_qualifies_from_the_submission_before_real_cases_are_theirs(reviewed, run_jobs):
    team, robin = reviewed, reviewed["robin"]
    assert (team.case(1).stage, team.case(0).stage, team.case(0).state) == ("review", "review", Case.TO_READ)
    for give in (
        lambda: start_reading(case=team.case(1), by=robin),
        lambda: assign_reading(case=team.case(1), reader=robin, by=team["clara"]),
    ):
        with pytest.raises(ActionRefused) as refused:
            give()
        assert refused.value.code == "not_qualified"
    reading = take_next_case(campaign=team.campaign, by=robin)
    assert (reading.case.number, reading.stage) == (1, "review")
    # It begins from what Kim handed on, as a review does, and not from what is known.
    assert np.array_equal(head_layers(reading.mask)["findings"], square(team, 8))
    assert {str(one.reader) for one in readings_of_case_for(robin, team.case())} == {"Robin", "Kim"}
    paint(reading, robin, square(team, 1))
    sign(reading)
    run_jobs()
    grade = Grade.objects.get(reading=reading)
    assert (grade.dice, grade.passed) == (pytest.approx(0.9), True)
    assert take_next_case(campaign=team.campaign, by=robin).case.number == 2
    stages = {str(one.reader): one.stages for one in results_of(team.campaign, current_protocol(team.campaign))}
    told = {name: dict(stages[name])["review"] for name in ("Robin", "Amara", "Ada")}
    assert told == {"Robin": True, "Amara": False, "Ada": True}
    assert list(faults()) == []


def test_nothing_of_the_known_reference_reaches_who_is_measured(reviewed, run_jobs):
    """Before, while and after they read it: neither who made it, nor its hash, nor what the case is for."""
    team, robin = reviewed, reviewed["robin"]
    known, scan = team.case().known_version, team.case().scan
    words = (">Ada", '"Ada', "Ada<", "qualification", "sentinel", known.sha256[:12])

    def told(person, reading: Reading | None) -> set[str]:
        found = ["/", "/campaigns/team/", "/campaigns/team/cases/1/", "/campaigns/team/cases/1/story/"]
        found += [f"/scans/{scan.pk}/", f"/patients/{scan.study.patient.pseudonym}/", "/api/campaigns/team/readings/"]
        found += [f"/api/readings/{reading.pk}/{part}" for part in ("", "history/")] if reading else []
        client = client_of(person)
        texts = []
        for address in found:
            answer = client.get(address)
            assert answer.status_code == 200, address
            texts.append(answer.content.decode())
        return {word for word in words for text in texts if word in text}

    assert {">Ada", known.sha256[:12]} <= told(team["clara"], None)
    assert told(robin, None) == set()
    reading = start_reading(case=team.case(), by=robin)
    assert told(robin, reading) == set()
    mask = f"/api/readings/{reading.pk}/states/version:{known.pk}/mask/"
    assert client_of(robin).get(mask).status_code == 404
    paint(reading, robin, square(team, 1))
    sign(reading)
    run_jobs()
    assert told(robin, reading) == set()


def test_reviewer_who_leaves_the_draft_as_it_was_does_not_pass(reviewed, run_jobs):
    reading = take_next_case(campaign=reviewed.campaign, by=reviewed["amara"])
    sign(reading)
    run_jobs()
    # Eight of ten rows apart: Dice 0.2.
    assert (Grade.objects.get(reading=reading).dice, Grade.objects.get().passed) == (pytest.approx(0.2), False)
    with pytest.raises(ActionRefused, match="no case for you"):
        take_next_case(campaign=reviewed.campaign, by=reviewed["amara"])


def test_other_stages_are_held_up_by_nothing(reviewed, run_jobs):
    assert stages_to_qualify(reviewed["tom"], reviewed.campaign) == {"review"}  # he has no such role: it is no matter
    assert take_next_case(campaign=reviewed.campaign, by=reviewed["tom"]).case.number == 3
    assert not Grade.objects.exists()  # Kim's submission is not what the case measures


def test_measured_submission_is_returned_to_nobody(reviewed):
    reading = start_reading(case=reviewed.case(), by=reviewed["robin"])
    with pytest.raises(ActionRefused) as refused:
        return_submission(reading=reading, reason="Too little of it", stroke_sequence=0, by=reviewed["robin"])
    assert refused.value.code == "nothing_to_return"
    assert Reading.objects.get(case=reviewed.case(), stage="draft").state == Reading.SUBMITTED


def test_technician_is_measured_by_what_they_hand_on(run_jobs):
    team = a_team("draft_and_review", cases=2, qualification=Qualification(0.7, 50.0))
    read(team, 0, team["kim"])
    known = read(team, 0, team["robin"]).signature.version
    mark_case(case=team.case(), kind="qualification", known_version=known, by=team["clara"])
    run_jobs()
    assert stages_to_qualify(team["tom"], team.campaign) == {"draft"}
    reading = take_next_case(campaign=team.campaign, by=team["tom"])
    assert (reading.case.number, reading.stage) == (1, "draft")
    paint(reading, team["tom"], square(team, 2))
    submit(reading)
    run_jobs()
    assert Grade.objects.get(reading=reading).passed
    assert take_next_case(campaign=team.campaign, by=team["tom"]).case.number == 2
    assert team.case().stage == "draft"  # it goes on to no review


def test_adjudicator_settles_a_known_dispute_before_real_ones(disputed, run_jobs):
    team, ida = disputed, disputed["ida"]
    with pytest.raises(ActionRefused) as refused:
        start_reading(case=team.case(1), by=ida)
    assert refused.value.code == "not_qualified"
    reading = take_next_case(campaign=team.campaign, by=ida)
    assert (reading.case.number, reading.stage) == (1, "adjudication")
    both = square(team) & square(team, 6)
    assert np.array_equal(head_layers(reading.mask)["findings"], both)
    letters = candidates_of(reading)
    known = team.case().known_version
    assert sorted(letters) == ["A", "B"]
    assert known not in letters.values()
    # While she settles it, she knows of nobody: neither of the readers nor of who settled it before.
    assert {one.pk for one in readings_of_case_for(ida, team.case())} == {reading.pk}
    paint(reading, ida, square(team, 2))
    sign(reading)
    run_jobs()
    assert Grade.objects.get(reading=reading).passed
    assert "Ada" not in {str(one.reader) for one in readings_of_case_for(ida, team.case())}
    assert take_next_case(campaign=team.campaign, by=ida).case.number == 2


def test_everybody_begins_alike_whatever_becomes_of_the_readings_before(disputed):
    team = disputed
    start = team.case().start_version
    team.case().readings.filter(stage="reading").update(state=Reading.SUPERSEDED)
    reading = start_reading(case=team.case(), by=team["ida"])
    assert reading.mask.forked_from == start


def test_case_that_was_not_read_before_needs_a_prepared_start(run_jobs):
    team = a_team("double_reading", cases=1, qualification=Qualification())
    known = read(team, 0, team["robin"]).signature.version
    mark = {"kind": "sentinel", "known_version": known, "stage_name": "adjudication", "by": team["clara"]}
    with pytest.raises(ActionRefused) as refused:
        mark_case(case=team.case(), **mark)
    assert refused.value.code == "no_start"
    draft = finished_draft(team.case().scan, team.campaign.draft_algorithm, team.campaign.label_set).mask.versions.get()
    assert draft in [version for version, _ in start_choices(team.case())]
    with pytest.raises(ActionRefused) as refused:
        mark_case(case=team.case(), start=known, **mark)
    assert refused.value.code == "known_start"
    mark_case(case=team.case(), start=draft, **mark)
    reading = start_reading(case=team.case(), by=team["ada"])
    assert reading.mask.forked_from == draft
    event = Event.objects.filter(name="case.kind_set").latest("id").content["details"]
    assert (event["stage"], event["start_version"]) == ("adjudication", draft.sha256)


def test_empty_start_is_empty_and_nonsense_is_refused(run_jobs):
    team = a_team("double_reading", cases=2, qualification=Qualification())
    known = read(team, 0, team["robin"]).signature.version
    mark = {"case": team.case(), "kind": "sentinel", "known_version": known, "by": team["clara"]}
    foreign = read(team, 1, team["amara"]).signature.version
    for change in ({"stage_name": "nowhere"}, {"start": "else"}, {"start": "empty"}, {"start": foreign}):
        with pytest.raises(ActionRefused) as refused:
            mark_case(**mark, **change)
        assert refused.value.code == "malformed"
    mark_case(**mark, stage_name="adjudication", start="empty")
    assert start_reading(case=team.case(), by=team["ada"]).mask.forked_from is None


def test_stage_that_is_measured_stays_and_measured_case_returns_to_no_study(reviewed, run_jobs):
    team, now = reviewed, current_protocol(reviewed.campaign)
    first, last = now.stage_list
    said = {"terms": now.said, "statement": now.statement, "note": "", "known_version": 1, "by": team["clara"]}
    with pytest.raises(ActionRefused) as refused:
        set_protocol(campaign=team.campaign, stages=[first, replace(last, name="check")], **said)
    assert refused.value.code == "stage_measured"
    made = set_protocol(campaign=team.campaign, stages=[replace(first, name="sketch"), last], **said)
    assert (team.case(0).stage, team.case(2).stage, made.version) == ("review", "sketch", 2)
    read(team, 0, team["robin"])
    # What a reader was measured with is no reference for others.
    assert [version.mask.author_name for version, _ in known_choices(team.case())] == ["Ada"]
    with pytest.raises(ActionRefused) as refused:
        mark_case(case=team.case(), kind="study", known_version=None, by=team["clara"])
    assert refused.value.code == "measured"
    exclude_cases(campaign=team.campaign, numbers=[1], reason="Not needed any more", by=team["clara"])
    assert (team.case().state, team.case().stage) == (Case.EXCLUDED, "review")
    assert stages_to_qualify(team["amara"], team.campaign) == set()


def test_rule_for_one_and_table_for_many_say_the_same(disputed, run_jobs):
    team = disputed
    read(team, 0, team["ida"], shift=3)
    run_jobs()
    table = Table.of(team.campaign, [2])
    case = team.case(1)
    answers = {}
    for name, person in team.people.items():
        one = may_be_assigned(case, stage_of(case), person) is None
        assert table.may_read(2, person.pk) == one, name
        answers[name] = one
    assert [name for name, may in answers.items() if may] == ["ada", "ida"]
    people = {person.pk for person in team.people.values()}
    many = readers_to_qualify(team.campaign, people)
    assert all(many.get(one.pk, set()) == stages_to_qualify(one, team.campaign) for one in team.people.values())


def test_coordinator_marks_it_on_the_page(reviewed, client):
    team = reviewed
    client.force_login(team["clara"])
    page = client.get("/campaigns/team/measured/?case=1").content.decode()
    assert "review: has yet to qualify" in page
    sent = {"case": "1", "kind": "sentinel", "known": str(team.case().known_version_id), "stage": "review"}
    assert client.post("/campaigns/team/measured/?case=1", {**sent, "start": AS_THE_STAGE}).status_code == 302
    case = team.case()
    assert (case.kind, case.measures_stage, case.start_version.mask.author_name) == ("sentinel", "review", "Kim")
    assert client.post("/campaigns/team/measured/?case=1", {**sent, "start": "nonsense"}).status_code == 409
