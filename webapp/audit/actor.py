"""Who did something: a person, an algorithm or the system itself."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Actor:
    """A named originator of an action; `kind` is person, algorithm or system, `address` where it came from."""

    kind: str
    identifier: str
    name: str
    address: str = ""


SYSTEM = Actor("system", "system", "Groundglass")


def actor_of(by: Any) -> Actor:
    """Return the actor that `by` (an Actor, or an object with an `actor` such as a user) stands for."""
    if isinstance(by, Actor):
        return by
    actor = getattr(by, "actor", None)
    if not isinstance(actor, Actor):
        raise TypeError(f"{by!r} cannot act: it is neither an actor nor a user")
    return actor
