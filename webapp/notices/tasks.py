"""What workers do for notices: e-mail at once, and a digest once a day."""

from django.db import transaction
from django.utils import timezone

from webapp.accounts.mail import sends_mail
from webapp.accounts.models import User
from webapp.jobs import task
from webapp.jobs.periodic import every
from webapp.notices.mail import send_notices
from webapp.notices.models import Notice, NoticePreference
from webapp.notices.queries import waits_for_digest

DIGEST_ROUND_S = 900
MOST_IN_A_DIGEST = 50


@task("notices.mail_notice")
def mail_notice(notice_id: str) -> None:
    """Send one notice; run again, it sends nothing twice unless the machine stopped between sending and noting it."""
    if not sends_mail():
        return
    with transaction.atomic():
        notice = Notice.objects.select_for_update(of=("self",)).select_related("person").filter(pk=notice_id).first()
        if notice is None or notice.mailed_at is not None or not notice.person.email:
            return
        send_notices(notice.person, [notice])
        Notice.objects.filter(pk=notice.pk).update(mailed_at=timezone.now())


@every(DIGEST_ROUND_S, "notices.digests")
def send_digests() -> None:
    """Send each person who wants it what they have not seen in the page, once a day."""
    if not sends_mail():
        return
    for person in waits_for_digest(timezone.now()):
        send_digest(person)


def send_digest(person: User) -> int:
    """Send a person one e-mail of what they have not seen; return of how many notices."""
    with transaction.atomic():
        waiting = Notice.objects.select_for_update().filter(person=person, seen_at=None, mailed_at=None)
        notices = list(waiting.order_by("made_at")[:MOST_IN_A_DIGEST])
        if not notices:
            return 0
        now = timezone.now()
        NoticePreference.objects.update_or_create(person=person, defaults={"digest_at": now})
        Notice.objects.filter(pk__in=[notice.pk for notice in notices]).update(mailed_at=now)
        # Last: where the mail server refuses, nothing of this is kept and the next round tries again.
        send_notices(person, notices)
    return len(notices)
