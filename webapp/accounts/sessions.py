"""A person's sessions, looked up by what is in them: few are alive at a time."""

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.utils import timezone

from webapp.accounts.models import User


def end_sessions(user: User) -> int:
    """End every session of a person now; return how many there were."""
    alive = Session.objects.filter(expire_date__gt=timezone.now())
    theirs = [one.pk for one in alive.iterator() if one.get_decoded().get(SESSION_KEY) == str(user.pk)]
    Session.objects.filter(pk__in=theirs).delete()
    return len(theirs)
