"""Coordinating by programs: cases moved, scheduled and taken out, readings listed, people invited, campaigns closed."""

import uuid

import numpy as np
import pytest

from tests.factories.programs import Program
from tests.factories.sites import a_team, paint, sign
from webapp.audit.models import Event
from webapp.campaigns.models import Campaign, Case
from webapp.masks.history import extent_of, version_state
from webapp.readings import events
from webapp.readings.actions import amend_reading, start_reading
from webapp.readings.intra_reader import independent_signatures
from webapp.readings.models import Reading
from webapp.releases.models import Measurement

pytestmark = pytest.mark.django_db


@pytest.fixture
def team():
    return a_team("double_reading", cases=3)


@pytest.fixture
def clara(client, team):
    return Program(client, team["clara"])


def refused(answer, code: str) -> bool:
    """Whether an answer is a refusal with this code, and a sentence."""
    said = answer.json()
    return answer.status_code == 409 and said["error"] == code and bool(said["sentence"])


def test_next_case_begins_and_readings_are_listed_to_whom_may_see_them(client, team, clara):
    robin, amara = Program(client, team["robin"]), Program(client, team["amara"])
    begun = robin.post("team/next/", {})
    assert begun.status_code == 201, begun.json()
    line = begun.json()
    assert (line["case"], line["stage"], line["state"], line["username"]) == (1, "reading", "in progress", "robin")
    sign(Reading.objects.get())
    assert amara.post("team/next/", {}).json()["case"] == 1
    # Blinded: each sees their own; who coordinates sees both, a page at a time.
    for program, name in ((robin, "robin"), (amara, "amara")):
        seen = program.get("team/readings/").json()
        assert (seen["count"], [one["username"] for one in seen["results"]]) == (1, [name])
    first = clara.get("team/readings/", page_size=1).json()
    assert (first["count"], len(first["results"])) == (2, 1)
    assert first["next"].endswith("/api/campaigns/team/readings/?page_size=1&page=2")
    (signed,) = clara.get("team/readings/", state="signed").json()["results"]
    assert (signed["username"], signed["signed"]["independent"]) == ("robin", True)
    assert len(signed["signed"]["version_sha256"]) == 64
    assert clara.get("team/readings/", case="2").json()["count"] == 0
    assert clara.get("team/readings/", case="x").json()["count"] == 2


def test_nothing_that_waits_is_said(client, team):
    assert refused(Program(client, team["kim"]).post("team/next/", {}), "nothing_to_read")


def test_open_readings_move_to_another(clara, team):
    clara.post("team/cases/assign/", {"cases": [1, 2], "reader": "robin"})
    said = {"cases": [1, 2, 3], "reader": "robin", "to_reader": "amara", "reason": "Robin is away"}
    moved = clara.post("team/cases/move/", said)
    assert (moved.status_code, moved.json()) == (200, {"taken": 2, "given": 2})
    held = Reading.objects.exclude(state=Reading.RELEASED)
    assert set(held.values_list("reader__username", flat=True)) == {"amara"}
    back = clara.post("team/cases/move/", {"cases": [1], "reader": "amara", "reason": "Not hers"})
    assert back.json() == {"taken": 1, "given": 0}
    assert refused(clara.post("team/cases/move/", {**said, "reader": "nobody at all"}), "no_such_person")
    assert refused(clara.post("team/cases/move/", {**said, "reason": ""}), "no_reason")


def test_cases_are_scheduled(clara, team):
    assert clara.post("team/cases/schedule/", {"cases": [1, 3], "priority": 2}).json() == {"changed": 2}
    assert clara.post("team/cases/schedule/", {"cases": [3], "due_on": "2031-02-03"}).json() == {"changed": 1}
    one, two, three = Case.objects.order_by("number")
    assert (one.priority, two.priority, three.priority, str(three.due_on), one.due_on) == (2, 0, 2, "2031-02-03", None)
    for wrong in ({"cases": [1]}, {"cases": [1], "priority": 10}, {"cases": [1], "due_on": "soon"}, {"priority": 1}):
        assert clara.post("team/cases/schedule/", wrong).status_code == 409
    assert Case.objects.get(number=1).priority == 2


def test_cases_leave_and_come_back(clara, team):
    said = {"cases": [2, 3], "reason": "The wrong chest"}
    assert clara.post("team/cases/exclude/", said).json() == {"changed": 2}
    assert Campaign.objects.get().cases.exclude(excluded_reason="").count() == 2
    assert refused(clara.post("team/cases/exclude/", {**said, "reason": ""}), "no_reason")
    assert clara.post("team/cases/readmit/", {"cases": [1, 2, 3], "reason": "It was right"}).json() == {"changed": 2}
    assert refused(clara.post("team/cases/readmit/", said), "not_excluded")
    assert Campaign.objects.get().cases.exclude(excluded_reason="").count() == 0
    assert Event.objects.get(name=events.CASES_EXCLUDED).content["details"]["cases"] == [2, 3]
    assert Event.objects.filter(name=events.CASE_READMITTED).count() == 2


def test_cases_are_read_again_under_the_present_protocol(client, clara, team):
    for name in ("robin", "amara"):
        Program(client, team[name]).post("team/next/", {})
    for reading in Reading.objects.all():
        sign(reading)
    (now,) = clara.get("team/protocols/").json()
    assert refused(clara.post("team/cases/again/", {"cases": [1], "reason": "New terms"}), "nothing")
    clara.post("team/protocols/", {**now, "terms": {**now["terms"], "pilot": True}, "note": "New", "known_version": 1})
    assert clara.post("team/cases/again/", {"cases": [1], "reason": "New terms"}).json() == {"changed": 1}
    assert Program(client, team["robin"], "again").post("team/next/", {}).json()["protocol_version"] == 2


def test_repeats_are_drawn(client, clara, team):
    for name in ("robin", "amara"):
        Program(client, team[name]).post("team/next/", {})
    for reading in Reading.objects.all():
        sign(reading)
    assert clara.post("team/repeats/", {"count": 1, "after_days": 0, "seed": 5}).json() == {"changed": 1}
    assert Reading.objects.filter(repeat=1).count() == 1
    assert clara.post("team/repeats/", {"count": 0, "after_days": 0, "seed": 5}).status_code == 409


def test_a_reader_and_their_repeat_are_a_pair_once_both_are_signed(client, clara, team):
    def read(findings: bool) -> Reading:
        reading = start_reading(case=team.case(), by=team["robin"])
        empty = np.zeros_like(team.phantoms[0].findings)
        paint(reading, team["robin"], (team.phantoms[0].findings > 0).astype(np.uint8) if findings else empty)
        sign(reading)
        return Reading.objects.get(pk=reading.pk)

    first = read(findings=True)
    assert clara.post("team/repeats/", {"count": 9, "after_days": 0, "seed": 5}).json() == {"changed": 1}
    assert clara.get("team/repeats/").json() == []
    again = read(findings=False)
    measured = {one: measure_signed(one) for one in (first, again)}
    (pair,) = clara.get("team/repeats/").json()
    assert (pair["first"], pair["again"], pair["repeat"]) == (str(first.pk), str(again.pk), 1)
    assert (pair["username"], pair["case"], pair["again_extent_percent"]) == ("robin", 1, 0.0)
    assert pair["first_extent_percent"] == measured[first] > 1
    assert pair["extent_difference"] == -measured[first]
    # An amendment stands for the case; the independent value is the one before it.
    amended = amend_reading(reading=again, reason="A lesion was there", by=team["robin"])
    paint(amended, team["robin"], (team.phantoms[0].findings > 0).astype(np.uint8))
    sign(amended)
    assert clara.get("team/repeats/").json() == [pair]
    independent = independent_signatures(team["clara"], team.campaign)
    assert {one.reading_id for one in independent} == {first.pk, again.pk}
    for name, status in (("robin", 403), ("mallory", 404)):
        assert Program(client, team[name], "pairs").get("team/repeats/").status_code == status


def measure_signed(reading: Reading) -> float | None:
    """The extent of what was signed, measured and kept as a worker would."""
    values = {"extent_percent": extent_of(version_state(reading.signature.version), [1], [])}
    Measurement.objects.update_or_create(version=reading.signature.version, defaults={"values": values})
    return values["extent_percent"]


def test_campaign_closes_and_opens_again(client, clara, team):
    closed = clara.post("team/standing/", {"do": "close", "reason": "All are read"})
    assert closed.status_code == 200
    assert closed.json()["closed_at"]
    robin = Program(client, team["robin"])
    assert robin.post("team/next/", {}).status_code == 409
    assert refused(clara.post("team/standing/", {"do": "reopen", "reason": ""}), "no_reason")
    assert clara.post("team/standing/", {"do": "reopen", "reason": "One more"}).json()["closed_at"] is None
    assert clara.post("team/standing/", {"do": "burn", "reason": "x"}).status_code == 409
    assert robin.post("team/standing/", {"do": "close", "reason": "x"}).status_code == 403


def test_invitation_tells_its_link_once_and_ends(client, clara, team):
    made = clara.post("team/invitations/", {"role": "radiologist", "days": 7})
    assert made.status_code == 201
    link = made.json()["link"]
    assert client.get(link).status_code == 200
    (listed,) = clara.get("team/invitations/").json()
    assert listed == {**made.json(), "link": None}
    assert clara.post(f"team/invitations/{listed['id']}/revoke/", {}).status_code == 200
    assert clara.get("team/invitations/").json() == []
    assert client.get(link).status_code == 404
    assert clara.post(f"team/invitations/{uuid.uuid4()}/revoke/", {}).status_code == 404
    for wrong in ({"role": "king", "days": 7}, {"role": "auditor", "days": 400}, {"role": "auditor"}):
        assert clara.post("team/invitations/", wrong).status_code == 409


def test_who_reads_coordinates_nothing(client, team):
    robin, otto = Program(client, team["robin"]), Program(client, team["otto"])
    for path in ("move", "schedule", "exclude", "readmit", "again"):
        assert robin.post(f"team/cases/{path}/", {"cases": [1]}).status_code == 403
        said = {"cases": [1], "reader": "robin", "reason": "x", "priority": 1}
        assert otto.post(f"team/cases/{path}/", said).status_code == 409
    assert Program(client, team["mallory"]).get("team/readings/").status_code == 404
    assert Reading.objects.count() == 0
