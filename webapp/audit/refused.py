"""Refusals as events: what somebody wanted to do and was told no, written so that no rollback takes it away."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from webapp.audit.actor import SYSTEM, Actor, actor_of
from webapp.audit.events import ACTION_REFUSED
from webapp.audit.models import Event
from webapp.audit.origin import present_address
from webapp.audit.record import SITE_CHAIN, record, recorded
from webapp.audit.refusal import ActionRefused, Refusal

# A program that asks the same again and again is noted once in this time: it must not fill the trail.
SAME_AGAIN = timedelta(minutes=1)
LONGEST_SUBJECT, LONGEST_SENTENCE, MOST_ROWS = 120, 600, 20

# Who knows to which chain a row belongs: campaigns say so when they start (audit imports no app).
ChainOf = Callable[[models.Model], str | None]
_chain_of: list[ChainOf] = []


def register_chain_of(chain_of: ChainOf) -> None:
    """Let `chain_of(row)` say to which chain events about a row belong; None where it does not know."""
    if chain_of not in _chain_of:
        _chain_of.append(chain_of)


def record_refusal(*, action: str, refused: ActionRefused | Refusal, about: Mapping[str, Any]) -> Event | None:
    """Write, in a transaction of its own, that an action was refused; `about` are the arguments that it was given.

    None where the same person was refused the same for the same reason a moment ago.
    """
    actor = _actor(about.get("by"))
    rows = [row for name, value in about.items() if name != "by" for row in _rows_in(value)]
    subject = _named(rows[0])[:LONGEST_SUBJECT] if rows else ""
    if _was_noted(actor, subject, action, refused.code):
        return None
    with transaction.atomic():
        return record(
            ACTION_REFUSED,
            by=actor,
            chain=_chain(about, rows),
            subject=subject,
            action=action,
            code=refused.code,
            sentence=refused.sentence[:LONGEST_SENTENCE],
            about=[_named(row) for row in rows],
        )


@contextlib.contextmanager
def refusals_recorded(action: str, /, **about: Any) -> Iterator[None]:
    """Write what is refused inside, after the block's own transaction was rolled back: around one, never within."""
    try:
        yield
    except ActionRefused as refused:
        if recorded.get() is None:
            refused.action, refused.arguments = refused.action or action, refused.arguments or about
            record_refusal(action=refused.action, refused=refused, about=refused.arguments)
        raise


def _actor(by: Any) -> Actor:
    try:
        return actor_of(by)
    except TypeError:
        return SYSTEM


def _rows_in(value: Any) -> list[models.Model]:
    """The database's rows among the arguments of an action; of a long list, its first."""
    values = value[:MOST_ROWS] if isinstance(value, list | tuple) else [value]
    return [row for row in values if isinstance(row, models.Model)]


def _named(row: models.Model) -> str:
    """A row as subjects of events name it."""
    return f"person:{row.pk}" if hasattr(row, "actor") else f"{row._meta.verbose_name}:{row.pk}"


def _chain(about: Mapping[str, Any], rows: Iterable[models.Model]) -> str:
    if isinstance(about.get("chain"), str):
        return str(about["chain"])
    known = (chain_of(row) for row in rows for chain_of in _chain_of)
    return next((chain for chain in known if chain), SITE_CHAIN)


def _was_noted(actor: Actor, subject: str, action: str, code: str) -> bool:
    since = (timezone.now() - SAME_AGAIN).strftime("%Y-%m-%dT%H:%M:%S")
    noted = Event.objects.filter(actor_id=actor.identifier, name=ACTION_REFUSED, subject=subject, at__gte=since)
    asked = (action, code, actor.address or present_address())
    for event in noted.order_by("-id")[:MOST_ROWS]:
        details, address = event.content["details"], event.content["actor"]["address"]
        if (details["action"], details["code"], address) == asked:
            return True
    return False
