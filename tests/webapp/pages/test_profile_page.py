"""The profile page: tokens made, shown once, listed and revoked."""

import re

import pytest
from django.test import Client
from django.utils import timezone

from tests.factories.sites import a_campaign, a_person
from webapp.accounts.actions import create_token
from webapp.accounts.models import AccessToken

pytestmark = pytest.mark.django_db


@pytest.fixture
def kim():
    return a_person("kim", a_campaign(), "radiologist")


@pytest.fixture
def client(kim) -> Client:
    client = Client()
    client.force_login(kim)
    return client


def test_a_token_is_shown_once_and_then_opens_the_door(client, kim):
    made = client.post("/profile/", {"name": "3D Slicer", "days": "30"})
    assert made.status_code == 200
    assert "no-store" in made.headers["Cache-Control"]
    (secret,) = re.findall(r">(gg_[A-Za-z0-9_-]{43})<", made.content.decode())
    assert secret not in client.get("/profile/").content.decode()
    assert "3D Slicer" in client.get("/profile/").content.decode()
    assert Client().get("/api/preferences/viewer/", HTTP_AUTHORIZATION=f"Bearer {secret}").status_code == 200
    assert "last used" in client.get("/profile/").content.decode()


def test_sending_the_form_again_makes_no_second_token(client, kim):
    client.post("/profile/", {"name": "OHIF", "days": "30"})
    again = client.post("/profile/", {"name": "OHIF", "days": "30"}).content.decode()
    assert "You have a token called OHIF" in again
    assert AccessToken.objects.count() == 1


@pytest.mark.parametrize("form", [{}, {"name": "x"}, {"name": "x", "days": "99999"}, {"name": "\0", "days": "30"}])
def test_a_form_that_makes_no_sense_makes_no_token(client, form):
    assert client.post("/profile/", form).status_code == 200
    assert AccessToken.objects.count() == 0


def test_revoking_ends_a_token_and_takes_it_off_the_list(client, kim):
    token, secret = create_token(name="old laptop", days=30, by=kim)
    answer = client.post(f"/profile/tokens/{token.pk}/revoke/", follow=True).content.decode()
    assert "The token old laptop opens nothing any more" in answer
    assert token.prefix not in answer
    assert Client().get("/api/preferences/viewer/", HTTP_AUTHORIZATION=f"Bearer {secret}").status_code == 401
    assert client.post(f"/profile/tokens/{token.pk}/revoke/").status_code == 404


def test_nobody_revokes_another_persons_token(client):
    token, _ = create_token(name="mine", days=30, by=a_person("lee"))
    assert client.post(f"/profile/tokens/{token.pk}/revoke/").status_code == 404
    token.refresh_from_db()
    assert token.revoked_at is None


def test_expired_tokens_are_shown_as_such(client, kim):
    token, _ = create_token(name="old", days=7, by=kim)
    AccessToken.objects.filter(pk=token.pk).update(expires_at=timezone.now())
    assert "expired" in client.get("/profile/").content.decode()


def test_hostile_names_are_text(client):
    client.post("/profile/", {"name": "<script>alert(1)</script>", "days": "30"})
    page = client.get("/profile/").content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_the_addresses_of_ones_campaigns_stand_on_the_page(client):
    a_campaign("other")
    page = client.get("/profile/").content.decode()
    assert "http://testserver/dicomweb/covid" in page
    assert "/dicomweb/other" not in page


def test_tokens_are_made_in_a_session_only(kim):
    """A token cannot make another that outlives it: the pages ask for the session."""
    _, secret = create_token(name="short", days=7, by=kim)
    answer = Client().post("/profile/", {"name": "long", "days": "365"}, HTTP_AUTHORIZATION=f"Bearer {secret}")
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/sign-in/")
    assert AccessToken.objects.count() == 1
