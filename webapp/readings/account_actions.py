"""An account is closed, and opened again. What its person read, signed and did stays as it is."""

from typing import Any

from django.utils import timezone

from webapp.accounts import events
from webapp.accounts.models import AccessToken, User
from webapp.accounts.rules import may_close_account
from webapp.accounts.sessions import end_sessions
from webapp.audit.refusal import Refusal, require
from webapp.audit.trail import audited, record
from webapp.masks.models import Lease


@audited(events.ACCOUNT_CLOSED)
def close_account(*, user: User, by: Any) -> User:
    """Let a person in no more: sessions and access tokens end now, and what they were writing to is released.

    Open readings stay theirs until a coordinator gives them to somebody else.
    """
    user = User.objects.select_for_update().get(pk=user.pk)
    require(may_close_account(user, by))
    require(None if user.is_active else Refusal("closed_account", f"The account of {user} is closed already."))
    user.is_active = False
    user.save(update_fields=["is_active"])
    tokens = AccessToken.objects.filter(user=user, revoked_at=None).update(revoked_at=timezone.now())
    leases = Lease.objects.filter(holder=user, released=False).update(released=True)
    record(
        events.ACCOUNT_CLOSED,
        by=by,
        subject=f"person:{user.pk}",
        name=str(user),
        sessions=end_sessions(user),
        tokens=tokens,
        leases=leases,
    )
    return user


@audited(events.ACCOUNT_REOPENED)
def reopen_account(*, user: User, by: Any) -> User:
    """Let a person in again, with the password and the roles that they had; tokens and sessions do not come back."""
    user = User.objects.select_for_update().get(pk=user.pk)
    require(may_close_account(user, by))
    require(Refusal("open_account", f"The account of {user} is open.") if user.is_active else None)
    user.is_active = True
    user.save(update_fields=["is_active"])
    # A session that began in the very moment of the closing is no way in either.
    end_sessions(user)
    record(events.ACCOUNT_REOPENED, by=by, subject=f"person:{user.pk}", name=str(user))
    return user
