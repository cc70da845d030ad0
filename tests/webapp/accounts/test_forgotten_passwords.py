"""A forgotten password: one link to whom it belongs, once, and no word to anybody else of who has an account."""

import re

import pytest
from django.core import mail
from django.test import Client

from tests.factories.sites import PASSWORD, a_person, client_of
from webapp.accounts.actions import TRIES
from webapp.accounts.mail import reset_path
from webapp.accounts.models import User
from webapp.accounts.password_actions import MOST_LINKS, set_email
from webapp.audit.actor import SYSTEM
from webapp.audit.models import Event
from webapp.audit.verify import faults
from webapp.settings.mail import OFF

pytestmark = pytest.mark.django_db
ASK, NEW = "/password/forgotten/", "a quiet lake at noon"


@pytest.fixture
def kim() -> User:
    person = a_person("kim")
    return set_email(user=person, email="kim@example.org", by=SYSTEM)


def body_of(answer) -> str:
    """A page without what differs each time."""
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", answer.content.decode())


def link_in(message) -> str:
    return re.search(r"https?://[^/]+(/password/reset/\S+)", message.body)[1]


def set_by(client: Client, path: str, new: str = NEW, again: str = NEW):
    """Open a link as a browser does, and send the form behind it."""
    page = client.get(path)
    where = page["Location"] if page.status_code == 302 else path
    return client.post(where, {"new_password1": new, "new_password2": again})


def test_link_sets_a_new_password_once_and_ends_every_session(kim, run_jobs):
    elsewhere = client_of(kim)
    client = Client()
    assert client.post(ASK, {"name": "KIM"}).status_code == 200
    run_jobs()
    assert [one.to for one in mail.outbox] == [["kim@example.org"]]
    path = link_in(mail.outbox[0])
    assert client.get(path).status_code == 302  # the token leaves the address
    for bad in ("short", "x" * 5000):
        assert set_by(client, path, new=bad, again=bad).status_code == 200
    assert set_by(client, path).status_code == 302
    assert elsewhere.get("/").status_code == 302
    kim.refresh_from_db()
    assert kim.check_password(NEW)
    assert set_by(Client(), path, "another fine password", "another fine password").status_code == 404
    kim.refresh_from_db()
    assert kim.check_password(NEW)
    sign_in = Client().post("/sign-in/", {"username": "kim", "password": NEW})
    assert sign_in.status_code == 302
    details = Event.objects.get(name="person.password_reset").content["details"]
    assert details["sessions"] == 1
    assert not Event.objects.filter(body__contains=path.split("/")[-2]).exists()
    assert list(faults()) == []


def test_answer_says_nothing_of_who_has_an_account(kim, run_jobs):
    a_person("nomail")
    closed = set_email(user=a_person("closed"), email="closed@example.org", by=SYSTEM)
    User.objects.filter(pk=closed.pk).update(is_active=False)
    answers = {
        name: body_of(Client().post(ASK, {"name": name}))
        for name in ("kim", "kim@example.org", "nobody", "nomail", "closed", "closed@example.org")
    }
    assert len(set(answers.values())) == 1
    assert "is on its way" in answers["nobody"]
    assert Client().post(ASK, {"name": "k\0im"}).status_code == 200
    run_jobs()
    assert {tuple(one.to) for one in mail.outbox} == {("kim@example.org",)}


def test_one_address_asks_so_often_and_one_person_is_told_so_often(kim, run_jobs):
    client = Client()
    for _ in range(TRIES):
        assert client.post(ASK, {"name": "kim"}).status_code == 200
    assert client.post(ASK, {"name": "kim"}).status_code == 429
    run_jobs()
    assert len(mail.outbox) == MOST_LINKS


def test_site_without_mail_says_whom_to_ask(kim, settings):
    settings.EMAIL_BACKEND, settings.CONTACT = OFF, "radiology IT, 4711"
    page = Client().get(ASK).content.decode()
    assert "Ask radiology IT, 4711 for a new password" in page
    assert "<form" not in page
    assert Client().post(ASK, {"name": "kim"}).status_code == 409
    settings.CONTACT = ""
    assert "an administrator of this site" in Client().get(ASK).content.decode()


def test_link_of_a_closed_account_and_made_up_links_open_nothing(kim):
    path = reset_path(kim)
    User.objects.filter(pk=kim.pk).update(is_active=False)
    for wrong in (path, "/password/reset/x/y/", "/password/reset/bm9ib2R5/a-b/", f"{path[:-3]}xx/"):
        assert set_by(Client(), wrong).status_code == 404, wrong
    kim.refresh_from_db()
    assert kim.check_password(PASSWORD)


def test_link_is_spent_when_the_person_signs_in_meanwhile(kim):
    path = reset_path(kim)
    Client().post("/sign-in/", {"username": "kim", "password": PASSWORD})
    assert set_by(Client(), path).status_code == 404


def test_own_address_is_set_with_the_password_alone(kim):
    client = client_of(kim)
    assert client.post("/profile/email/", {"email": "evil@example.org", "password": "wrong"}).status_code == 409
    assert client.post("/profile/email/", {"email": "no address", "password": PASSWORD}).status_code == 400
    assert client.post("/profile/email/", {"email": "new@example.org", "password": PASSWORD}).status_code == 302
    kim.refresh_from_db()
    assert kim.email == "new@example.org"
    assert Event.objects.filter(name="person.email_set").latest("id").content["details"]["after"] == "new@example.org"
