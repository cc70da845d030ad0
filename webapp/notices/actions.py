"""What people do with what they are told."""

from django.utils import timezone

from webapp.accounts.models import User
from webapp.audit.refusal import ActionRefused, Refusal
from webapp.audit.trail import audited, record
from webapp.notices import events
from webapp.notices.models import Notice, NoticePreference


@audited(events.NOTICES_SET)
def set_notice_mail(*, by_mail: str, by: User) -> None:
    """Say how a person hears of notices by e-mail: never, each at once, or once a day."""
    if by_mail not in dict(NoticePreference.CHOICES):
        raise ActionRefused(Refusal("malformed", "E-mail comes never, at once or daily."))
    NoticePreference.objects.update_or_create(person=by, defaults={"by_mail": by_mail})
    record(events.NOTICES_SET, by=by, subject=f"person:{by.pk}", by_mail=by_mail)


def mark_notices_seen(*, by: User, notice_id: str | None = None) -> int:
    """Note that a person has seen one notice of theirs, or all; return how many were new."""
    unseen = Notice.objects.filter(person_id=by.pk, seen_at=None)
    if notice_id is not None:
        unseen = unseen.filter(pk=notice_id)
    return unseen.update(seen_at=timezone.now())
