"""What a person was told."""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from webapp.accounts.models import User
from webapp.notices.models import Notice, NoticePreference

MOST_COUNTED = 99
DIGEST_EVERY = timedelta(hours=23, minutes=30)


def notices_of(user: User) -> QuerySet[Notice]:
    """A person's notices, the newest first."""
    return Notice.objects.filter(person_id=user.pk).order_by("-made_at", "pk")


def unseen_count(user: User) -> int:
    """How many notices a person has not seen; no more than MOST_COUNTED + 1 are counted."""
    return Notice.objects.filter(person_id=user.pk, seen_at=None)[: MOST_COUNTED + 1].count()


def mail_wish_of(user: User) -> str:
    """How a person wants to hear of notices by e-mail."""
    kept = NoticePreference.objects.filter(person_id=user.pk).values_list("by_mail", flat=True).first()
    return kept or NoticePreference.DAILY


def waits_for_digest(now: datetime) -> QuerySet[User]:
    """The people who get a digest now: an address, notices neither seen nor mailed, and no digest within the day."""
    waiting = Notice.objects.filter(person=OuterRef("pk"), seen_at=None, mailed_at=None)
    wants = Q(notice_preference=None) | Q(notice_preference__by_mail=NoticePreference.DAILY)
    rested = Q(notice_preference__digest_at=None) | Q(notice_preference__digest_at__lt=now - DIGEST_EVERY)
    people = User.objects.filter(wants & rested, is_active=True).exclude(email="")
    return people.filter(Exists(waiting)).order_by("pk")
