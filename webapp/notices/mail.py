"""Notices as e-mail: sentences and links, never what somebody wrote and nothing of patients."""

from collections.abc import Sequence

from django.conf import settings
from django.core.mail import send_mail

from webapp.accounts.models import User
from webapp.notices.models import Notice

END = "How you hear of such things is set on {address}/notices/."


def send_notices(person: User, notices: Sequence[Notice]) -> None:
    """Send one e-mail about some notices of a person; raises what the mail server answers (OSError, SMTPException)."""
    first = notices[0].sentence if len(notices) == 1 else f"{len(notices)} things wait for you"
    address = settings.SITE_ADDRESS.rstrip("/")
    lines = [f"{_about(notice)}\n{address}{notice.url}" for notice in notices]
    body = "\n\n".join([*lines, END.format(address=address)])
    send_mail(f"[Groundglass] {first}", body + "\n", settings.DEFAULT_FROM_EMAIL, [person.email])


def _about(notice: Notice) -> str:
    return f"{notice.campaign_slug}: {notice.sentence}" if notice.campaign_slug else notice.sentence
