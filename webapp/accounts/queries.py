"""Read what belongs to a person."""

from typing import Any

from webapp.accounts.models import AccessToken, Preferences, User
from webapp.accounts.token_text import SHAPE, hash_of


def viewer_preferences_of(user: User) -> dict[str, Any]:
    """How a person has set the viewer; empty when they never did."""
    kept = Preferences.objects.filter(user_id=user.pk).first()
    return dict(kept.viewer) if kept else {}


def tokens_of(user: User) -> list[AccessToken]:
    """A person's access tokens that were not revoked, the youngest first; expired ones stay to be seen."""
    kept = AccessToken.objects.filter(user_id=user.pk, revoked_at__isnull=True)
    return list(kept.order_by("-created_at"))


def token_of(secret: str) -> AccessToken | None:
    """The token that a secret is, expired and revoked ones too; None where nobody has it."""
    if not SHAPE.fullmatch(secret):
        return None
    return AccessToken.objects.select_related("user").filter(secret_sha256=hash_of(secret)).first()


def person_called(username: str) -> User | None:
    """Who signs in as `username`, in any case of letters; None where nobody does, or their account is closed."""
    return User.objects.filter(username__iexact=username.strip(), is_active=True).first()
