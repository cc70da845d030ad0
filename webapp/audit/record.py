"""Write one event."""

import contextlib
import json
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

from django.db import transaction

from webapp.audit.actor import PERSON, actor_of, roles_now
from webapp.audit.models import Event
from webapp.audit.origin import present_address

SITE_CHAIN = "site"
# The names of the events that the action under way has recorded; None outside of actions.
recorded: ContextVar[list[str] | None] = ContextVar("recorded", default=None)
# Events that wait for the end of `one_transaction`; None outside of it.
_waiting: ContextVar[list[Event] | None] = ContextVar("waiting", default=None)


def canonical(content: dict[str, Any]) -> str:
    """Return the one JSON text of `content`: keys sorted, no spaces, ASCII."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), default=str)


def record(name: str, /, *, by: Any, chain: str = SITE_CHAIN, subject: str = "", **details: Any) -> Event:
    """Append one event to `chain`, in the caller's transaction. `by` is an Actor or a user.

    The event of a person says which roles they held at this moment. Inside `one_transaction` it is written at the end
    of that; elsewhere write it last: the chain's head stays locked until the commit.
    """
    actor = actor_of(by)
    who: dict[str, Any] = {
        "kind": actor.kind,
        "id": actor.identifier,
        "name": actor.name,
        "address": actor.address or present_address(),
    }
    if actor.kind == PERSON:
        who["roles"] = roles_now(actor, chain)
    event = Event(
        chain=chain,
        name=name,
        actor_kind=actor.kind,
        actor_id=actor.identifier,
        subject=subject,
        body=canonical({"event": name, "actor": who, "subject": subject, "details": details}),
    )
    waiting = _waiting.get()
    if waiting is None:
        event.save(force_insert=True)
    else:
        waiting.append(event)
    names = recorded.get()
    if names is not None:
        names.append(name)
    return event


@contextlib.contextmanager
def one_transaction() -> Iterator[None]:
    """A transaction whose events are written right before it ends, in the order of their chains.

    A chain's head is locked from its event to the commit. Whoever then waited for a row that another holds, who waits
    for the head, would wait for ever: so heads are locked after all rows, and always in one order. Inside another such
    transaction this is a part of that one; what is rolled back leaves no event.
    """
    outer = _waiting.get()
    mine: list[Event] = [] if outer is None else outer
    before = len(mine)
    token = _waiting.set(mine)
    try:
        with transaction.atomic():
            yield
            if outer is None:
                for event in sorted(mine, key=lambda one: (one.chain != SITE_CHAIN, one.chain)):
                    event.save(force_insert=True)
    except BaseException:
        del mine[before:]
        raise
    finally:
        _waiting.reset(token)
