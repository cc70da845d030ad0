"""The coordinator's room in use: made, changed, closed, staffed, dealt out."""

import json

import pytest
from django.core import mail
from django.urls import reverse

from tests.factories.protocol_forms import sent_by, values_of
from tests.factories.sites import PASSWORD, a_person, a_team, paint, sign
from webapp.accounts.models import User
from webapp.audit.models import Event
from webapp.audit.verify import faults
from webapp.campaigns.actions import set_protocol
from webapp.campaigns.invitation_actions import invite
from webapp.campaigns.models import Campaign, Case, Invitation, Membership
from webapp.campaigns.queries import current_protocol, listed_campaigns_for, roles_of
from webapp.masks.models import LabelSet
from webapp.pages.campaign_forms import CampaignForm, LabelFormSet, ProtocolForms
from webapp.pages.campaign_settings_views import CHOICES
from webapp.readings.actions import start_reading
from webapp.readings.models import Reading

pytestmark = pytest.mark.django_db


def wizard(preset: str, **changes: str) -> dict[str, object]:
    chosen = CHOICES[preset]
    protocol = sent_by(ProtocolForms(chosen.stages, chosen.terms, "I have read it."))
    labels = LabelFormSet(initial=[{"colour": "#E69F00"}] * 3, prefix="label")
    said = {k: v for form in [labels.management_form, *labels.forms] for k, v in values_of(form).items()}
    form = CampaignForm()
    first = {"name": "Lungs", "slug": "lungs", "labels": next(iter(form.sets), "own"), "guideline": ""}
    return {**protocol, **said, **first, "algorithm": next(iter(form.algorithms), ""), **changes}


@pytest.fixture
def maker(client):
    person = a_person("maya")
    person.may_create_campaigns = True
    person.save()
    client.force_login(person)
    return person


@pytest.mark.parametrize("preset", CHOICES)
def test_wizard_makes_each_workflow_as_it_stands(client, maker, preset):
    a_team("ai_check")
    assert client.get("/campaigns/new/").status_code == 200
    page = client.get(f"/campaigns/new/?preset={preset}")
    assert page.status_code == 200
    answer = client.post(f"/campaigns/new/?preset={preset}", wizard(preset))
    assert answer.status_code == 302, answer.context["refusal"]
    made = Campaign.objects.get(slug="lungs")
    protocol = current_protocol(made)
    assert (protocol.stage_list, protocol.said) == (CHOICES[preset].stages, CHOICES[preset].terms)
    assert roles_of(maker, made) == {"coordinator"}
    assert client.get(answer["Location"]).status_code == 200


def test_wizard_takes_own_labels_and_says_what_is_wrong(client, maker):
    a_team("ai_check")
    said = wizard("own", labels="own", own_name="Mine", **{"label-0-name": "Ground glass", "label-1-name": "Fluid"})
    wrong = client.post("/campaigns/new/?preset=own", {**said, "label-1-scheme": "SCT"})
    assert wrong.status_code == 400
    assert "A code has a scheme" in wrong.content.decode()
    assert client.post("/campaigns/new/?preset=own", {**said, "slug": "team"}).status_code == 409
    assert not LabelSet.objects.filter(name="Mine").exists()
    answer = client.post("/campaigns/new/?preset=own", said)
    assert answer.status_code == 302
    assert [label["name"] for label in LabelSet.objects.get(name="Mine").labels] == ["Ground glass", "Fluid"]


def test_configuration_goes_out_and_comes_in(client, maker):
    team = a_team("double_reading", hides_metadata=True)
    client.force_login(team["clara"])
    export = client.get(reverse("pages:export_configuration", args=["team"]))
    assert json.loads(export.content)["terms"]["hides_metadata"] is True
    client.force_login(maker)
    from django.core.files.uploadedfile import SimpleUploadedFile

    for content, status in ((b"{", 409), (export.content, 302)):
        file = SimpleUploadedFile("c.json", content)
        answer = client.post("/campaigns/import/", {"name": "Copy", "slug": "copy", "file": file})
        assert answer.status_code == status
    assert current_protocol(Campaign.objects.get(slug="copy")).said.hides_metadata
    assert client.get("/campaigns/new/?from=copy").status_code == 200
    assert client.get("/campaigns/new/?from=team").status_code == 404


def test_protocol_is_changed_on_its_page_and_second_writer_is_told(client):
    team = a_team("double_reading")
    client.force_login(team["clara"])
    now = current_protocol(team.campaign)
    address = reverse("pages:protocol", args=["team"])
    assert client.get(address).status_code == 200
    forms = ProtocolForms(now.stage_list, now.said, now.statement)
    said = sent_by(forms, known_version="1", note="Stricter.", **{"dice_at_least": "0.8"})
    assert client.post(address, said).status_code == 302
    assert current_protocol(team.campaign).said.acceptance.dice_at_least == 0.8
    told = client.post(address, {**said, "dice_at_least": "0.9"})
    assert told.status_code == 409
    assert "at version 2 by now" in told.content.decode()
    for known in ("", "x", "9" * 30):
        assert client.post(address, {**said, "known_version": known}).status_code == 400
    page = client.get(reverse("pages:settings", args=["team"])).content.decode()
    assert "Stricter." in page
    assert "0.8 or more" in page


def test_closing_and_archiving_ask_for_the_name(client):
    team = a_team("double_reading")
    client.force_login(team["clara"])
    address = reverse("pages:change_standing", args=["team"])
    for said in ({"do": "close"}, {"do": "close", "confirm": "other"}, {"do": "archive", "confirm": "team"}, {}):
        client.post(address, said)
        assert not Campaign.objects.exclude(closed_at=None, archived_at=None).exists()
    client.post(address, {"do": "close", "confirm": "team"})
    with pytest.raises(Exception, match="closed"):
        start_reading(case=team.case(), by=team["robin"])
    client.post(address, {"do": "archive", "confirm": "team"})
    assert not listed_campaigns_for(team["clara"]).exists()
    assert client.get(reverse("pages:settings", args=["team"])).status_code == 200
    client.post(address, {"do": "reopen", "reason": "One more case"})
    assert Campaign.objects.get().closed_at is not None
    client.post(address, {"do": "unarchive"})
    client.post(address, {"do": "reopen", "reason": "no"})
    assert Campaign.objects.get().closed_at is not None
    client.post(address, {"do": "reopen", "reason": "One more case"})
    assert Campaign.objects.get().closed_at is None
    names = ["campaign.closed", "campaign.archived", "campaign.unarchived", "campaign.reopened"]
    found = Event.objects.filter(name__in=names).order_by("id")
    assert list(found.values_list("name", flat=True)) == names
    assert list(faults()) == []


def test_cases_under_an_older_protocol_are_read_again(client):
    team = a_team("ai_check", cases=2)
    reading = start_reading(case=team.case(), by=team["robin"])
    sign(reading)
    now = current_protocol(team.campaign)
    set_protocol(
        campaign=team.campaign,
        stages=now.stage_list,
        terms=now.said,
        statement="Another statement.",
        note="",
        known_version=1,
        by=team["clara"],
    )
    client.force_login(team["clara"])
    address = reverse("pages:older_protocol", args=["team"])
    assert "1 case" in client.get(address).content.decode()
    assert client.post(address, {"case": "1", "reason": "no"}).status_code == 409
    assert client.post(address, {"all": "1", "reason": "After the pilot"}).status_code == 302
    reading.refresh_from_db()
    assert (reading.state, team.case().protocol, team.case().state) == ("superseded", None, "to read")
    assert "None" in client.get(address).content.decode()
    assert start_reading(case=team.case(), by=team["robin"]).protocol.version == 2


def test_acceptance_page_counts_what_a_threshold_sends_on(client, run_jobs):
    team = a_team("double_reading", cases=2)
    for place, shift in ((0, 0), (1, 4)):
        for name, moved in (("robin", 0), ("amara", shift)):
            reading = start_reading(case=team.case(place), by=team[name])
            findings = (team.phantoms[place].findings > 0).astype("uint8")
            findings[:] = 0
            findings[4:6, 10 + moved : 20 + moved, 10:20] = 1
            paint(reading, team[name], findings)
            sign(reading)
    run_jobs()
    client.force_login(team["clara"])
    address = reverse("pages:acceptance", args=["team"])
    # Dice of two equal squares shifted by 4 of 10 rows: 0.6.
    for dice, disputed in (("0.5", 0), ("0.6", 0), ("0.61", 1)):
        page = client.get(address, {"asked": "1", "dice": dice, "extent": "100"})
        assert page.context["compared"] == 2
        assert [one.number for one in page.context["disputed"]] == [2][:disputed]
    assert client.get(address, {"asked": "1", "dice": "nan", "extent": "-1"}).context["rule"].dice_at_least == 0.7
    client.force_login(team["robin"])
    assert client.get(address).status_code == 403


def test_coordinator_who_reads_blinded_sees_no_comparison(client):
    team = a_team("double_reading")
    Membership.objects.create(campaign=team.campaign, user=team["clara"], role="radiologist")
    client.force_login(team["clara"])
    for name in ("acceptance", "assignment", "measured"):
        assert client.get(reverse(f"pages:{name}", args=["team"])).status_code == 403


def test_person_is_added_and_removed_and_their_readings_go_back(client):
    team = a_team("double_reading")
    client.force_login(team["clara"])
    address = reverse("pages:team", args=["team"])
    assert client.post(address, {"do": "add", "username": "nobody", "role": "radiologist"}).status_code == 409
    assert client.post(address, {"do": "add", "username": "MALLORY", "role": "radiologist"}).status_code == 302
    assert client.post(address, {"do": "add", "username": "mallory", "role": "king"}).status_code == 400
    assert roles_of(team["mallory"], team.campaign) == {"radiologist"}
    reading = start_reading(case=team.case(), by=team["mallory"])
    membership = Membership.objects.get(user=team["mallory"])
    leave = reverse("pages:leave", args=["team", membership.pk])
    assert "1 open reading" in client.get(leave).content.decode()
    assert client.post(leave).status_code == 302
    reading.refresh_from_db()
    assert (reading.state, team.case().places_left) == (Reading.RELEASED, 2)
    assert roles_of(team["mallory"], team.campaign) == set()
    only = Membership.objects.get(user=team["clara"], role="coordinator")
    assert client.post(reverse("pages:leave", args=["team", only.pk])).status_code == 409
    assert Event.objects.get(name="campaign.member_removed").content["details"]["released"] == [1]


def newcomer(**changes: str) -> dict[str, str]:
    said = {
        "display_name": "Dr Nora Newcomer",
        "username": "nora",
        "password": PASSWORD,
        "again": PASSWORD,
        "experience_years": "7",
    }
    return {**said, **changes}


def invited(client, **said: str) -> str:
    answer = client.post(
        reverse("pages:team", args=["team"]), {"do": "invite", "role": "radiologist", "days": "7", **said}
    )
    assert answer.status_code == 200
    return answer.context["link"].partition("testserver")[2]


def test_invitation_admits_one_person_once(client):
    team = a_team("double_reading")
    client.force_login(team["clara"])
    link = invited(client)
    assert link.split("/")[2] not in Invitation.objects.get().secret_sha256
    assert link.split("/")[2] not in "".join(Event.objects.values_list("body", flat=True))
    client.logout()
    assert "Clara invites you as radiologist" in client.get(link).content.decode()
    for wrong in ({"again": "other"}, {"experience_years": "-1"}, {"password": "short", "again": "short"}):
        assert client.post(link, newcomer(**wrong)).status_code in (400, 409)
    assert client.post(link, newcomer(username="clara")).status_code == 409
    assert client.post(link, newcomer()).status_code == 302
    nora = User.objects.get(username="nora")
    assert (nora.experience_years, roles_of(nora, team.campaign)) == (7, {"radiologist"})
    assert client.get("/campaigns/team/").status_code == 200
    assert client.get(link).status_code == 404
    assert client.post(link, newcomer(username="nora2")).status_code == 404
    assert Invitation.objects.get().used_by == nora
    assert list(faults()) == []


def test_invitation_expires_and_is_revoked(client, settings):
    from datetime import timedelta

    from django.utils import timezone

    team = a_team("double_reading")
    client.force_login(team["clara"])
    first, second = invited(client), invited(client)
    old = Invitation.objects.order_by("made_at")[0]
    Invitation.objects.filter(pk=old.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    last = Invitation.objects.order_by("-made_at")[0]
    client.post(reverse("pages:revoke_invitation", args=["team", last.pk]))
    assert [client.get(link).status_code for link in (first, second)] == [404, 404]


def test_somebody_with_an_account_joins_as_themselves(client):
    team = a_team("double_reading")
    client.force_login(team["clara"])
    link = invited(client, role="adjudicator")
    client.force_login(team["mallory"])
    assert "Join as Mallory" in client.get(link).content.decode()
    assert client.post(link).status_code == 302
    assert roles_of(team["mallory"], team.campaign) == {"adjudicator"}


def test_wrong_invitations_are_counted_and_right_ones_open_all_the_same(client):
    team = a_team("double_reading")
    client.force_login(team["clara"])
    link = invited(client)
    client.logout()
    answers = [client.get(f"/invitations/{'x' * 20}{number}/").status_code for number in range(12)]
    assert answers == [404] * 10 + [429] * 2
    assert Event.objects.filter(name="campaign.invitation_refused").count() == 10
    assert client.get(link).status_code == 200


def test_invitation_goes_by_mail_where_mail_goes(client, settings):
    team = a_team("double_reading")
    client.force_login(team["clara"])
    link = invited(client, email="nora@example.org")
    (letter,) = mail.outbox
    assert (letter.to, link in letter.body) == (["nora@example.org"], True)
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    said = {"do": "invite", "role": "radiologist", "days": "7", "email": "x@example.org"}
    assert client.post(reverse("pages:team", args=["team"]), said).status_code == 409


def test_administrators_make_people_and_say_who_makes_campaigns(client):
    root = a_person("root")
    root.is_superuser = True
    root.save()
    client.force_login(root)
    assert client.get("/people/").status_code == 200
    assert client.post("/people/", newcomer(password="short", again="short")).status_code == 409
    assert client.post("/people/", newcomer(may_create_campaigns="on")).status_code == 302
    nora = User.objects.get(username="nora")
    assert nora.may_create_campaigns
    client.post(reverse("pages:campaign_right", args=[nora.pk]), {"allowed": "0"})
    nora.refresh_from_db()
    assert not nora.may_create_campaigns


def assigned(team) -> dict[str, list[int]]:
    rows = Reading.objects.filter(state=Reading.ASSIGNED).order_by("case__number")
    found: dict[str, list[int]] = {}
    for name, number in rows.values_list("reader__username", "case__number"):
        found.setdefault(name, []).append(number)
    return found


def test_cases_are_assigned_moved_scheduled_excluded_on_one_page(client):
    team = a_team("double_reading", cases=4)
    client.force_login(team["clara"])
    address = reverse("pages:assignment", args=["team"])
    assert client.get(address).status_code == 200
    said = {"do": "assign", "assign-reader": "robin", "assign-due_on": "2030-01-02", "case": ["1", "2", "x", "99"]}
    assert client.post(address, said).status_code == 302
    assert assigned(team) == {"robin": [1, 2]}
    assert (
        client.post(
            address, {"do": "deal", "all": "1", "deal-readers": ["robin", "amara"], "deal-seed": "7"}
        ).status_code
        == 302
    )
    assert assigned(team) == {"robin": [1, 2, 3, 4], "amara": [1, 2, 3, 4]}
    assert team.case().state == Case.WITH_READERS
    move = {"do": "move", "move-source": "robin", "move-target": "", "move-reason": "On leave", "case": ["1", "4"]}
    assert client.post(address, move).status_code == 302
    assert assigned(team)["robin"] == [2, 3]
    assert (team.case().state, team.case().places_left) == (Case.TO_READ, 1)
    drafting = {"do": "draft", "draft-algorithm": "classical-baseline@1", "case": ["1", "2"]}
    assert "2 drafts finished or under way already." in client.post(address, drafting, follow=True).content.decode()
    assert client.post(address, {**drafting, "draft-algorithm": "other@1"}).status_code == 409
    client.post(address, {"do": "schedule", "schedule-priority": "5", "numbers": "x", "case": ["3"]})
    assert team.case(2).priority == 5
    assert client.post(address, {"do": "exclude", "exclude-reason": "no", "case": ["4"]}).status_code == 409
    client.post(address, {"do": "exclude", "exclude-reason": "Wrong body part", "case": ["4"]})
    assert (team.case(3).state, team.case(3).excluded_reason) == (Case.EXCLUDED, "Wrong body part")
    client.post(address, {"do": "readmit", "readmit-reason": "It was right", "case": ["4"]})
    assert (team.case(3).state, team.case(3).places_left) == (Case.TO_READ, 1)
    for wrong in ({}, {"do": "x"}, {"do": "assign"}, {"do": "assign", "assign-reader": "clara", "case": "1"}):
        assert client.post(address, wrong).status_code == 409
    client.force_login(team["otto"])
    assert client.get(address).status_code == 200
    assert client.post(address, said).status_code == 403
    assert list(faults()) == []


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ({}, [1, 2, 3]),
        ({"numbers": "2-3"}, [2, 3]),
        ({"numbers": "1,3 x"}, [1, 3]),
        ({"numbers": "x"}, []),
        ({"reader": "robin"}, [1]),
        ({"state": "with readers"}, []),
        ({"state": "nonsense\0"}, []),
        ({"site": "-"}, [1, 2, 3]),
        ({"site": "Hull"}, []),
        ({"due": "set"}, []),
        ({"kind": "study", "stage": "reading"}, [1, 2, 3]),
    ],
)
def test_list_is_narrowed(client, query, numbers):
    team = a_team("double_reading", cases=3)
    start_reading(case=team.case(), by=team["robin"])
    client.force_login(team["clara"])
    page = client.get(reverse("pages:assignment", args=["team"]), query)
    assert [case.number for case, _ in page.context["lines"]] == numbers


def test_assignment_page_takes_as_many_queries_for_many_cases(client, django_assert_max_num_queries):
    team = a_team("double_reading", cases=6)
    client.force_login(team["clara"])
    with django_assert_max_num_queries(20):
        client.get(reverse("pages:assignment", args=["team"]))


def test_auditor_sees_who_is_invited_and_ends_nothing(client):
    team = a_team("ai_check")
    made, secret = invite(campaign=team.campaign, role="technician", days=7, email="tess@example.org", by=team["clara"])
    client.force_login(team["otto"])
    page = client.get("/campaigns/team/team/").content.decode()
    assert "Open invitations" in page
    assert "by Clara, until" in page
    assert not any(word in page for word in (secret, "tess@example.org", "Revoke", "Make a link"))
    assert client.post(f"/campaigns/team/team/invitations/{made.pk}/revoke/").status_code == 302
    made.refresh_from_db()
    assert made.revoked_at is None
