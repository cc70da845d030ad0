"""Tell people something, in the transaction of what it is about: `notify` is called from the actions of other apps."""

from collections.abc import Iterable

from webapp import jobs, push
from webapp.accounts.mail import sends_mail
from webapp.accounts.models import User
from webapp.notices.models import KINDS, Notice, NoticePreference


def notify(
    people: Iterable[User], kind: str, *, sentence: str, url: str, campaign_slug: str = "", detail: str = ""
) -> list[Notice]:
    """Make a notice of a `kind` (a key of KINDS) for each of some people, who hear of it when the transaction commits.

    `sentence` may leave the site by e-mail: it names cases by number and says nothing of patients or of readings that
    the person may not know of. What somebody wrote goes into `detail`, which stays on the page. `url` is a path.
    """
    if kind not in KINDS:
        raise ValueError(f"There are no notices of the kind {kind!r}.")
    active = {person.pk: person for person in people if person.is_active}
    made = Notice.objects.bulk_create(
        Notice(
            person=person,
            kind=kind,
            sentence=sentence[:200],
            detail=detail[:500],
            url=url,
            campaign_slug=campaign_slug,
        )
        for person in active.values()
    )
    if sends_mail():
        _mail_at_once(made)
    for notice in made:
        push.publish(f"person:{notice.person_id}", "notice.made")
    return made


def notify_once(people: Iterable[User], kind: str, *, sentence: str, url: str, campaign_slug: str = "") -> list[Notice]:
    """The same for what comes round again: whoever was told of this kind at this address is not told anew."""
    told = set(Notice.objects.filter(kind=kind, url=url).values_list("person_id", flat=True))
    new = [person for person in people if person.pk not in told]
    return notify(new, kind, sentence=sentence, url=url, campaign_slug=campaign_slug)


def _mail_at_once(made: list[Notice]) -> None:
    wanted = NoticePreference.objects.filter(
        person__in=[notice.person_id for notice in made], by_mail=NoticePreference.AT_ONCE
    ).values_list("person_id", flat=True)
    for notice in made:
        if notice.person_id in set(wanted) and notice.person.email:
            jobs.enqueue("notices.mail_notice", notice_id=str(notice.pk))
