"""An account that is closed lets nobody in; what its person did stays, and the account may be opened again."""

import pytest
from django.test import Client

from tests.factories.sites import PASSWORD, Tab, a_person, a_team, client_of, paint, sign
from webapp.accounts.actions import create_token
from webapp.audit.models import Event
from webapp.audit.refusal import ActionRefused
from webapp.audit.verify import faults
from webapp.masks.models import Lease
from webapp.readings.account_actions import close_account, reopen_account
from webapp.readings.actions import start_reading
from webapp.readings.assignment_actions import assign_reading, reassign_reading
from webapp.readings.bulk_actions import assign_cases
from webapp.readings.models import Reading, Signature

pytestmark = pytest.mark.django_db


@pytest.fixture
def root():
    person = a_person("root")
    person.is_superuser = True
    person.save()
    return person


@pytest.fixture
def team():
    return a_team("ai_check", cases=3)


def test_sessions_tokens_and_leases_end_at_once_and_readings_stay(team, root):
    robin = team["robin"]
    done, begun = (start_reading(case=team.case(place), by=robin) for place in (0, 1))
    paint(done, robin, team.phantoms[0].findings * 0)
    sign(done)
    Tab(begun, robin)
    _, secret = create_token(name="notebook", days=7, by=robin)
    program = {"Authorization": f"Bearer {secret}"}
    client = client_of(robin)
    assert client.get(f"/api/readings/{begun.pk}/").status_code == 200
    close_account(user=robin, by=root)
    assert client.get(f"/api/readings/{begun.pk}/").status_code in (401, 403)
    assert Client().get(f"/api/readings/{begun.pk}/", headers=program).status_code == 401
    assert Client().post("/sign-in/", {"username": "robin", "password": PASSWORD}).status_code == 403
    assert not Lease.objects.filter(holder=robin, released=False).exists()
    assert Signature.objects.filter(reading__reader=robin).count() == 1
    assert Reading.objects.get(pk=begun.pk).state == Reading.IN_PROGRESS
    details = Event.objects.get(name="person.account_closed").content["details"]
    assert {name: details[name] for name in ("sessions", "tokens", "leases")} == {
        "sessions": 1, "tokens": 1, "leases": Lease.objects.filter(holder=robin).count()
    }  # fmt: skip
    # A coordinator gives what lay open to somebody else.
    moved = reassign_reading(reading=begun, reader=team["amara"], reason="Robin has left", by=team["clara"])
    assert moved.reader == team["amara"]
    assert list(faults()) == []


def test_nothing_is_given_to_a_closed_account(team, root):
    robin = close_account(user=team["robin"], by=root)
    with pytest.raises(ActionRefused) as refused:
        assign_reading(case=team.case(), reader=robin, by=team["clara"])
    assert refused.value.code == "closed_account"
    with pytest.raises(ActionRefused):
        assign_cases(campaign=team.campaign, numbers=[1, 2], reader=team["robin"], by=team["clara"])


def test_cases_are_taken_from_a_closed_account_on_the_assignment_page_and_given_to_others_alone(team, root):
    assign_reading(case=team.case(), reader=team["robin"], by=team["clara"])
    close_account(user=team["robin"], by=root)
    client = client_of(team["clara"])
    context = client.get("/campaigns/team/assignment/").context
    forms = {name: form for name, _, _, form, _ in context["forms"]}
    assert sorted(name for name, _ in forms["assign"].fields["reader"].choices) == ["ada", "amara", "kim", "tom"]
    assert ("robin", "Robin (closed account)") in forms["move"].fields["source"].choices
    said = {"do": "move", "all": "1", "move-source": "robin", "move-target": "amara", "move-reason": "Robin has left"}
    client.post("/campaigns/team/assignment/", {**said, "case": ["1"]})
    assert Reading.objects.get(state=Reading.ASSIGNED).reader == team["amara"]


def test_account_that_is_opened_again_has_its_roles_but_neither_sessions_nor_tokens(team, root):
    _, secret = create_token(name="notebook", days=7, by=team["robin"])
    before = client_of(team["robin"])
    close_account(user=team["robin"], by=root)
    reopened = reopen_account(user=team["robin"], by=root)
    assert before.get("/").status_code == 302
    assert Client().get("/api/campaigns/", headers={"Authorization": f"Bearer {secret}"}).status_code == 401
    client = Client()
    assert client.post("/sign-in/", {"username": "robin", "password": PASSWORD}).status_code == 302
    assert client.get("/campaigns/team/").status_code == 200
    assert start_reading(case=team.case(), by=reopened).reader == reopened


def test_administrators_alone_close_accounts_and_never_their_own(team, root):
    for by, code in ((team["clara"], "not_administrator"), (team["robin"], "own_account")):
        with pytest.raises(ActionRefused) as refused:
            close_account(user=team["robin"], by=by)
        assert refused.value.code == code
    with pytest.raises(ActionRefused) as refused:
        close_account(user=root, by=root)
    assert refused.value.code == "own_account"
    with pytest.raises(ActionRefused) as refused:
        reopen_account(user=team["robin"], by=root)
    assert refused.value.code == "open_account"


def test_page_of_an_account_gives_a_password_sets_an_address_closes_and_opens(team, root):
    client, robin = client_of(root), team["robin"]
    address = f"/people/{robin.pk}/"
    assert client_of(team["clara"]).get(address).status_code == 404
    assert "open account" in client.get(address).content.decode()
    session = client_of(robin)
    given = {"do": "password", "new": "a quiet lake at noon", "again": "a quiet lake at noon"}
    assert client.post(address, {**given, "again": "else"}).status_code == 400
    assert client.post(address, {**given, "new": "short", "again": "short"}).status_code == 409
    assert client.post(address, given).status_code == 302
    assert session.get("/").status_code == 302
    assert client.post(address, {"do": "email", "email": "robin@example.org"}).status_code == 302
    assert client.post(address, {"do": "close", "confirm": "robyn"}).status_code == 409
    assert client.post(address, {"do": "nonsense"}).status_code == 400
    assert client.post(address, {"do": "close", "confirm": "robin"}).status_code == 302
    robin.refresh_from_db()
    assert (robin.is_active, robin.email) == (False, "robin@example.org")
    assert robin.check_password("a quiet lake at noon")
    assert "closed account" in client.get("/people/").content.decode()
    assert client.post(address, {"do": "reopen"}).status_code == 302
    robin.refresh_from_db()
    assert robin.is_active
