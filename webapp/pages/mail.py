"""Whether this site sends e-mail."""

from django.conf import settings


def mail_is_configured() -> bool:
    """Whether an e-mail would leave this site (or be kept, in a test): the backend alone says so."""
    return not settings.EMAIL_BACKEND.endswith("dummy.EmailBackend")
