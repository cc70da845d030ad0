"""AI drafts for programs, and who may know what of them."""

import uuid

import pytest
from drf_spectacular.validation import validate_schema

from inference.phantoms.chest import make_phantom
from tests.factories.programs import Program
from tests.factories.sites import a_scan, a_team, restage
from webapp import push
from webapp.algorithms.actions import fail_draft, start_draft
from webapp.algorithms.models import DraftRun
from webapp.audit.actor import SYSTEM
from webapp.campaigns.actions import add_case, add_member
from webapp.readings.drafts import drafts_of_case_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def team():
    """One drafted case, of which the algorithm is not sure, and two in line."""
    team = a_team("double_reading")
    DraftRun.objects.update(uncertainty=0.25, weights_sha256="ab" * 32, options={"threshold": 0.5})
    phantom = make_phantom(1, shape_zyx=(6, 32, 32))
    team.cases += [add_case(campaign=team.campaign, scan=a_scan(phantom), by=SYSTEM) for _ in range(2)]
    return team


@pytest.fixture
def clara(client, team):
    return Program(client, team["clara"])


def listed(program, query: str = "") -> list[dict]:
    return program.get(f"team/drafts/{query}").json()["results"]


def test_runs_are_listed_with_what_they_carry_and_where_they_stand(clara):
    page = clara.get("team/drafts/").json()
    assert (page["count"], page["next"]) == (3, None)
    assert page["states"] == {"queued": 2, "running": 0, "finished": 1, "failed": 0, "cancelled": 0}
    # The factory's draft was made by no worker, so that its job is still in line.
    assert [(one["case"], one["state"], one["before"]) for one in page["results"]] == [
        (2, "queued", 1),
        (3, "queued", 2),
        (1, "finished", None),
    ]
    done = page["results"][2]
    assert (done["algorithm"], done["version"], done["device"]) == ("classical-baseline", "1", "cpu")
    assert (done["weights_sha256"], done["options"], done["uncertainty"]) == ("ab" * 32, {"threshold": 0.5}, 0.25)
    assert [one["case"] for one in listed(clara, "?state=finished")] == [1]
    assert next(one["case"] for one in listed(clara, "?order=uncertain")) == 1
    assert [one["case"] for one in listed(clara, "?algorithm=classical-baseline@1&page_size=1")] == [2]
    assert len(listed(clara, "?state=nonsense&algorithm=none@0")) == 3


def test_drafts_are_asked_for_cancelled_and_tried_again(clara):
    second, third = listed(clara, "?state=queued")
    assert clara.post("team/drafts/cancel/", {"runs": [second["id"]]}).json() == {"changed": 1}
    assert clara.post("team/drafts/cancel/", {"all": True}).json() == {"changed": 1}
    assert clara.post("team/drafts/retry/", {"runs": [third["id"]]}).json()["queued"] == [3]
    said = {"cases": [1, 2], "algorithm": "classical-baseline", "version": "1"}
    assert clara.post("team/drafts/", said).json() == {"queued": [2], "already": [1], "left_out": []}
    run = DraftRun.objects.get(pk=listed(clara, "?state=queued")[0]["id"])
    fail_draft(run=start_draft(run=run), sentence="There is no lung.")
    assert [one["failure"] for one in listed(clara, "?state=failed")] == ["There is no lung."]
    assert clara.post("team/drafts/retry/", {"all": True}).json()["queued"] == [3]
    assert clara.post("team/drafts/", {"all": True}).status_code == 409


@pytest.mark.parametrize(
    ("path", "said", "word"),
    [
        ("", {}, "Name cases, or say all"),
        ("", {"all": True, "cases": [1]}, "Name cases, or say all"),
        ("", {"cases": ["x"]}, "cases"),
        ("", {"cases": [1], "algorithm": "other", "version": "2"}, "may not use"),
        ("cancel/", {"runs": ["no id"]}, "runs"),
        ("cancel/", {"runs": [str(uuid.uuid4())]}, "None of these runs"),
        ("retry/", {"runs": []}, "None of these runs"),
        ("retry/", {}, "Name runs, or say all"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(clara, path, said, word):
    answer = clara.post(f"team/drafts/{path}", said)
    assert answer.status_code == 409
    assert word in answer.json()["sentence"]


def test_runs_of_another_campaign_are_not_touched(client, team, clara):
    from tests.factories.sites import a_workplace

    elsewhere = a_workplace("elsewhere")
    run = DraftRun.objects.create(
        scan=a_scan(elsewhere.phantom),
        algorithm=elsewhere.campaign.draft_algorithm,
        label_set=elsewhere.campaign.label_set,
    )
    assert clara.post("team/drafts/cancel/", {"runs": [str(run.pk)]}).status_code == 409
    run.refresh_from_db()
    assert run.state == "queued"


def test_schema_types_drafts(client, team):
    client.force_login(team["clara"])
    schema = client.get("/api/schema/?format=json").json()
    validate_schema(schema)
    posted = schema["paths"]["/api/campaigns/{slug}/drafts/"]["post"]["requestBody"]["content"]["application/json"]
    assert posted["schema"]["$ref"].endswith("/AskForDraftsData")
    assert schema["components"]["schemas"]["DraftData"]["properties"]["uncertainty"]["nullable"]


def test_readers_never_learn_how_sure_the_algorithm_is(client, team):
    for name in ("robin", "kim", "ada"):
        assert Program(client, team[name]).get("team/drafts/").status_code == 403
        assert [line.uncertainty for line in drafts_of_case_for(team[name], team.case())] == [None]
    assert [line.uncertainty for line in drafts_of_case_for(team["otto"], team.case())] == [0.25]
    # Who coordinates and reads blinded sees the runs, where readers see drafts, and not how sure they are.
    add_member(campaign=team.campaign, user=team["clara"], role="radiologist", by=SYSTEM)
    clara = Program(client, team["clara"])
    assert {one["uncertainty"] for one in listed(clara)} == {None}
    assert [one["case"] for one in listed(clara, "?order=uncertain")] == [2, 3, 1], "nor does the order tell it"


def test_who_reads_without_the_ai_sees_and_hears_nothing_of_runs(client, team):
    protocol = team.campaign.protocols.get()
    protocol.terms = {**protocol.terms, "hides_ai": True}
    protocol.save()
    add_member(campaign=team.campaign, user=team["clara"], role="radiologist", by=SYSTEM)
    answer = Program(client, team["clara"]).get("team/drafts/")
    assert (answer.status_code, "without the AI draft" in answer.content.decode()) == (403, True)
    run = DraftRun.objects.get(state="finished")
    for name in ("robin", "clara", "mallory"):
        assert drafts_of_case_for(team[name], team.case()) == []
        assert not push.may_listen(team[name], f"draft:{run.pk}")
        assert not push.may_listen(team[name], "queue:drafts")
    assert push.may_listen(team["otto"], f"draft:{run.pk}")


def test_who_sees_a_draft_may_hear_of_it(team):
    run = DraftRun.objects.get(state="finished")
    for name, may in (("robin", True), ("clara", True), ("mallory", False)):
        assert push.may_listen(team[name], f"draft:{run.pk}") is may
        assert push.may_listen(team[name], "queue:drafts") is may
    assert not push.may_listen(team["robin"], "draft:no-id")
    assert not push.may_listen(team["robin"], f"draft:{uuid.uuid4()}")
    assert not push.may_listen(team["robin"], "queue:mail")
    restage(team.campaign, starts_from="empty")
    assert not push.may_listen(team["robin"], f"draft:{run.pk}")
