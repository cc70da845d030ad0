"""Passwords that were forgotten, and the addresses that links to new ones are sent to."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Q
from django.utils import timezone

from webapp import jobs
from webapp.accounts import events
from webapp.accounts.actions import TRIES, TRIES_WITHIN
from webapp.accounts.mail import sends_mail
from webapp.accounts.models import User
from webapp.accounts.rules import may_manage_people, refusal_of_password
from webapp.accounts.sessions import end_sessions
from webapp.audit.actor import Actor
from webapp.audit.models import Event
from webapp.audit.origin import present_address
from webapp.audit.refusal import ActionRefused, Refusal, require
from webapp.audit.trail import audited, record

# So many links a person is sent in this time; who asks again hears the same and gets no further e-mail.
MOST_LINKS, LINKS_WITHIN = 3, timedelta(hours=1)
SOMEBODY = Actor("person", "", "somebody who is not signed in")
NO_MAIL = Refusal("no_mail", "This site sends no e-mail.")
TOO_MANY_ASKED = Refusal("too_many_tries", "New passwords were asked for too often from this address. Wait 15 minutes.")
SPENT_LINK = Refusal("spent_link", "This link is not known, was used, or has expired: ask for another one.")


def _since(span: timedelta) -> str:
    return (timezone.now() - span).strftime("%Y-%m-%dT%H:%M:%S")


@audited(events.RESET_ASKED)
def ask_for_reset(*, name: str, by: Any = SOMEBODY) -> None:
    """Send a link to a new password to whoever signs in as `name` or has it as their address.

    Nothing that the caller can see says whether there is such a person: the answer is the same, and a worker sends.
    """
    require(None if sends_mail() else NO_MAIL)
    name = name.replace("\0", "").strip()[:254]
    subject = f"address:{present_address()}"
    asked = Event.objects.filter(name=events.RESET_ASKED, subject=subject, at__gte=_since(TRIES_WITHIN))
    require(TOO_MANY_ASKED if asked.count() >= TRIES else None)
    found = User.objects.filter(Q(username__iexact=name) | Q(email__iexact=name), is_active=True).exclude(email="")
    told = [person for person in found.order_by("pk")[:MOST_LINKS] if not _was_told_enough(person)] if name else []
    for person in told:
        jobs.enqueue("accounts.mail_reset", person_id=str(person.pk))
        record(events.RESET_SENT, by=by, subject=f"person:{person.pk}", name=str(person))
    record(events.RESET_ASKED, by=by, subject=subject, asked=name, sent=len(told))


def _was_told_enough(person: User) -> bool:
    sent = Event.objects.filter(name=events.RESET_SENT, subject=f"person:{person.pk}", at__gte=_since(LINKS_WITHIN))
    return sent.count() >= MOST_LINKS


@audited(events.PASSWORD_RESET)
def reset_password(*, user: User, token: str, new: str, by: Any = SOMEBODY) -> User:
    """Give a person a new password by the link that was sent to them; every session of theirs ends."""
    user = User.objects.select_for_update().get(pk=user.pk)
    if not user.is_active or not default_token_generator.check_token(user, token):
        raise ActionRefused(SPENT_LINK)
    require(refusal_of_password(new, user))
    sessions = _set_password(user, new)
    record(events.PASSWORD_RESET, by=user, subject=f"person:{user.pk}", sessions=sessions)
    return user


@audited(events.PASSWORD_GIVEN)
def give_password(*, user: User, new: str, by: Any) -> User:
    """Give a person a new password as an administrator, who tells it to them; every session of theirs ends."""
    require(may_manage_people(by))
    user = User.objects.select_for_update().get(pk=user.pk)
    require(refusal_of_password(new, user))
    sessions = _set_password(user, new)
    record(events.PASSWORD_GIVEN, by=by, subject=f"person:{user.pk}", name=str(user), sessions=sessions)
    return user


def _set_password(user: User, new: str) -> int:
    user.set_password(new)
    user.save(update_fields=["password"])
    return end_sessions(user)


@audited(events.EMAIL_SET)
def set_email(*, user: User, email: str, by: Any, password: str = "") -> User:
    """Say where a person gets e-mail (empty: nowhere): they themselves, with their password, or an administrator."""
    if isinstance(by, User) and by.pk == user.pk:
        require(None if by.check_password(password) else Refusal("wrong_password", "The password is not right."))
    else:
        require(may_manage_people(by))
    email = email.replace("\0", "").strip()
    try:
        if email:
            validate_email(email)
    except ValidationError as error:
        raise ActionRefused(Refusal("malformed", "That is no e-mail address.")) from error
    user = User.objects.select_for_update().get(pk=user.pk)
    require(Refusal("unchanged", "That is the address already.") if email == user.email else None)
    before, user.email = user.email, email
    user.save(update_fields=["email"])
    record(events.EMAIL_SET, by=by, subject=f"person:{user.pk}", name=str(user), before=before, after=email)
    return user
