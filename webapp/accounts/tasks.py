"""What a worker does for accounts."""

from webapp.accounts.mail import send_reset, sends_mail
from webapp.accounts.models import User
from webapp.jobs import task


@task("accounts.mail_reset")
def mail_reset(person_id: str) -> None:
    """Send a person the link to a new password; the link is made here, so that no queue ever holds it."""
    person = User.objects.filter(pk=person_id, is_active=True).exclude(email="").first()
    if person is not None and sends_mail():
        send_reset(person)
