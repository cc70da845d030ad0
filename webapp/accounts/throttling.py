"""How often programs may ask: as often as a person's own tab is never asked about."""

from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from webapp.accounts.models import AccessToken


class ProgramThrottle(SimpleRateThrottle):
    """So many requests of one person's programs in a time, by the setting API_RATE ("600/minute"), in each web process.

    All tokens of a person count together; a session, which is a person at a screen, is not throttled.
    """

    scope = "programs"

    def get_rate(self) -> str:
        """The setting, read at each request: a test may change it."""
        return str(settings.API_RATE)

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        """One count for each person; None is no count."""
        if not isinstance(request.auth, AccessToken):
            return None
        return f"throttle_programs_{request.auth.user_id}"
