"""Comments: what is kept of them, who sees them, and what a blinded reader must not learn by them."""

import json

import pytest
from django.db import DatabaseError, connection, transaction
from django.http import Http404

from tests.factories.sites import a_person, a_team, client_of, sign, submit
from webapp.accounts.models import User
from webapp.audit.models import Event
from webapp.audit.refusal import ActionRefused
from webapp.audit.verify import faults
from webapp.campaigns.protocols import SUBMIT, Stage, stored_stages
from webapp.notices.models import Notice
from webapp.readings.actions import start_reading
from webapp.readings.commenting_actions import (
    answer_thread,
    edit_comment,
    open_thread,
    reopen_thread,
    resolve_thread,
    withdraw_comment,
)
from webapp.readings.comments import mentioned_in, people_who_see, threads_for
from webapp.readings.models import Thread, ThreadEntry
from webapp.readings.standing import settle

pytestmark = pytest.mark.django_db


def ask(user, address, body=None):
    client = client_of(user)
    if body is None:
        return client.get(address)
    return client.post(address, json.dumps(body), content_type="application/json")


def address(reading, *more) -> str:
    return "/".join([f"/api/readings/{reading.pk}/comments", *map(str, more), ""])


def texts(user, case) -> list[str | None]:
    return [comment.text for now in threads_for(user, case) for comment in now.comments]


@pytest.fixture
def told(monkeypatch):
    """What was published, as (topic, kind)."""
    heard: list[tuple[str, str]] = []
    monkeypatch.setattr("webapp.push.publish", lambda topic, kind, **_: heard.append((topic, kind)))
    return heard


def test_a_thread_is_pinned_answered_resolved_and_opened_again(place, reading):
    said = {"text": "Vessel or lesion?", "voxel": [10, 20, 3], "label": 1}
    answer = ask(place.reader, address(reading), said)
    assert answer.status_code == 201
    thread = answer.json()
    assert (thread["voxel"], thread["label"], thread["resolved"]) == ([10, 20, 3], 1, False)
    place_of = address(reading, thread["id"])
    assert ask(place.coordinator, place_of, {"text": "Lesion, I think."}).status_code == 200
    done = ask(place.reader, place_of, {"resolved": True}).json()
    assert (done["resolved"], done["resolved_by"]) == (True, str(place.reader))
    assert ask(place.coordinator, place_of, {"resolved": True}).json()["error"] == "resolved"
    assert ask(place.coordinator, place_of, {"resolved": False}).json()["resolved"] is False
    seen = ask(place.reader, address(reading)).json()
    (found,) = seen["threads"]
    assert [(c["author"], c["text"], c["mine"]) for c in found["comments"]] == [
        (str(place.reader), "Vessel or lesion?", True),
        (str(place.coordinator), "Lesion, I think.", False),
    ]
    assert [person["name"] for person in seen["people"]] == [str(place.coordinator)]


def test_an_edit_keeps_the_text_before_and_a_withdrawal_leaves_a_trace(place, reading):
    now = open_thread(reading=reading, text="First", by=place.reader)
    chosen = {"reading": reading, "thread": now.thread.pk, "comment": now.comments[0].first.pk}
    edit_comment(text="Second", by=place.reader, **chosen)
    (comment,) = edit_comment(text="Third", by=place.reader, **chosen).comments
    assert (comment.text, comment.earlier) == ("Third", ["First", "Second"])
    with pytest.raises(ActionRefused, match="Only its author"):
        edit_comment(text="Not mine", by=place.coordinator, **chosen)
    with pytest.raises(ActionRefused, match="Only its author"):
        withdraw_comment(by=place.coordinator, **chosen)
    (comment,) = withdraw_comment(by=place.reader, **chosen).comments
    assert (comment.text, comment.earlier) == (None, [])
    said = ask(place.coordinator, address(reading)).json()["threads"][0]["comments"][0]
    assert (said["withdrawn"], said["text"], said["earlier"]) == (True, None, [])
    with pytest.raises(ActionRefused, match="was withdrawn"):
        edit_comment(text="Again", by=place.reader, **chosen)
    assert ThreadEntry.objects.filter(thread=now.thread).count() == 4


def test_nothing_that_was_said_can_be_changed_or_deleted(place, reading):
    now = open_thread(reading=reading, text="Stays", by=place.reader)
    for sql in (
        "UPDATE readings_threadentry SET text = 'else'",
        "DELETE FROM readings_threadentry",
        "UPDATE readings_thread SET i = 1, j = 1, k = 1",
        "DELETE FROM readings_thread",
    ):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            connection.cursor().execute(sql)
    assert texts(place.reader, place.case) == ["Stays"]
    assert now.thread.i is None


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "no_text"),
        ({"text": "  \n "}, "no_text"),
        ({"text": 3}, "no_text"),
        ({"text": "x" * 2001}, "too_long"),
        ({"text": "nul \x00"}, "malformed"),
        ({"text": "turned \u202e round"}, "malformed"),
        ({"text": "x", "voxel": [1, 2]}, "malformed"),
        ({"text": "x", "voxel": [1, 2, 12]}, "malformed"),
        ({"text": "x", "voxel": [-1, 2, 3]}, "malformed"),
        ({"text": "x", "voxel": [True, 2, 3]}, "malformed"),
        ({"text": "x", "voxel": "1,2,3"}, "malformed"),
        ({"text": "x", "label": 99}, "malformed"),
        ({"text": "x", "label": "1"}, "malformed"),
        ([], "malformed"),
    ],
)
def test_malformed_comments_write_nothing(place, reading, body, code):
    answer = ask(place.reader, address(reading), body)
    assert (answer.status_code, answer.json()["error"]) == (409, code)
    assert not Thread.objects.exists()


def test_markup_is_kept_and_answered_as_the_text_that_it_is(place, reading):
    hostile = '<script>alert(1)</script> & "quotes" {{ 7 * 7 }} \'; DROP TABLE x; --\r\nnext line'
    said = ask(place.reader, address(reading), {"text": hostile})
    assert said.json()["comments"][0]["text"] == hostile.replace("\r\n", "\n")
    assert said["Content-Type"] == "application/json"


def test_who_only_audits_reads_comments_and_writes_none(place, reading):
    auditor = a_person("otto", place.campaign, "auditor")
    now = open_thread(reading=reading, text="Seen by all", by=place.reader)
    answer = ask(auditor, address(reading)).json()
    assert [thread["id"] for thread in answer["threads"]] == [str(now.thread.pk)]
    assert answer["may_comment"] is False
    for more, body in (((), {"text": "x"}), ((now.thread.pk,), {"text": "x"}), ((now.thread.pk,), {"resolved": True})):
        assert ask(auditor, address(reading, *more), body).json()["error"] == "auditor"


def test_outsiders_get_404_whatever_they_name(place, reading):
    now = open_thread(reading=reading, text="Ours", by=place.reader)
    first = now.comments[0].first.pk
    for user in (place.outsider, place.other_reader):
        assert ask(user, address(reading)).status_code == 404
        assert ask(user, address(reading), {"text": "x"}).status_code == 404
        assert ask(user, address(reading, now.thread.pk), {"text": "x"}).status_code == 404
        assert ask(user, address(reading, now.thread.pk, first), {"withdrawn": True}).status_code == 404


def test_a_thread_of_another_reading_is_not_reached_through_ones_own(place, reading):
    team = a_team("double_reading")
    other = start_reading(case=team.case(), by=team["robin"])
    now = open_thread(reading=reading, text="Elsewhere", by=place.reader)
    with pytest.raises(Http404):
        answer_thread(reading=other, thread=now.thread.pk, text="x", by=team["robin"])


def test_comments_stay_possible_after_the_signature_and_leave_it_alone(place, reading):
    signature = sign(reading)
    before = signature.reading.signature.attested
    open_thread(reading=reading, text="Afterwards", by=place.reader)
    signature.refresh_from_db()
    assert signature.attested == before
    assert texts(place.coordinator, place.case) == ["Afterwards"]


def test_events_name_the_entry_and_its_digest_and_not_the_text(place, reading):
    now = open_thread(reading=reading, text="A secret remark", voxel=[1, 2, 3], by=place.reader)
    resolve_thread(reading=reading, thread=now.thread.pk, by=place.reader)
    reopen_thread(reading=reading, thread=now.thread.pk, by=place.reader)
    events = Event.objects.filter(name__startswith="comment.").order_by("pk")
    assert [event.name for event in events] == ["comment.added", "comment.thread_resolved", "comment.thread_reopened"]
    details = json.loads(events[0].body)["details"]
    assert details["voxel"] == [1, 2, 3]
    assert details["entry"] == str(ThreadEntry.objects.get(number=1).pk)
    assert "secret" not in events[0].body
    assert list(faults(events[0].chain)) == []


def test_readers_of_a_blinded_stage_learn_nothing_of_each_others_threads(told, run_jobs):
    team = a_team("double_reading")
    first = start_reading(case=team.case(), by=team["robin"])
    second = start_reading(case=team.case(), by=team["amara"])
    open_thread(reading=first, text="Robin's", by=team["robin"])
    open_thread(reading=second, text="Amara's", by=team["amara"])
    assert texts(team["robin"], team.case()) == ["Robin's"]
    assert texts(team["amara"], team.case()) == ["Amara's"]
    assert texts(team["clara"], team.case()) == ["Robin's", "Amara's"]
    assert [str(person) for person in people_who_see(first, unseen_by=team["robin"])] == ["Clara", "Otto", "Robin"]
    assert set(told) >= {(f"reading:{first.pk}", "comments.changed"), (f"reading:{second.pk}", "comments.changed")}
    sign(first)
    assert texts(team["amara"], team.case()) == ["Amara's"]
    sign(second)
    run_jobs()
    assert texts(team["amara"], team.case()) == ["Robin's", "Amara's"]


def two_blinded_reviews(team):
    """A draft by a technician, then two radiologists blinded to each other who begin from it."""
    stages = [
        Stage("draft", "technician", ends_with=SUBMIT),
        Stage("review", "radiologist", readers=2, starts_from="previous", blinded=True),
    ]
    team.campaign.protocols.update(stages=stored_stages(stages))
    settle(team.case())
    draft = start_reading(case=team.case(), by=team["kim"])
    open_thread(reading=draft, text="Kim asks", by=team["kim"])
    submit(draft)
    return draft, [start_reading(case=team.case(), by=team[name]) for name in ("robin", "amara")]


def test_blinded_readers_do_not_meet_in_the_threads_of_the_draft_that_both_began_from(told, run_jobs):
    team = a_team("draft_and_review")
    draft, reviews = two_blinded_reviews(team)
    (asked,) = threads_for(team["robin"], team.case())
    told.clear()
    answer_thread(reading=draft, thread=asked.thread.pk, text="Robin answers", by=team["robin"])
    mine = open_thread(reading=draft, text="Robin asks @Amara", by=team["robin"])
    resolve_thread(reading=draft, thread=asked.thread.pk, by=team["robin"])
    assert texts(team["amara"], team.case()) == ["Kim asks"]
    assert [now.resolved_by for now in threads_for(team["amara"], team.case())] == [None]
    assert ThreadEntry.objects.get(text="Robin asks @Amara").mentions == []
    with pytest.raises(Http404):
        answer_thread(reading=draft, thread=mine.thread.pk, text="x", by=team["amara"])
    assert "Amara" not in {str(one) for one in people_who_see(draft, unseen_by=team["robin"])}
    topics = {topic for topic, kind in told if kind == "comments.changed"}
    assert f"person:{team['amara'].pk}" not in topics
    assert f"reading:{draft.pk}" not in topics
    assert {f"person:{team['kim'].pk}", f"person:{team['clara'].pk}"} <= topics
    assert texts(team["kim"], team.case()) == ["Kim asks", "Robin answers", "Robin asks @Amara"]
    story = client_of(team["amara"]).get("/campaigns/team/cases/1/story/").content.decode()
    assert "Kim" in story
    assert "Robin" not in story
    for review in reviews:
        sign(review)
    run_jobs()
    assert texts(team["amara"], team.case()) == ["Kim asks", "Robin answers", "Robin asks @Amara"]


def test_the_reviewer_sees_the_technicians_threads_with_whose_they_are():
    team = a_team("draft_and_review")
    draft = start_reading(case=team.case(), by=team["kim"])
    open_thread(reading=draft, text="Is this a vessel?", voxel=[3, 4, 5], by=team["kim"])
    submit(draft)
    review = start_reading(case=team.case(), by=team["robin"])
    (thread,) = ask(team["robin"], address(review)).json()["threads"]
    assert thread["whose"] == {"reader": "Kim", "stage": "draft", "mine": False}
    assert thread["reading"] == str(draft.pk)


def test_the_adjudicator_sees_no_thread_of_the_readings_between_which_they_settle():
    team = a_team("double_reading")
    pair = [start_reading(case=team.case(), by=team[name]) for name in ("robin", "amara")]
    for reading in pair:
        open_thread(reading=reading, text="Mine", by=reading.reader)
    assert texts(team["ada"], team.case()) == []
    assert ask(team["ada"], address(pair[0])).status_code == 404


def test_mentions_reach_those_who_may_see_and_nobody_else(place, reading):
    text = f"@{place.coordinator} and @{place.other_reader.username}, look. Mail x@{place.coordinator.username}.org"
    open_thread(reading=reading, text=text, by=place.reader)
    entry = ThreadEntry.objects.get()
    assert entry.mentions == [str(place.coordinator.pk)]
    notice = Notice.objects.get(kind="mentioned")
    assert (notice.person, notice.detail) == (place.coordinator, text)
    assert notice.url == f"/readings/{reading.pk}/#comment-{entry.thread_id}"
    assert place.case.scan.study.patient.pseudonym not in notice.sentence
    # A new text tells those whom the one before did not name.
    chosen = {"reading": reading, "thread": entry.thread_id, "comment": entry.pk, "by": place.reader}
    edit_comment(text=f"Once more: {text}", **chosen)
    assert Notice.objects.filter(kind="mentioned").count() == 1


def test_the_longest_name_is_the_one_that_is_meant():
    kim, longer = User(username="kim", display_name="Kim"), User(username="klee", display_name="Kim Lee")
    assert mentioned_in("@Kim Lee: look", [kim, longer]) == [longer]
    assert mentioned_in("@kim: look", [kim, longer]) == [kim]
    assert mentioned_in("@kimono, a@kim.org, @@kim", [kim, longer]) == []


def test_the_page_of_a_case_lists_its_threads_with_their_state_and_the_way_to_their_voxel(place, reading):
    now = open_thread(reading=reading, text="Is <b>this</b> a vessel?", voxel=[1, 2, 3], by=place.reader)
    answer_thread(reading=reading, thread=now.thread.pk, text="It is", by=place.coordinator)
    whole = open_thread(reading=reading, text="Breathing", voxel=None, by=place.reader)
    resolve_thread(reading=reading, thread=whole.thread.pk, by=place.coordinator)
    path = f"/campaigns/{place.campaign.slug}/cases/{place.case.number}/"
    page = client_of(place.reader).get(path).content.decode()
    assert "1 open, 1 resolved" in page
    assert "Is &lt;b&gt;this&lt;/b&gt; a vessel?" in page
    assert ", 1 answer, in review<" in page
    for thread, words in ((now.thread, "Slice 4"), (whole.thread, "Whole case")):
        link = page.split(f'href="/readings/{reading.pk}/#comment-{thread.pk}"')[1]
        assert words in link[:400]
    assert page.index("vessel?") < page.index("Breathing")
    assert "Comments" not in client_of(place.other_reader).get(path).content.decode()


def test_the_page_of_a_case_tells_a_blinded_reader_of_no_thread_of_another(run_jobs):
    team = a_team("double_reading")
    pair = [start_reading(case=team.case(), by=team[name]) for name in ("robin", "amara")]
    for reading in pair:
        open_thread(reading=reading, text=f"Said by {reading.reader}", by=reading.reader)

    def page(name: str) -> str:
        return client_of(team[name]).get("/campaigns/team/cases/1/").content.decode()

    assert ("Said by Robin" in page("robin"), "Said by Robin" in page("amara")) == (True, False)
    assert "1 open, 0 resolved" in page("amara")
    assert "2 open, 0 resolved" in page("clara")
    for reading in pair:
        sign(reading)
    run_jobs()
    assert "Said by Robin" in page("amara")
