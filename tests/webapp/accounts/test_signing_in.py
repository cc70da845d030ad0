"""Signing in: recorded, counted, and refused after too many tries."""

import pytest
from django.test import Client

from tests.factories.sites import PASSWORD, a_person
from webapp.accounts.actions import TRIES
from webapp.audit.models import Event

pytestmark = pytest.mark.django_db


def attempt(client: Client, password: str):
    return client.post("/api/sign-in/", {"username": "kim", "password": password}, content_type="application/json")


def test_signing_in_again_from_the_viewer():
    a_person("kim")
    client = Client()
    answer = attempt(client, PASSWORD)
    assert answer.status_code == 200
    assert answer.json()["csrf"]
    assert Event.objects.get(name="person.signed_in").content["actor"]["address"] == "127.0.0.1"


def test_wrong_passwords_are_recorded_and_then_even_the_right_one_waits():
    a_person("kim")
    client = Client()
    for _ in range(TRIES):
        assert attempt(client, "a guess, not it").status_code == 403
    assert Event.objects.filter(name="person.sign_in_refused").count() == TRIES
    answer = attempt(client, PASSWORD)
    assert (answer.status_code, answer.json()["error"]) == (403, "too_many_tries")
    assert "a guess" not in Event.objects.filter(name="person.sign_in_refused").first().body


def test_another_sites_form_cannot_sign_anyone_in():
    a_person("kim")
    answer = Client().post("/api/sign-in/", {"username": "kim", "password": PASSWORD})
    assert answer.status_code == 415
    assert not Event.objects.filter(name="person.signed_in").exists()


def test_hostile_names_are_refused_like_any_wrong_one():
    for body in ({"username": "k\0im", "password": "x\0"}, {"username": ["kim"], "password": {}}, ["kim"]):
        answer = Client().post("/api/sign-in/", body, content_type="application/json")
        assert (answer.status_code, answer.json()["error"]) == (403, "wrong_password")
