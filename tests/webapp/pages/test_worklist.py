"""The worklist: what each person finds on it, and what a blinded reader cannot."""

import datetime

import numpy as np
import pytest
from django.http import QueryDict
from django.utils import timezone

from tests.factories.filed import a_filed_scan, draft_case, letter_f, read_and_sign
from tests.factories.sites import a_person, a_team, paint, restage, sign, submit
from tests.webapp.pages.conftest import client_of
from webapp.algorithms.actions import fail_draft, request_draft, start_draft
from webapp.audit.actor import SYSTEM
from webapp.audit.models import Event
from webapp.campaigns.actions import add_case
from webapp.campaigns.models import Case
from webapp.masks.models import Version
from webapp.pages import worklist_views
from webapp.pages.models import SavedView
from webapp.pages.queries import next_case_for
from webapp.pages.worklist import lines_of
from webapp.pages.worklist_search import Place, Wish, counts_of
from webapp.readings.actions import return_submission, start_reading
from webapp.readings.assignment_actions import assign_reading, assign_repeat, exclude_case, schedule_cases
from webapp.readings.models import Reading
from webapp.readings.rules import may_start_reading

pytestmark = pytest.mark.django_db
# A request signs in, counts, reads one page, and asks once for each kind of thing that a line shows.
MOST_QUERIES = 30


def found(person, campaign, asked=""):
    place = Place(person, campaign)
    wish = Wish.of(QueryDict(asked), place)
    cases = wish.ordered(wish.shown(wish.within(campaign.cases.all(), place)), place)
    return [case.number for case in cases]


def words(person, campaign):
    return [line.state.word for line in lines_of(Place(person, campaign), campaign.cases.order_by("number"))]


def counts(person, campaign):
    place = Place(person, campaign)
    return {code: number for code, number in counts_of(place, Wish.of(QueryDict(""), place))[1].items() if number}


def page_of(person, campaign, asked=""):
    return client_of(person).get(f"/campaigns/{campaign.slug}/?{asked}").content.decode()


def test_what_is_ready_agrees_with_the_rules(place, tmp_path):
    for seed in (5, 6, 7):
        scan, _, phantom = a_filed_scan(tmp_path, seed=seed)
        draft_case(
            place.campaign, scan, {"anatomy": phantom.anatomy, "findings": (phantom.findings > 0).astype(np.uint8)}
        )
    cases = list(place.campaign.cases.order_by("number"))
    read_and_sign(cases[0], place.reader, letter_f(place.volume.shape_zyx))
    start_reading(case=cases[1], by=place.reader)
    start_reading(case=cases[2], by=place.other_reader)
    request_draft(
        scan=cases[3].scan, algorithm=place.campaign.draft_algorithm, label_set=place.campaign.label_set, by=SYSTEM
    )
    scan, _, _ = a_filed_scan(tmp_path, seed=8)
    waiting = add_case(campaign=place.campaign, scan=scan, by=SYSTEM)
    request_draft(scan=scan, algorithm=place.campaign.draft_algorithm, label_set=place.campaign.label_set, by=SYSTEM)
    for person in (place.reader, place.other_reader, place.coordinator):
        ready = {case.number for case in place.campaign.cases.all() if may_start_reading(case, person) is None}
        assert set(found(person, place.campaign, "show=ready")) == (
            ready if person != place.coordinator else set(range(1, 6))
        )
    assert words(place.reader, place.campaign) == [
        "signed", "yours, in progress", "not with you", "ready to read", "waiting for AI draft"
    ]  # fmt: skip
    assert found(place.reader, place.campaign, "show=waiting") == [waiting.number]
    assert words(place.coordinator, place.campaign)[1:3] == ["in progress", "in progress"]
    assert next_case_for(place.other_reader).case == cases[2]


def test_each_own_state_has_its_chip():
    team = a_team("draft_and_review", cases=4)
    kim = team["kim"]
    for n in (0, 1):
        submit(start_reading(case=team.case(n), by=kim))
    review = start_reading(case=team.case(0), by=team["robin"])
    return_submission(reading=review, reason="The left lung is missing", stroke_sequence=0, by=team["robin"])
    start_reading(case=team.case(2), by=kim)
    assert counts(kim, team.campaign) == {"ready": 1, "mine": 2, "returned": 1, "submitted": 1}
    for chip, numbers in {"ready": [4], "mine": [1, 3], "returned": [1], "submitted": [2], "": [1, 2, 3, 4]}.items():
        assert found(kim, team.campaign, f"show={chip}") == numbers
    assert counts(team["robin"], team.campaign) == {"ready": 1, "others": 2}
    signed = start_reading(case=team.case(1), by=team["amara"])
    sign(signed)
    assert counts(team["amara"], team.campaign) == {"signed": 1, "done": 1, "others": 3}
    assert counts(team["clara"], team.campaign) == {"to_read": 1, "open": 2, "back": 1, "done": 1}


def what_shows(person, campaign):
    """Everything that a worklist says to a person: lines, counts, each chip, filter and order, and the page itself."""
    place = Place(person, campaign)
    lines = [
        (x.stage, x.state, x.is_ready, x.extent_percent, x.holder, x.since, x.due_on)
        for x in lines_of(place, campaign.cases.order_by("number"))
    ]
    asked = [
        f"show={code}" for code in ("", "ready", "mine", "signed", "others", "done", "disputed", "comparing", "open")
    ]
    asked += ["stage=reading", "stage=adjudication", "due=overdue", "reader=amara", "idle=0"]
    asked += [f"order={order}" for order in ("stage", "-settled", "-number", "added", "due")]
    page = page_of(person, campaign).replace("csrfmiddlewaretoken", "")
    page = "".join(line for line in page.splitlines() if 'type="hidden"' not in line)
    return lines, counts(person, campaign), [found(person, campaign, one) for one in asked], page


def test_blinded_reader_sees_nothing_of_what_another_begins_signs_or_is_given(run_jobs):
    team = a_team("double_reading", cases=3)
    sign(start_reading(case=team.case(0), by=team["robin"]))
    run_jobs()  # what is measured of one's own is no news of others
    before = what_shows(team["robin"], team.campaign)
    reading = start_reading(case=team.case(1), by=team["amara"])
    assign_reading(case=team.case(2), reader=team["amara"], by=team["clara"])
    assert what_shows(team["robin"], team.campaign) == before
    sign(reading)
    assert what_shows(team["robin"], team.campaign) == before
    # The other reading of the same case: signed, compared, disputed, at the adjudicator's. Only its reader may know.
    other = start_reading(case=team.case(0), by=team["amara"])
    paint(other, team["amara"], team.phantoms[0].findings * 0)
    sign(other)
    run_jobs()
    assert team.case(0).stage == "adjudication"
    assert what_shows(team["robin"], team.campaign) == before
    assert counts(team["clara"], team.campaign)["disputed"] == 1
    assert found(team["ada"], team.campaign, "show=ready") == [1]
    assert words(team["ada"], team.campaign) == ["to adjudicate", "not with you", "not with you"]


def test_overseer_finds_what_others_do_and_a_blinded_reader_cannot_ask():
    team = a_team("double_reading", cases=3)
    reading = start_reading(case=team.case(0), by=team["robin"])
    assert found(team["otto"], team.campaign, "show=open") == [1]
    assert found(team["otto"], team.campaign, "reader=robin") == [1]
    Reading.objects.update(started_at=timezone.now() - datetime.timedelta(days=9))
    assert found(team["otto"], team.campaign, "idle=7") == [1]
    assert found(team["otto"], team.campaign, "idle=10") == []
    assert found(team["amara"], team.campaign, "show=open&reader=robin&idle=7&kind=sentinel") == [1, 2, 3]
    line = lines_of(Place(team["clara"], team.campaign), team.campaign.cases.filter(number=1))[0]
    assert (line.holder, line.state.word) == ("Robin", "in progress")
    assert "Robin" not in page_of(team["amara"], team.campaign)
    sign(reading)


def test_worklist_is_searched_and_filtered():
    team = a_team("ai_check", cases=3)
    patient = team.case(1).scan.study.patient
    patient.pseudonym = "GG-77ABC"
    patient.save()
    team.case(2).scan.__class__.objects.filter(pk=team.case(2).scan_id).update(site="Hospital 03")
    schedule_cases(campaign=team.campaign, cases=[team.case(0)], priority=2, due_on="2020-01-01", by=team["clara"])
    exclude_case(case=team.case(1), reason="not a chest", by=team["clara"])
    robin = team["robin"]
    for asked, numbers in {
        "q=3": [3],
        "q=77abc": [2],
        "q=gg-77%00": [2],
        "q=nothing": [],
        "site=Hospital+03": [3],
        "site=-": [1, 2],
        "urgent=1": [1],
        "due=overdue": [1],
        "show=excluded": [2],
        "show=ready": [1, 3],
        "order=-number": [3, 2, 1],
        "order=-site": [3, 1, 2],
        "order=due": [1, 2, 3],
        "show=nonsense&stage=nonsense&due=x&order=password&kind=x": [1, 2, 3],
    }.items():
        assert found(robin, team.campaign, asked) == numbers, asked
    page = page_of(robin, team.campaign)
    assert 'title="not a chest"' in page
    assert "overdue: " in page
    assert "No case is like that" in page_of(robin, team.campaign, "q=nothing")


def test_case_to_read_again_waits_for_its_day_and_hides_the_first_reading(run_jobs):
    team = a_team("ai_check")
    reading = start_reading(case=team.case(), by=team["robin"])
    sign(reading)
    run_jobs()
    assert "%" in page_of(team["robin"], team.campaign).split("<tbody>")[1]
    reading.refresh_from_db()
    again = assign_repeat(reading=reading, after_days=14, by=team["clara"])
    (line,) = lines_of(Place(team["robin"], team.campaign), team.campaign.cases.all())
    assert line.state.word == f"to read again from {again.not_before:%Y-%m-%d}"
    assert (line.extent_percent, line.is_ready) == (None, False)
    Reading.objects.filter(pk=again.pk).update(not_before=timezone.now())
    (line,) = lines_of(Place(team["robin"], team.campaign), team.campaign.cases.all())
    assert (line.state.word, line.is_ready) == ("given to you", True)


def test_given_case_comes_next_and_is_begun_by_one_key():
    team = a_team("ai_check", cases=3)
    assign_reading(case=team.case(2), reader=team["robin"], by=team["clara"])
    assert next_case_for(team["robin"]).case.number == 3
    page = page_of(team["robin"], team.campaign)
    assert 'data-key="Enter n"' in page
    client = client_of(team["robin"])
    opened = client.post("/campaigns/team/next/")["Location"]
    assert opened == f"/readings/{Reading.objects.get(case__number=3).pk}/"
    assert client.get(opened).status_code == 200
    assert "Continue case 3" in page_of(team["robin"], team.campaign)
    client.post("/campaigns/team/next/")
    assert Reading.objects.filter(reader=team["robin"], case__number=1).exists()
    refused = client_of(team["otto"]).post("/campaigns/team/next/", follow=True).content.decode()
    assert "There is no case for you to begin" in refused


def test_next_case_is_fetched_ahead_from_its_middle(place):
    page = page_of(place.reader, place.campaign)
    (slab,) = place.case.scan.slabs[:1]
    assert f'data-ahead="/api/cases/{place.case.pk}/slabs/' in page
    assert slab["sha256"] in page
    assert "data-ahead" not in page_of(place.coordinator, place.campaign)


def test_extent_is_on_the_worklist_once_a_worker_has_measured(place, run_jobs):
    reading = read_and_sign(place.case, place.reader, letter_f(place.volume.shape_zyx))
    (line,) = lines_of(Place(place.reader, place.campaign), place.campaign.cases.all())
    assert line.extent_percent is None
    assert "releases.measure_version" in run_jobs()
    expected = Version.objects.get(signature__reading=reading).measurement.values["extent_percent"]
    for person in (place.reader, place.coordinator):
        (line,) = lines_of(Place(person, place.campaign), place.campaign.cases.all())
        assert line.extent_percent == pytest.approx(expected)
        assert f"{expected:.2f} %" in page_of(person, place.campaign)


def test_failed_draft_is_told_to_coordinators(place, tmp_path):
    scan, _, _ = a_filed_scan(tmp_path, seed=5)
    add_case(campaign=place.campaign, scan=scan, by=SYSTEM)
    run = request_draft(
        scan=scan, algorithm=place.campaign.draft_algorithm, label_set=place.campaign.label_set, by=SYSTEM
    )
    assert counts(place.coordinator, place.campaign) == {"to_read": 1, "drafting": 1}
    fail_draft(run=start_draft(run=run), sentence="No lungs were found.")
    assert counts(place.coordinator, place.campaign) == {"to_read": 2, "failed": 1}
    assert found(place.coordinator, place.campaign, "show=failed") == [2]
    assert words(place.coordinator, place.campaign) == ["ready to read", "AI draft failed"]
    assert "No lungs were found." in page_of(place.coordinator, place.campaign)


def test_long_worklist_has_pages(monkeypatch):
    monkeypatch.setattr(worklist_views, "LINES_A_PAGE", 1)
    team = a_team("ai_check", cases=2)
    client = client_of(team["robin"])
    assert "1 to 1 of 2" in client.get("/campaigns/team/").content.decode()
    second = client.get("/campaigns/team/?page=2").content.decode()
    assert "2 to 2 of 2" in second
    assert "/campaigns/team/cases/2/" in second
    assert client.get("/campaigns/team/?page=nonsense").status_code == 200


def test_page_needs_as_many_queries_for_many_cases_as_for_one(django_assert_max_num_queries):
    team = a_team("double_reading", cases=5)
    for name in ("robin", "amara"):
        for n in range(4):
            sign(start_reading(case=team.case(n), by=team[name]))
    for name in ("robin", "clara", "ada"):
        client = client_of(team[name])
        with django_assert_max_num_queries(MOST_QUERIES):
            client.get("/campaigns/team/")
        with django_assert_max_num_queries(MOST_QUERIES):
            client.get("/campaigns/team/?show=ready&stage=reading&site=x&q=1&due=week&order=due")


def test_view_is_kept_for_its_person_alone_and_holds_a_wish_and_nothing_else():
    team = a_team("ai_check")
    client = client_of(team["robin"])
    sent = {"name": " Urgent  ones ", "query": "show=ready&order=due&reader=amara&next=https://evil.example"}
    kept = client.post("/campaigns/team/views/", sent)
    assert kept["Location"] == "/campaigns/team/?show=ready&order=due"
    view = SavedView.objects.get()
    assert (view.name, view.query) == ("Urgent ones", "show=ready&order=due")
    client.post("/campaigns/team/views/", {"name": "Urgent ones", "query": "show=mine"})
    assert SavedView.objects.get().query == "show=mine"
    assert "Urgent ones" in page_of(team["robin"], team.campaign)
    assert "Urgent ones" not in page_of(team["amara"], team.campaign)
    forget = f"/campaigns/team/views/{view.pk}/forget/"
    assert client_of(team["amara"]).post(forget).status_code == 404
    client.post(forget)
    assert not SavedView.objects.exists()
    assert [event.name for event in Event.objects.filter(name__startswith="view.").order_by("pk")] == [
        "view.saved", "view.saved", "view.removed"
    ]  # fmt: skip
    refused = client.post("/campaigns/team/views/", {"name": "", "query": ""}, follow=True).content.decode()
    assert "A view needs a name" in refused


def test_site_is_hidden_where_the_protocol_hides_metadata():
    team = a_team("ai_check", hides_metadata=True)
    scan = team.case().scan
    scan.site = "Hospital 03"
    scan.save()
    assert "Hospital 03" not in page_of(team["robin"], team.campaign)
    assert found(team["robin"], team.campaign, "site=nowhere") == [1]
    assert "Hospital 03" in page_of(team["clara"], team.campaign)


def test_reader_of_two_roles_one_of_them_blinded_stays_blinded():
    team = a_team("draft_and_review")
    both = a_person("both", team.campaign, "technician", "radiologist")
    assert not Place(both, team.campaign).sees_standing
    assert Place(team["robin"], team.campaign).sees_standing
    assert Place(team["ada"], team.campaign).sees_standing is False
    restage(team.campaign, blinded=False)
    assert Place(both, team.campaign).sees_standing
    assert Case.objects.count() == 1
