"""Campaigns for programs, by access token as by session."""

import pytest
from drf_spectacular.validation import validate_schema

from tests.factories.programs import Program
from tests.factories.sites import a_person, a_team
from webapp.campaigns.configurations import configuration_of, document_of
from webapp.campaigns.models import Campaign
from webapp.campaigns.queries import current_protocol, roles_of
from webapp.readings.models import Reading

pytestmark = pytest.mark.django_db


@pytest.fixture
def team():
    return a_team("double_reading", cases=3)


@pytest.fixture
def clara(client, team):
    return Program(client, team["clara"])


def test_campaign_is_made_by_a_configuration(client, team):
    maya = a_person("maya")
    program = Program(client, maya)
    document = document_of(configuration_of(team.campaign, current_protocol(team.campaign)))
    said = {"slug": "second", "name": "Second", "configuration": document}
    assert program.post("", said).status_code == 409
    maya.may_create_campaigns = True
    maya.save()
    made = program.post("", said)
    assert made.status_code == 201, made.json()
    assert made.json()["roles"] == ["coordinator"]
    assert [one["slug"] for one in program.get("").json()] == ["second"]
    assert program.get("second/").json()["protocol_version"] == 1
    assert program.get("team/").status_code == 404
    for wrong in ({}, [], {**said, "slug": "x", "configuration": {}}, {**said, "slug": "x", "configuration": "{"}):
        answer = program.post("", wrong)
        assert answer.status_code == 409
        assert answer.json()["sentence"]
    assert Campaign.objects.count() == 2


def test_own_case_reviews_are_made_once_and_shown_to_nobody_else(client):
    maya, robin = a_person("maya"), a_person("robin")
    client.force_login(maya)
    assert client.post("/api/reviews/").status_code == 409
    assert not Campaign.objects.exists()
    maya.may_create_campaigns = True
    maya.save()
    first, second = client.post("/api/reviews/"), client.post("/api/reviews/")
    assert first.status_code == second.status_code == 200
    assert first.json() == second.json()
    assert first.json()["roles"] == ["coordinator", "radiologist"]
    assert Campaign.objects.count() == 1
    client.force_login(robin)
    assert client.get(f"/api/campaigns/{first.json()['slug']}/").status_code == 404


def test_protocol_is_read_and_changed_and_the_second_writer_told(clara, team):
    (now,) = clara.get("team/protocols/").json()
    said = {**now, "terms": {**now["terms"], "pilot": True}, "note": "A trial", "known_version": 1}
    made = clara.post("team/protocols/", said)
    assert made.status_code == 201, made.json()
    assert (made.json()["version"], made.json()["note"]) == (2, "A trial")
    again = clara.post("team/protocols/", said)
    assert (again.status_code, again.json()["error"]) == (409, "changed_meanwhile")
    hostile = clara.post("team/protocols/", {**said, "known_version": 2, "terms": {"dwell_ms": "x"}})
    assert (hostile.status_code, hostile.json()["error"]) == (409, "malformed")


def test_members_come_and_go(clara, team):
    assert clara.post("team/members/", {"username": "mallory", "role": "radiologist"}).status_code == 201
    assert roles_of(team["mallory"], team.campaign) == {"radiologist"}
    assert {"username": "mallory", "name": "Mallory", "role": "radiologist", "experience_years": None} in clara.get(
        "team/members/"
    ).json()
    assert clara.post("team/members/remove/", {"username": "mallory", "role": "radiologist"}).json() == {"released": 0}
    assert clara.post("team/members/remove/", {"username": "mallory", "role": "radiologist"}).status_code == 409
    assert clara.post("team/members/", {"username": "mallory", "role": "king"}).status_code == 409


def test_cases_come_in_pages_and_are_assigned(clara, team):
    first = clara.get("team/cases/", page_size=2).json()
    assert (first["count"], [one["number"] for one in first["results"]]) == (3, [1, 2])
    assert first["next"].endswith("/api/campaigns/team/cases/?page_size=2&page=2")
    assert clara.post("team/cases/assign/", {"cases": [1, 3], "reader": "robin"}).json() == {"assigned": 2}
    (case,) = clara.get("team/cases/", reader="robin", numbers="3").json()["results"]
    assert case["readings"] == [{"reader": "Robin", "username": "robin", "stage": "reading", "state": "assigned"}]
    dealt = clara.post("team/cases/assign/", {"cases": [1, 2, 3], "readers": ["robin", "amara"], "seed": 4})
    assert dealt.json() == {"assigned": 4}
    for wrong in (
        {"cases": [1]},
        {"cases": [1], "readers": ["robin"]},
        {"cases": "1", "reader": "robin"},
        {"cases": []},
    ):
        assert clara.post("team/cases/assign/", wrong).status_code == 409
    assert Reading.objects.count() == 6


def test_readers_see_no_settings_members_or_holders(client, team):
    robin = Program(client, team["robin"])
    assert robin.get("team/").json()["roles"] == ["radiologist"]
    for path in ("protocols/", "members/", "cases/"):
        assert robin.get(f"team/{path}").status_code == 403


def test_schema_is_valid_and_types_campaigns(client, team):
    assert client.get("/api/schema/").status_code == 401
    client.force_login(team["robin"])
    schema = client.get("/api/schema/?format=json").json()
    validate_schema(schema)
    listed = schema["paths"]["/api/campaigns/{slug}/cases/"]["get"]["responses"]["200"]["content"]["application/json"]
    assert listed["schema"]["$ref"].endswith("/CasePageData")
    assert "CaseData" in schema["components"]["schemas"]
