"""Read what belongs to a person."""

from typing import Any

from webapp.accounts.models import Preferences, User


def viewer_preferences_of(user: User) -> dict[str, Any]:
    """How a person has set the viewer; empty when they never did."""
    kept = Preferences.objects.filter(user_id=user.pk).first()
    return dict(kept.viewer) if kept else {}
