"""Write one event."""

import json
from contextvars import ContextVar
from typing import Any

from webapp.audit.actor import PERSON, actor_of, roles_now
from webapp.audit.models import Event
from webapp.audit.origin import present_address

SITE_CHAIN = "site"
# The names of the events that the action under way has recorded; None outside of actions.
recorded: ContextVar[list[str] | None] = ContextVar("recorded", default=None)


def canonical(content: dict[str, Any]) -> str:
    """Return the one JSON text of `content`: keys sorted, no spaces, ASCII."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), default=str)


def record(name: str, /, *, by: Any, chain: str = SITE_CHAIN, subject: str = "", **details: Any) -> Event:
    """Append one event to `chain`, in the caller's transaction. `by` is an Actor or a user.

    The event of a person says which roles they held at this moment. Write it last: the chain's head stays locked until
    the commit.
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
    event = Event.objects.create(
        chain=chain,
        name=name,
        actor_kind=actor.kind,
        actor_id=actor.identifier,
        subject=subject,
        body=canonical({"event": name, "actor": who, "subject": subject, "details": details}),
    )
    names = recorded.get()
    if names is not None:
        names.append(name)
    return event
