"""E-mail about accounts: the link by which a person sets a new password."""

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import send_mail
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from webapp.accounts.models import User
from webapp.settings.mail import OFF


def sends_mail() -> bool:
    """Whether this site sends e-mail at all."""
    return settings.EMAIL_BACKEND != OFF


def reset_path(user: User) -> str:
    """The path of the page where a person sets a new password, once, until PASSWORD_RESET_TIMEOUT is over."""
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    return f"/password/reset/{uid}/{default_token_generator.make_token(user)}/"


def send_reset(user: User) -> None:
    """Send a person the link; raises what the mail server answers (OSError, SMTPException)."""
    minutes = settings.PASSWORD_RESET_TIMEOUT // 60
    text = (
        f"Somebody, probably you, asked for a new password for {user.username}.\n\n"
        f"{settings.SITE_ADDRESS.rstrip('/')}{reset_path(user)}\n\n"
        f"The link works once, for {minutes} minutes. If it was not you, do nothing: your password stays as it is.\n"
    )
    send_mail("[Groundglass] A new password", text, settings.DEFAULT_FROM_EMAIL, [user.email])
