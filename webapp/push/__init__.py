"""Live events to browsers: published inside a transaction, delivered at its commit by PostgreSQL's NOTIFY.

A topic is `noun:id`. Each noun is registered with a function that says who may listen. An event carries ids and small
facts, never a record: whoever hears it reads anew with their own rights.
"""

import json
from collections.abc import Callable
from typing import Any

from django.db import connection

__all__ = ["CHANNEL", "PAYLOAD_LIMIT", "may_listen", "publish", "register_topic"]

CHANNEL = "groundglass_push"
PAYLOAD_LIMIT = 7999  # bytes; PostgreSQL refuses more

_may_listen: dict[str, Callable[[Any, str], bool]] = {}


def register_topic(noun: str, may_listen: Callable[[Any, str], bool]) -> None:
    """Let topics `noun:id` exist; `may_listen(user, id)` answers for one user."""
    _may_listen[noun] = may_listen


def may_listen(user: Any, topic: str) -> bool:
    """Say whether `user` may hear `topic`; unknown topics and malformed ids are refused."""
    noun, _, identifier = topic.partition(":")
    ask = _may_listen.get(noun)
    if ask is None or not identifier or not user.is_authenticated or not user.is_active:
        return False
    try:
        return bool(ask(user, identifier))
    except (ValueError, TypeError, LookupError):
        return False
    except Exception as error:
        # Malformed ids (Django's ValidationError) and missing rows say no more than "not for you".
        if type(error).__name__ in ("ValidationError", "DoesNotExist"):
            return False
        raise


def publish(topic: str, kind: str, **data: Any) -> None:
    """Send an event to everybody who listens to `topic`, when the current transaction commits."""
    message = json.dumps({"topic": topic, "kind": kind, **data}, separators=(",", ":"))
    if len(message.encode()) > PAYLOAD_LIMIT:
        raise ValueError(f"The event {kind} is larger than a notification may be: publish ids, not records.")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, message])
