"""Flags: set and taken back by the reader, seen by who sees the reading, decided on by a coordinator."""

import json
from dataclasses import replace

import pytest
from django.db import DatabaseError, connection, transaction

from tests.factories.sites import a_team, client_of, sign
from webapp.audit.models import Event
from webapp.audit.refusal import ActionRefused
from webapp.campaigns.models import ROLES
from webapp.campaigns.protocols import FLAGS, PRESETS, Terms, fault_in
from webapp.readings.actions import start_reading
from webapp.readings.assignment_actions import readmit_case
from webapp.readings.flagging_actions import exclude_flagged_case, keep_flagged_case, set_flag, take_flag_back
from webapp.readings.flags import flags_for
from webapp.readings.models import Flag

pytestmark = pytest.mark.django_db
ARTEFACT, NOT_COVID, POOR = FLAGS


def flag(user, reading, body):
    address = f"/api/readings/{reading.pk}/flags/"
    return client_of(user).post(address, json.dumps(body), content_type="application/json")


def decide(user, one, **fields):
    case = one.reading.case
    address = f"/campaigns/{case.campaign.slug}/cases/{case.number}/flags/{one.pk}/"
    return client_of(user).post(address, fields, follow=True)


def names(user, campaign) -> list[str]:
    return [one.flag.name for one in flags_for(user, campaign)]


def test_a_flag_is_set_with_a_remark_and_taken_back(place, reading):
    said = flag(place.reader, reading, {"flag": ARTEFACT, "set": True, "remark": "Motion in the lower lobes"}).json()
    assert [entry["name"] for entry in said["offered"]] == list(FLAGS)
    assert [(entry["name"], entry["remark"]) for entry in said["set"]] == [(ARTEFACT, "Motion in the lower lobes")]
    assert client_of(place.reader).get(f"/api/readings/{reading.pk}/").json()["flags"] == said
    assert flag(place.reader, reading, {"flag": ARTEFACT, "set": False}).json()["set"] == []
    assert flag(place.reader, reading, {"flag": ARTEFACT, "set": False}).json()["error"] == "not_set"
    assert [event.name for event in Event.objects.filter(name__startswith="flag.")] == ["flag.set", "flag.taken_back"]
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        connection.cursor().execute("DELETE FROM readings_flag")


@pytest.mark.parametrize(
    "body",
    [{}, [], {"flag": "else", "set": True}, {"flag": ARTEFACT, "set": "yes"}, {"flag": [ARTEFACT], "set": True},
     {"flag": ARTEFACT, "set": True, "remark": 3}, {"flag": ARTEFACT, "set": True, "remark": "x" * 501},
     {"flag": ARTEFACT, "set": True, "remark": "\x00"}],
)  # fmt: skip
def test_malformed_flags_write_nothing(place, reading, body):
    assert flag(place.reader, reading, body).status_code == 409
    assert not Flag.objects.exists()


def test_only_the_reader_flags_and_only_while_the_reading_is_open(place, reading):
    assert flag(place.coordinator, reading, {"flag": ARTEFACT, "set": True}).json()["error"] == "not_yours"
    assert flag(place.other_reader, reading, {"flag": ARTEFACT, "set": True}).status_code == 404
    assert flag(place.outsider, reading, {"flag": ARTEFACT, "set": True}).status_code == 404
    sign(reading)
    assert flag(place.reader, reading, {"flag": ARTEFACT, "set": True}).json()["error"] == "signed"


def test_poor_quality_waits_for_the_coordinator_who_excludes_the_case(place, reading):
    set_flag(reading=reading, name=ARTEFACT, by=place.reader)
    poor = set_flag(reading=reading, name=POOR, remark="Breathing throughout", by=place.reader)
    page = client_of(place.coordinator).get(f"/campaigns/{place.campaign.slug}/flags/")
    assert [one.flag.pk for one in page.context["waiting"]] == [poor.pk]
    assert "Exclude with this reason" in page.content.decode()
    assert "Exclude with this reason" not in client_of(place.reader).get(page.request["PATH_INFO"]).content.decode()
    answer = decide(place.coordinator, poor, do="exclude", reason="Breathing throughout")
    assert "has left the campaign" in answer.content.decode()
    place.case.refresh_from_db()
    assert place.case.excluded_reason == "Breathing throughout"
    told = Event.objects.filter(name__in=["flag.decided", "case.excluded"]).order_by("pk")
    assert [event.name for event in told] == ["case.excluded", "flag.decided"]
    assert "Nothing waits" in decide(place.coordinator, poor, do="keep", reason="Once more").content.decode()


def test_a_kept_case_stays_and_waits_no_more_even_if_the_flag_is_set_again_later(place, reading):
    poor = set_flag(reading=reading, name=POOR, by=place.reader)
    keep_flagged_case(case=place.case, flag=poor.pk, reason="Readable in part", by=place.coordinator)
    (one,) = flags_for(place.coordinator, place.campaign)
    assert (one.waits, one.decision.excluded, one.decision.reason) == (False, False, "Readable in part")
    take_flag_back(reading=reading, name=POOR, by=place.reader)
    set_flag(reading=reading, name=POOR, remark="I insist", by=place.reader)
    (one,) = flags_for(place.coordinator, place.campaign)
    assert (one.waits, one.flag.remark) == (True, "I insist")


def test_only_coordinators_decide_and_with_a_reason(place, reading):
    poor = set_flag(reading=reading, name=POOR, by=place.reader)
    for act in (exclude_flagged_case, keep_flagged_case):
        with pytest.raises(ActionRefused, match="Only a coordinator"):
            act(case=place.case, flag=poor.pk, reason="Because I say so", by=place.reader)
        with pytest.raises(ActionRefused, match="Say why"):
            act(case=place.case, flag=poor.pk, reason=" ", by=place.coordinator)
    assert "choose to exclude" in decide(place.coordinator, poor, do="else", reason="A reason").content.decode()
    assert decide(place.other_reader, poor, do="keep", reason="A reason").status_code == 404
    place.case.refresh_from_db()
    assert place.case.excluded_reason == ""


def test_a_flag_of_an_excluded_and_readmitted_case_that_was_decided_waits_no_more(place, reading):
    poor = set_flag(reading=reading, name=POOR, by=place.reader)
    exclude_flagged_case(case=place.case, flag=poor.pk, reason="Breathing", by=place.coordinator)
    readmit_case(case=place.case, reason="It can be read", by=place.coordinator)
    (one,) = flags_for(place.coordinator, place.campaign)
    assert one.waits is False


def test_blinded_readers_see_no_flag_of_each_other():
    team = a_team("double_reading")
    first = start_reading(case=team.case(), by=team["robin"])
    start_reading(case=team.case(), by=team["amara"])
    poor = set_flag(reading=first, name=POOR, by=team["robin"])
    assert names(team["robin"], team.campaign) == [POOR]
    assert names(team["amara"], team.campaign) == []
    assert names(team["clara"], team.campaign) == [POOR]
    assert client_of(team["amara"]).post(f"/campaigns/team/cases/1/flags/{poor.pk}/", {"do": "keep"}).status_code == 404
    for page in ("/campaigns/team/flags/", "/campaigns/team/cases/1/"):
        assert POOR not in client_of(team["amara"]).get(page).content.decode()
        assert POOR in client_of(team["clara"]).get(page).content.decode()


def test_a_remark_is_shown_as_the_text_that_it_is(place, reading):
    set_flag(reading=reading, name=POOR, remark='<script>alert(1)</script>"', by=place.reader)
    page = client_of(place.coordinator).get(f"/campaigns/{place.campaign.slug}/flags/").content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&quot;" in page


@pytest.mark.parametrize(
    ("flags", "fault"),
    [(["one", "one"], "a name of its own"), ([""], "1 to 60"), (["x" * 61], "1 to 60"), (["a\nb"], "1 to 60"),
     ([f"flag {n}" for n in range(13)], "at most 12"), ([], None), (["metal: exclude"], None)],
)  # fmt: skip
def test_flags_of_a_protocol_are_checked(flags, fault):
    preset = PRESETS["ai_check"]
    found = fault_in(preset.stages, replace(preset.terms, flags=flags), roles=ROLES, has_algorithm=True)
    assert fault in found.sentence if fault else found is None


def test_a_protocol_that_says_nothing_of_flags_has_the_usual_three():
    assert Terms.of({"preset": "own"}).flags == list(FLAGS)
