"""Invitations: a link that admits one person to a campaign in one role, once."""

import hashlib
import secrets
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from webapp.accounts.actions import TRIES, TRIES_WITHIN, create_person
from webapp.accounts.models import User
from webapp.audit.actor import Actor
from webapp.audit.models import Event
from webapp.audit.origin import present_address
from webapp.audit.refusal import ActionRefused, Refusal, require
from webapp.audit.trail import audited, record
from webapp.campaigns import events
from webapp.campaigns.actions import chain_of
from webapp.campaigns.models import ROLES, Campaign, Invitation, Membership
from webapp.campaigns.queries import open_invitations
from webapp.campaigns.rules import may_manage_team

LIFETIMES_DAYS = (1, 7, 30)
MOST_OPEN = 200
UNKNOWN = Refusal("no_such_invitation", "This invitation is not known, was used, or has expired: ask for another.")
TOO_MANY = Refusal("too_many_tries", "Too many wrong invitations came from this address. Wait 15 minutes.")


def _hash_of(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


@audited(events.INVITED)
def invite(*, campaign: Campaign, role: str, days: int, by: Any, email: str = "") -> tuple[Invitation, str]:
    """Make an invitation; its secret is in nobody's hands but the caller's."""
    require(may_manage_team(campaign, by))
    campaign = Campaign.objects.select_for_update(of=("self",)).get(pk=campaign.pk)
    if role not in ROLES or days not in LIFETIMES_DAYS:
        raise ActionRefused(Refusal("malformed", f"Choose a role, and {', '.join(map(str, LIFETIMES_DAYS))} days."))
    now = timezone.now()
    if open_invitations(campaign, now).count() >= MOST_OPEN:
        raise ActionRefused(Refusal("too_many", f"There are {MOST_OPEN} open invitations: revoke those not needed."))
    secret = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        campaign=campaign,
        role=role,
        secret_sha256=_hash_of(secret),
        email=email,
        made_by=by if isinstance(by, User) else None,
        expires_at=now + timedelta(days=days),
    )
    record(
        events.INVITED,
        by=by,
        chain=chain_of(campaign),
        subject=f"invitation:{invitation.pk}",
        role=role,
        email=email,
        expires_at=invitation.expires_at.isoformat(timespec="seconds"),
    )
    return invitation, secret


@audited(events.INVITATION_REVOKED)
def revoke_invitation(*, invitation: Invitation, by: Any) -> Invitation:
    """End an invitation that nobody used."""
    require(may_manage_team(invitation.campaign, by))
    invitation = Invitation.objects.select_for_update(of=("self",)).get(pk=invitation.pk)
    require(Refusal("used", "This invitation was used already.") if invitation.used_at else None)
    invitation.revoked_at = invitation.revoked_at or timezone.now()
    invitation.save(update_fields=["revoked_at"])
    record(
        events.INVITATION_REVOKED,
        by=by,
        chain=chain_of(invitation.campaign),
        subject=f"invitation:{invitation.pk}",
        role=invitation.role,
    )
    return invitation


def find_invitation(*, secret: str) -> Invitation:
    """The invitation that a link is, while it opens the door. A wrong link is recorded and refused.

    A right link opens always: nobody guesses 256 bits, and nobody shall lock those invited out.
    """
    found = Invitation.objects.filter(
        secret_sha256=_hash_of(secret), used_at=None, revoked_at=None, expires_at__gt=timezone.now()
    )
    invitation = found.select_related("campaign", "made_by").first()
    if invitation is not None:
        return invitation
    subject = f"address:{present_address()}"
    since = (timezone.now() - TRIES_WITHIN).strftime("%Y-%m-%dT%H:%M:%S")
    if Event.objects.filter(subject=subject, name=events.INVITATION_REFUSED, at__gte=since).count() >= TRIES:
        raise ActionRefused(TOO_MANY)
    with transaction.atomic():
        somebody = Actor("person", "", "somebody with a wrong invitation")
        record(events.INVITATION_REFUSED, by=somebody, subject=subject)
    raise ActionRefused(UNKNOWN)


@audited(events.MEMBER_ADDED)
def join_campaign(*, secret: str, by: User) -> Membership:
    """Join a campaign by an invitation, as the person who is signed in."""
    return _joined(_held(secret), by)


@audited(events.MEMBER_ADDED)
def accept_invitation(
    *, secret: str, username: str, display_name: str, password: str, experience_years: int | None = None
) -> User:
    """Make an account by an invitation, and join its campaign."""
    invitation = _held(secret)
    newcomer = Actor("person", "", display_name[:120])
    user = create_person(
        username=username,
        display_name=display_name.strip(),
        password=password,
        experience_years=experience_years,
        # Whoever holds the link got it at this address, or from somebody who did.
        email=invitation.email,
        by=newcomer,
    )
    _joined(invitation, user)
    return user


def _held(secret: str) -> Invitation:
    """The invitation, with its row held until the transaction ends: it is used once."""
    rows = Invitation.objects.select_for_update(of=("self",)).filter(secret_sha256=_hash_of(secret), used_at=None)
    invitation = rows.filter(revoked_at=None, expires_at__gt=timezone.now()).select_related("campaign").first()
    if invitation is None:
        raise ActionRefused(UNKNOWN)
    return invitation


def _joined(invitation: Invitation, user: User) -> Membership:
    membership, _ = Membership.objects.get_or_create(campaign=invitation.campaign, user=user, role=invitation.role)
    invitation.used_at, invitation.used_by = timezone.now(), user
    invitation.save(update_fields=["used_at", "used_by"])
    record(
        events.MEMBER_ADDED,
        by=user,
        chain=chain_of(invitation.campaign),
        subject=f"person:{user.pk}",
        role=invitation.role,
        name=str(user),
        invitation=str(invitation.pk),
    )
    return membership
