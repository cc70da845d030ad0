"""Access tokens: made once, kept as a hash, a person's rights and no more, refused with a reason, all written down."""

from datetime import timedelta

import pytest
from django.http import HttpRequest, JsonResponse
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from tests.factories.sites import a_person, a_reading, a_workplace
from webapp.accounts.actions import TRIES, create_token, revoke_token
from webapp.accounts.authentication import open_to_programs, token_behind
from webapp.accounts.models import AccessToken
from webapp.accounts.rules import MOST_TOKENS
from webapp.audit.models import Event
from webapp.audit.refusal import ActionRefused

pytestmark = pytest.mark.django_db
PREFERENCES = "/api/preferences/viewer/"


def with_token(secret: str) -> dict[str, str]:
    return {"HTTP_AUTHORIZATION": f"Bearer {secret}"}


def refused_sign_ins() -> list[dict]:
    return [event.content for event in Event.objects.filter(name="person.sign_in_refused").order_by("id")]


@pytest.fixture
def kim():
    return a_person("kim")


@pytest.fixture
def secret(kim) -> str:
    return create_token(name="notebook", days=30, by=kim)[1]


def test_a_token_opens_the_api_as_its_person_without_cookie_or_csrf(kim, secret):
    client = Client(enforce_csrf_checks=True)
    assert client.get(PREFERENCES).status_code == 401
    answer = client.put(PREFERENCES, {"layout": "one"}, content_type="application/json", **with_token(secret))
    assert answer.status_code == 200
    kim.refresh_from_db()
    assert kim.preferences.viewer == {"layout": "one"}
    assert "sessionid" not in client.cookies


def test_only_the_hash_is_kept_and_no_event_holds_the_secret(kim, secret):
    token = AccessToken.objects.get(user=kim)
    assert secret.startswith(token.prefix)
    assert len(secret) - len(token.prefix) > 30
    everything = " ".join(f"{value}" for value in AccessToken.objects.values_list().get())
    trail = " ".join(Event.objects.values_list("body", flat=True))
    assert secret not in everything
    assert secret not in trail
    created = Event.objects.get(name="person.token_created").content
    assert created["details"]["prefix"] == token.prefix
    assert created["actor"]["id"] == str(kim.pk)


def test_a_token_gives_its_persons_rights_and_no_others():
    place = a_workplace()
    reading = a_reading(place)
    url = reverse("api-reading", args=[reading.pk])
    seen = {}
    for person in (place.reader, place.other_reader, place.outsider, place.coordinator):
        _, secret = create_token(name="x", days=7, by=person)
        seen[person.username] = Client().get(url, **with_token(secret)).status_code
    assert seen == {"covid-reader": 200, "covid-other": 404, "covid-outsider": 404, "covid-coordinator": 200}


def test_the_token_speaks_louder_than_the_cookie(kim, secret):
    client = Client()
    client.force_login(a_person("lee"))
    client.put(PREFERENCES, {"layout": "two"}, content_type="application/json", **with_token(secret))
    kim.refresh_from_db()
    assert kim.preferences.viewer == {"layout": "two"}
    assert client.get(PREFERENCES, **with_token("gg_" + "x" * 43)).status_code == 401


def test_last_use_is_noted_but_not_at_every_request(kim, secret):
    token = AccessToken.objects.get(user=kim)
    assert token.last_used_at is None
    Client().get(PREFERENCES, **with_token(secret))
    token.refresh_from_db()
    first = token.last_used_at
    assert first is not None
    Client().get(PREFERENCES, **with_token(secret))
    token.refresh_from_db()
    assert token.last_used_at == first
    AccessToken.objects.filter(pk=token.pk).update(last_used_at=first - timedelta(minutes=5))
    Client().get(PREFERENCES, **with_token(secret))
    token.refresh_from_db()
    assert token.last_used_at >= first


def test_expired_revoked_closed_and_unknown_tokens_are_refused_with_their_reason_and_recorded(kim, secret):
    def attempt(value: str) -> tuple[int, str, str | None]:
        answer = Client().get(PREFERENCES, **with_token(value))
        return answer.status_code, answer.json()["error"], answer.headers.get("WWW-Authenticate")

    challenge = 'Bearer realm="Groundglass"'
    assert attempt("gg_" + "a" * 43) == (401, "wrong_token", challenge)
    token = AccessToken.objects.get(user=kim)
    AccessToken.objects.filter(pk=token.pk).update(expires_at=timezone.now())
    assert attempt(secret) == (401, "expired_token", challenge)
    revoke_token(token=token, by=kim)
    assert attempt(secret) == (401, "revoked_token", challenge)
    other = create_token(name="other", days=7, by=kim)[1]
    kim.is_active = False
    kim.save()
    assert attempt(other) == (401, "closed_account", challenge)
    reasons = [(event["details"]["reason"], event["actor"]["id"]) for event in refused_sign_ins()]
    assert reasons == [
        ("wrong_token", ""),
        ("expired_token", str(kim.pk)),
        ("revoked_token", str(kim.pk)),
        ("closed_account", str(kim.pk)),
    ]
    assert secret not in str(refused_sign_ins())


@pytest.mark.parametrize(
    "header",
    [
        "Bearer ",
        "Bearer",
        "bearer gg_short",
        "Bearer gg_" + "x" * 5000,
        "Bearer ' OR 1=1 --",
        "Bearer gg_\x7f" + "a" * 43,
        "Bearer \u00e9\u00e9\u00e9",
    ],
)
def test_hostile_headers_are_wrong_tokens_and_nothing_worse(header):
    answer = Client().get(PREFERENCES, HTTP_AUTHORIZATION=header)
    assert (answer.status_code, answer.json()["error"]) == (401, "wrong_token")
    assert [event["details"]["prefix"] for event in refused_sign_ins()] == [""]


def test_a_header_of_another_kind_is_no_token():
    client = Client()
    client.force_login(a_person("lee"))
    assert client.get(PREFERENCES, HTTP_AUTHORIZATION="Basic a2ltOnNlY3JldA==").status_code == 200
    assert refused_sign_ins() == []


def test_a_token_in_the_address_opens_nothing(secret):
    for name in ("token", "access_token", "Authorization", "bearer"):
        assert Client().get(PREFERENCES, {name: secret}).status_code == 401


def test_wrong_tokens_are_throttled_by_address_and_right_ones_never(kim, secret):
    for _ in range(TRIES):
        assert Client().get(PREFERENCES, **with_token("gg_" + "b" * 43)).status_code == 401
    answer = Client().get(PREFERENCES, **with_token("gg_" + "b" * 43))
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert "Too many wrong access tokens" in answer.json()["sentence"]
    assert len(refused_sign_ins()) == TRIES
    elsewhere = Client(REMOTE_ADDR="192.0.2.7").get(PREFERENCES, **with_token("gg_" + "b" * 43))
    assert elsewhere.status_code == 401
    assert Client().get(PREFERENCES, **with_token(secret)).status_code == 200


@pytest.mark.parametrize(
    ("name", "days", "code"),
    [
        ("", 30, "token_name"),
        ("x" * 61, 30, "token_name"),
        ("new\nline", 30, "token_name"),
        ("fine", 3650, "token_lifetime"),
        ("notebook", 30, "token_exists"),
    ],
)
def test_what_no_token_may_be(kim, secret, name, days, code):
    with pytest.raises(ActionRefused) as refused:
        create_token(name=name, days=days, by=kim)
    assert refused.value.code == code
    assert AccessToken.objects.count() == 1


def test_names_are_free_again_after_revoking_and_tokens_are_counted(kim, secret):
    revoke_token(token=AccessToken.objects.get(user=kim), by=kim)
    for number in range(MOST_TOKENS):
        create_token(name="notebook" if number == 0 else f"token {number}", days=7, by=kim)
    with pytest.raises(ActionRefused, match="revoke those"):
        create_token(name="one more", days=7, by=kim)


def test_nobody_revokes_another_persons_token(kim, secret):
    with pytest.raises(ActionRefused, match="Only the person"):
        revoke_token(token=AccessToken.objects.get(user=kim), by=a_person("lee"))
    assert Client().get(PREFERENCES, **with_token(secret)).status_code == 200


def test_the_sites_own_role_makes_uses_and_revokes_tokens(site_role, kim):
    with site_role():
        token, secret = create_token(name="as the site", days=7, by=kim)
        assert Client().get(PREFERENCES, **with_token(secret)).status_code == 200
        revoke_token(token=token, by=kim)
        assert Client().get(PREFERENCES, **with_token(secret)).status_code == 401


# Plain views


@open_to_programs
def a_plain_view(request: HttpRequest) -> JsonResponse:
    token = token_behind(request)
    return JsonResponse({"person": request.user.username, "token": token.name if token else None})


def asked(method: str, user=None, **headers: str):
    from django.contrib.auth.models import AnonymousUser

    request = getattr(RequestFactory(enforce_csrf_checks=True), method)("/anywhere", **headers)
    request.user = user or AnonymousUser()
    return a_plain_view(request)


def test_plain_views_take_a_token_for_reading_and_writing(kim, secret):
    for method in ("get", "post"):
        answer = asked(method, **with_token(secret))
        assert answer.status_code == 200
        assert b'{"person": "kim", "token": "notebook"}' in answer.content


def test_plain_views_take_a_session_for_reading_and_want_csrf_for_writing(kim):
    assert asked("get", user=kim).status_code == 200
    answer = asked("post", user=kim)
    assert answer.status_code == 403
    assert b"csrf" in answer.content


def test_plain_views_send_everyone_else_away_with_a_challenge(kim):
    for headers in ({}, with_token("gg_" + "c" * 43)):
        answer = asked("post", **headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    for _ in range(TRIES):
        asked("get", **with_token("gg_" + "c" * 43))
    assert asked("get", **with_token("gg_" + "c" * 43)).status_code == 429
