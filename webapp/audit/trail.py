"""Write events, and refuse to commit an action that wrote none."""

import functools
import json
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, ParamSpec, TypeVar

from django.db import transaction

from webapp.audit.actor import actor_of
from webapp.audit.models import Event
from webapp.audit.origin import present_address

P = ParamSpec("P")
R = TypeVar("R")

SITE_CHAIN = "site"
_recorded: ContextVar[list[str] | None] = ContextVar("recorded", default=None)


class UnauditedAction(RuntimeError):
    """An action ended without the event that it promises; its transaction was rolled back."""


def canonical(content: dict[str, Any]) -> str:
    """Return the one JSON text of `content`: keys sorted, no spaces, ASCII."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), default=str)


def record(name: str, /, *, by: Any, chain: str = SITE_CHAIN, subject: str = "", **details: Any) -> Event:
    """Append one event to `chain`, in the caller's transaction. `by` is an Actor or a user.

    Write it last: the chain's head stays locked until the commit.
    """
    actor = actor_of(by)
    body = canonical(
        {
            "event": name,
            "actor": {
                "kind": actor.kind,
                "id": actor.identifier,
                "name": actor.name,
                "address": actor.address or present_address(),
            },
            "subject": subject,
            "details": details,
        }
    )
    event = Event.objects.create(
        chain=chain,
        name=name,
        actor_kind=actor.kind,
        actor_id=actor.identifier,
        subject=subject,
        body=body,
    )
    names = _recorded.get()
    if names is not None:
        names.append(name)
    return event


def audited(*names: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Run an action in one transaction that commits only if one of the events `names` was recorded in it."""

    def decorate(action: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(action)
        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            outer = _recorded.get()
            mine: list[str] = []
            token = _recorded.set(mine)
            try:
                with transaction.atomic():
                    result = action(*args, **kwargs)
                    if not set(names) & set(mine):
                        raise UnauditedAction(f"{action.__qualname__} recorded none of {', '.join(names)}")
            finally:
                _recorded.reset(token)
            if outer is not None:
                outer.extend(mine)
            return result

        run.audited_events = names  # type: ignore[attr-defined]
        return run

    return decorate
