"""What people do with their accounts."""

import json
from datetime import timedelta
from math import isfinite
from typing import Any

from django.contrib.auth import authenticate, login, logout, update_session_auth_hash
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from webapp.accounts import events, token_text
from webapp.accounts.models import AccessToken, Preferences, User
from webapp.accounts.queries import token_of
from webapp.accounts.rules import (
    may_create_token,
    may_manage_people,
    may_use_token,
    refusal_of_password,
    refusal_of_person,
)
from webapp.audit.actor import SYSTEM, Actor
from webapp.audit.models import Event
from webapp.audit.origin import present_address
from webapp.audit.refusal import ActionRefused, Refusal, require
from webapp.audit.trail import audited, record

TRIES = 10
TRIES_WITHIN = timedelta(minutes=15)
TOO_MANY = Refusal(
    "too_many_tries",
    "Too many wrong passwords for this name. Wait 15 minutes, or ask an administrator for a new one.",
)
VIEWER_PREFERENCES = {"layout", "voi", "windows", "keys", "masks", "tools", "strip", "panels"}
PREFERENCES_BYTES, PREFERENCES_DEPTH = 16_384, 5
TOO_MANY_TOKENS = Refusal(
    "too_many_tries", "Too many wrong access tokens came from this address. Wait 15 minutes, then send a right one."
)
# A token in constant use is written to once in this time, not at every request.
USE_IS_NOTED_EVERY = timedelta(minutes=1)
WRONG = Refusal("wrong_password", "That name and password do not belong together.")


@audited(events.PERSON_CREATED)
def create_person(
    *,
    username: str,
    display_name: str,
    password: str,
    by: Any,
    experience_years: int | None = None,
    email: str = "",
) -> User:
    """Make an account. Who may is asked by what calls this: the people's page, or an invitation."""
    require(refusal_of_person(username, display_name, password, experience_years))
    user = User.objects.create_user(
        username, email=email, password=password, display_name=display_name, experience_years=experience_years
    )
    record(
        events.PERSON_CREATED,
        by=by,
        subject=f"person:{user.pk}",
        username=username,
        display_name=display_name,
    )
    return user


@audited(events.CAMPAIGN_RIGHT_SET)
def set_campaign_right(*, user: User, allowed: bool, by: Any) -> User:
    """Say whether a person may make campaigns."""
    require(may_manage_people(by))
    user = User.objects.select_for_update().get(pk=user.pk)
    before, user.may_create_campaigns = user.may_create_campaigns, allowed
    user.save(update_fields=["may_create_campaigns"])
    record(
        events.CAMPAIGN_RIGHT_SET,
        by=by,
        subject=f"person:{user.pk}",
        name=str(user),
        before=before,
        after=allowed,
    )
    return user


@audited(events.ADMINISTRATOR_SET)
def set_administrator(*, user: User, allowed: bool, by: Any) -> User:
    """Make a person an administrator of the site, or one no more; one of them is always left."""
    require(may_manage_people(by))
    administrators = User.objects.select_for_update().filter(is_superuser=True, is_active=True)
    others = [one for one in administrators.order_by("pk") if one.pk != user.pk]
    user = User.objects.select_for_update().get(pk=user.pk)
    require(Refusal("unchanged", f"{user} is that already.") if user.is_superuser == allowed else None)
    require(None if allowed or others else Refusal("last_administrator", f"{user} is the only administrator left."))
    user.is_superuser = allowed
    user.save(update_fields=["is_superuser"])
    record(
        events.ADMINISTRATOR_SET, by=by, subject=f"person:{user.pk}", name=str(user), before=not allowed, after=allowed
    )
    return user


@audited(events.PERSON_CREATED)
def admit_person(
    *,
    username: str,
    display_name: str,
    password: str,
    by: Any,
    experience_years: int | None = None,
    email: str = "",
    may_create_campaigns: bool = False,
) -> User:
    """Make an account as an administrator, who tells the person its first password."""
    require(may_manage_people(by))
    user = create_person(
        username=username,
        display_name=display_name,
        password=password,
        experience_years=experience_years,
        email=email,
        by=by,
    )
    return set_campaign_right(user=user, allowed=True, by=by) if may_create_campaigns else user


def check_password(*, request: HttpRequest, username: str, password: str) -> User:
    """Return the person whom this name and password belong to; every refusal is recorded and counted."""
    username = username.replace("\0", "")  # PostgreSQL's text has no NUL, so nobody's name has one
    subject = f"username:{username[:100]}"
    since = (timezone.now() - TRIES_WITHIN).strftime("%Y-%m-%dT%H:%M:%S")
    refused = Event.objects.filter(subject=subject, name=events.SIGN_IN_REFUSED, at__gte=since).count()
    user = None if refused >= TRIES else authenticate(request, username=username, password=password)
    if isinstance(user, User):
        return user
    refusal = TOO_MANY if refused >= TRIES else WRONG
    with transaction.atomic():
        record(
            events.SIGN_IN_REFUSED,
            by=Actor("person", "", username[:100]),
            subject=subject,
            reason=refusal.code,
        )
    raise ActionRefused(refusal)


def sign_in(*, request: HttpRequest, username: str, password: str) -> User:
    """Begin a session for a person; raises ActionRefused, after recording it, when the password is wrong."""
    user = check_password(request=request, username=username, password=password)
    _begin_session(request=request, user=user)
    return user


@audited(events.SIGNED_IN)
def _begin_session(*, request: HttpRequest, user: User) -> None:
    login(request, user)
    record(events.SIGNED_IN, by=user, subject=f"person:{user.pk}")


@audited(events.SIGNED_OUT)
def sign_out(*, request: HttpRequest, by: Any) -> None:
    """End a session."""
    actor = by.actor if isinstance(by, User) else SYSTEM
    logout(request)
    record(events.SIGNED_OUT, by=actor, subject=f"person:{actor.identifier}")


@audited(events.PASSWORD_CHANGED)
def change_password(*, request: HttpRequest, old: str, new: str, by: User) -> None:
    """Give a person a new password, who knows the old one; their other sessions end."""
    if not by.check_password(old):
        raise ActionRefused(Refusal("wrong_password", "The old password is not right."))
    require(refusal_of_password(new, by))
    by.set_password(new)
    by.save(update_fields=["password"])
    update_session_auth_hash(request, by)
    record(events.PASSWORD_CHANGED, by=by, subject=f"person:{by.pk}")


def _can_be_kept(preferences: dict[str, Any]) -> bool:
    """Whether these are known keys with a value each, none too deep, and with nothing that PostgreSQL cannot hold."""
    if not VIEWER_PREFERENCES.issuperset(preferences):
        return False
    if not all(isinstance(value, dict | list | str) or type(value) in (int, float) for value in preferences.values()):
        return False
    waiting: list[tuple[Any, int]] = [(preferences, 1)]
    while waiting:
        value, depth = waiting.pop()
        if depth > PREFERENCES_DEPTH:
            return False
        if isinstance(value, str) and ("\0" in value or _has_surrogates(value)):
            return False
        if isinstance(value, float) and not isfinite(value):
            return False
        inner = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []
        waiting += [(one, depth + 1) for one in inner]
    return True


def _has_surrogates(text: str) -> bool:
    return any("\ud800" <= letter <= "\udfff" for letter in text)


@audited(events.PREFERENCES_KEPT)
def keep_viewer_preferences(*, preferences: Any, by: User) -> None:
    """Keep how a person has set the viewer. Raises ActionRefused for anything but a small object of known keys."""
    if not isinstance(preferences, dict) or not _can_be_kept(preferences):
        keys = ", ".join(sorted(VIEWER_PREFERENCES))
        sentence = f"The viewer's preferences are a JSON object, not deep, with some of the keys {keys}."
        raise ActionRefused(Refusal("malformed", sentence))
    size = len(json.dumps(preferences).encode())
    if size > PREFERENCES_BYTES:
        raise ActionRefused(Refusal("too_large", "These preferences are too large to be kept."))
    Preferences.objects.update_or_create(user=by, defaults={"viewer": preferences})
    record(events.PREFERENCES_KEPT, by=by, subject=f"person:{by.pk}", bytes=size)


@audited(events.TOKEN_CREATED)
def create_token(*, name: str, days: int, by: User) -> tuple[AccessToken, str]:
    """Give a person an access token that lives for so many days; its secret is in nobody's hands but the caller's."""
    name = name.replace("\0", "").strip()
    User.objects.select_for_update().get(pk=by.pk)
    require(may_create_token(by, name, days))
    secret = token_text.new_secret()
    token = AccessToken.objects.create(
        user=by,
        name=name,
        prefix=token_text.prefix_of(secret),
        secret_sha256=token_text.hash_of(secret),
        expires_at=timezone.now() + timedelta(days=days),
    )
    record(
        events.TOKEN_CREATED,
        by=by,
        subject=f"person:{by.pk}",
        token=str(token.pk),
        prefix=token.prefix,
        name=name,
        expires_at=token.expires_at.isoformat(timespec="seconds"),
    )
    return token, secret


@audited(events.TOKEN_REVOKED)
def revoke_token(*, token: AccessToken, by: User) -> None:
    """End an access token now. One that was revoked before stays so."""
    if token.user_id != by.pk:
        raise ActionRefused(Refusal("not_yours", "Only the person whose token it is may revoke it."))
    AccessToken.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=timezone.now())
    record(events.TOKEN_REVOKED, by=by, subject=f"person:{by.pk}", token=str(token.pk), prefix=token.prefix)


def check_token(*, secret: str) -> AccessToken:
    """Return the token that a program presents; a wrong one is a refused sign-in, recorded and counted.

    Beyond TRIES wrong ones from one address, further wrong ones are refused without a word in the trail. A right
    one opens the door always: nobody guesses 256 bits, and nobody shall lock a hospital's programs out.
    """
    token = token_of(secret)
    refusal = may_use_token(token, timezone.now())
    if token is not None and refusal is None:
        _note_use(token)
        return token
    assert refusal is not None
    subject = f"address:{present_address()}"
    since = (timezone.now() - TRIES_WITHIN).strftime("%Y-%m-%dT%H:%M:%S")
    if Event.objects.filter(subject=subject, name=events.SIGN_IN_REFUSED, at__gte=since).count() >= TRIES:
        raise ActionRefused(TOO_MANY_TOKENS)
    with transaction.atomic():
        record(
            events.SIGN_IN_REFUSED,
            by=token.user if token else Actor("person", "", "somebody with an unknown access token"),
            subject=subject,
            reason=refusal.code,
            token=str(token.pk) if token else None,
            prefix=token_text.prefix_of(secret),
        )
    raise ActionRefused(refusal)


def _note_use(token: AccessToken) -> None:
    now = timezone.now()
    if token.last_used_at is None or token.last_used_at < now - USE_IS_NOTED_EVERY:
        AccessToken.objects.filter(pk=token.pk).update(last_used_at=now)
