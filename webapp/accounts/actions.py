"""What people do with their accounts."""

import json
from datetime import timedelta
from math import isfinite
from typing import Any

from django.contrib.auth import authenticate, login, logout, update_session_auth_hash
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from webapp.accounts import events
from webapp.accounts.models import Preferences, User
from webapp.audit.actor import SYSTEM, Actor
from webapp.audit.models import Event
from webapp.audit.refusal import ActionRefused, Refusal
from webapp.audit.trail import audited, record

TRIES = 10
TRIES_WITHIN = timedelta(minutes=15)
TOO_MANY = Refusal(
    "too_many_tries",
    "Too many wrong passwords for this name. Wait 15 minutes, or ask an administrator for a new one.",
)
VIEWER_PREFERENCES = {"layout", "voi", "windows", "keys", "masks", "tools", "strip", "panels"}
PREFERENCES_BYTES, PREFERENCES_DEPTH = 16_384, 5
WRONG = Refusal("wrong_password", "That name and password do not belong together.")


@audited(events.PERSON_CREATED)
def create_person(
    *, username: str, display_name: str, password: str, by: Any, experience_years: int | None = None
) -> User:
    """Make an account."""
    user = User.objects.create_user(
        username, password=password, display_name=display_name, experience_years=experience_years
    )
    record(
        events.PERSON_CREATED,
        by=by,
        subject=f"person:{user.pk}",
        username=username,
        display_name=display_name,
    )
    return user


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
    try:
        validate_password(new, by)
    except ValidationError as error:
        raise ActionRefused(Refusal("weak_password", " ".join(error.messages))) from error
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
