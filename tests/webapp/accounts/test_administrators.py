"""Administrators come from the command line, by actions that leave events; one of them is always left."""

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from tests.factories.sites import a_person
from webapp.accounts.actions import set_administrator
from webapp.accounts.models import User
from webapp.audit.models import Event
from webapp.audit.refusal import ActionRefused

pytestmark = pytest.mark.django_db


def said_by(*arguments: str, capsys) -> str:
    call_command("administrator", *arguments)
    return capsys.readouterr().out


def test_the_first_administrator_signs_in_with_the_password_that_was_printed(capsys):
    printed = said_by("ada", "--name", "Ada Ferreira", capsys=capsys)
    password = printed.split("Log-in: ada")[1].split()[0]
    client = Client()
    assert client.post("/sign-in/", {"username": "ada", "password": password}).status_code == 302
    assert client.get("/people/").status_code == 200
    names = Event.objects.order_by("pk").values_list("name", flat=True)
    assert list(names)[:2] == ["person.created", "person.administrator_set"]


def test_an_address_that_is_none_makes_no_account(capsys):
    with pytest.raises(CommandError, match="no e-mail address"):
        call_command("administrator", "ada", "--email", "ada at home")
    assert not User.objects.filter(username="ada").exists()
    said_by("ada", "--email", "ada@example.org", capsys=capsys)
    assert User.objects.get(username="ada").email == "ada@example.org"


def test_somebody_who_is_there_is_made_one_and_keeps_their_password(capsys):
    robin = a_person("robin")
    assert "Log-in" not in said_by("Robin", capsys=capsys)
    before, robin = robin.password, User.objects.get(pk=robin.pk)
    assert robin.is_superuser
    assert robin.password == before


def test_one_administrator_is_always_left(capsys):
    said_by("ada", capsys=capsys)
    with pytest.raises(CommandError, match="the only administrator left"):
        call_command("administrator", "ada", "--no-more")
    said_by("robin", capsys=capsys)
    assert "no more" in said_by("ada", "--no-more", capsys=capsys)
    assert list(User.objects.filter(is_superuser=True).values_list("username", flat=True)) == ["robin"]


def test_nobody_else_makes_administrators(capsys):
    robin = a_person("robin")
    with pytest.raises(ActionRefused):
        set_administrator(user=robin, allowed=True, by=robin)
    with pytest.raises(CommandError, match="Nobody here signs in"):
        call_command("administrator", "nobody", "--no-more")
    said_by("ada", capsys=capsys)
    with pytest.raises(CommandError, match="is that already"):
        call_command("administrator", "ada")
