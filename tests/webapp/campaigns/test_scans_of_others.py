"""Scans that are here become cases of another campaign: of those only that one coordinates, with nothing more shown."""

import pytest

from tests.factories.programs import Program
from tests.factories.scans import a_scan_record
from tests.factories.sites import a_campaign, a_person, a_team
from webapp.algorithms.models import DraftRun
from webapp.audit.actor import SYSTEM
from webapp.audit.models import Event
from webapp.audit.refusal import ActionRefused
from webapp.campaigns.actions import add_member, create_campaign, set_deidentification
from webapp.campaigns.deidentification import REMOVE, DeidentificationOptions
from webapp.campaigns.models import Campaign, Case
from webapp.campaigns.scan_actions import add_scans
from webapp.campaigns.scan_lists import scans_named
from webapp.masks.presets import study_label_set

pytestmark = pytest.mark.django_db


@pytest.fixture
def team():
    return a_team("double_reading", cases=2)


@pytest.fixture
def other(team) -> Campaign:
    """A second campaign of the same coordinator, without cases."""
    campaign = create_campaign(
        slug="other",
        name="Other",
        label_set=study_label_set(),
        draft_algorithm=team.campaign.draft_algorithm,
        by=SYSTEM,
    )
    add_member(campaign=campaign, user=team["clara"], role="coordinator", by=SYSTEM)
    return campaign


def scans_of(campaign: Campaign):
    return [case.scan for case in campaign.cases.select_related("scan__study__patient").order_by("number")]


def test_a_list_names_scans_by_pseudonym_series_and_id_and_adds_each_once(team, other):
    first, second = scans_of(team.campaign)
    text = f"{first.study.patient.pseudonym}\n{second.series_uid}, {second.pk}\n"
    added = add_scans(campaign=other, scans=scans_named(team["clara"], text), by=team["clara"])
    assert [case.number for case in added] == [1, 2]
    assert {case.scan_id for case in other.cases.all()} == {first.pk, second.pk}
    assert Event.objects.filter(name="case.added", chain=f"campaign:{other.pk}").count() == 2
    with pytest.raises(ActionRefused, match="All of these scans are in Other already"):
        add_scans(campaign=other, scans=[first, second], by=team["clara"])
    # Both campaigns draft by the same algorithm over the same labels: one draft serves both.
    assert DraftRun.objects.filter(scan__in=[first.pk, second.pk]).values("scan").distinct().count() == 2


def test_an_unknown_name_adds_nothing(team, other):
    known = scans_of(team.campaign)[0].study.patient.pseudonym
    with pytest.raises(ActionRefused, match=r"is called GG-NOBODY\. Nothing was added"):
        scans_named(team["clara"], f"{known}\nGG-NOBODY")
    for empty in ("", "  \n ,; "):
        with pytest.raises(ActionRefused, match="Name scans"):
            scans_named(team["clara"], empty)


def test_scans_of_others_are_unknown_and_cannot_be_added(team, other):
    elsewhere = a_campaign("elsewhere")
    theirs = a_scan_record(elsewhere, pseudonym="GG-ELSEWHERE")
    for role in (None, "radiologist", "auditor"):
        if role:
            add_member(campaign=elsewhere, user=team["clara"], role=role, by=SYSTEM)
        with pytest.raises(ActionRefused, match="is called GG-ELSEWHERE"):
            scans_named(team["clara"], "GG-ELSEWHERE")
        with pytest.raises(ActionRefused, match="Only a coordinator of a campaign that holds a scan"):
            add_scans(campaign=other, scans=[theirs], by=team["clara"])
    assert not other.cases.exists()


def test_only_the_coordinator_of_the_other_campaign_adds(team, other):
    scans = scans_of(team.campaign)
    robin = a_person("robin2", team.campaign, "coordinator")
    with pytest.raises(ActionRefused, match="Only a coordinator of this campaign may add scans"):
        add_scans(campaign=other, scans=scans, by=robin)


def test_what_was_filed_with_more_of_the_patient_is_not_shown_where_less_is_kept(team, other):
    scans = scans_of(team.campaign)
    stricter = DeidentificationOptions(dates=REMOVE, characteristics=False)
    set_deidentification(campaign=other, options=stricter, by=team["clara"])
    with pytest.raises(ActionRefused, match="de-identified under other options"):
        add_scans(campaign=other, scans=scans, by=team["clara"])
    # That the first campaign keeps less from now on changes nothing of scans that came in before.
    set_deidentification(campaign=team.campaign, options=stricter, by=team["clara"])
    with pytest.raises(ActionRefused, match="de-identified under other options"):
        add_scans(campaign=other, scans=scans, by=team["clara"])
    later = a_scan_record(team.campaign)
    assert len(add_scans(campaign=other, scans=[later], by=team["clara"])) == 1
    # Nor does it help to go by way of a third campaign.
    assert list(Case.objects.filter(campaign=other).values_list("scan", flat=True)) == [later.pk]


def test_the_page_adds_what_its_search_finds_or_a_list(client, team, other):
    client.force_login(team["clara"])
    first, second = a_scan_record(team.campaign, pseudonym="GG-SOUGHT"), scans_of(team.campaign)[0]
    assert "Add scans to a campaign" in client.get("/scans/").content.decode()
    found = client.post("/scans/add/?q=GG-SOUGHT", {"campaign": "other"}, follow=True)
    assert "Case 1 is new in Other." in found.content.decode()
    listed = client.post("/scans/add/", {"campaign": "other", "names": f"{first.pk}\n{second.pk}"}, follow=True)
    assert "Case 2 is new in Other; 1 of those chosen was in it already." in listed.content.decode()
    refused = client.post("/scans/add/", {"campaign": "other", "names": "GG-NOBODY <i>"}, follow=True)
    said = refused.content.decode()
    assert "Nothing was added." in said
    assert "GG-NOBODY &lt;i&gt;</textarea>" in said, "what was typed is typed once"
    assert '<option value="other" selected>' in said
    assert "GG-NOBODY" not in client.get("/scans/").content.decode()
    client.force_login(team["robin"])
    assert client.post("/scans/add/", {"campaign": "other"}).status_code == 404
    add_member(campaign=other, user=team["robin"], role="radiologist", by=SYSTEM)
    client.post("/scans/add/", {"campaign": "other", "names": str(first.pk)})
    assert other.cases.count() == 2


def test_programs_add_scans(client, team, other):
    clara = Program(client, team["clara"])
    first, second = scans_of(team.campaign)
    said = {"scans": [first.study.patient.pseudonym, str(second.pk)]}
    answer = clara.post("other/cases/add/", said)
    assert (answer.status_code, answer.json()) == (201, {"cases": [1, 2], "already": 0})
    assert clara.post("other/cases/add/", said).json()["error"] == "unchanged"
    assert clara.post("other/cases/add/", {"scans": []}).json()["error"] == "malformed"
