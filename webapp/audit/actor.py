"""Who did something: a person, an algorithm or the system itself; and as what, at that moment."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

PERSON = "person"


@dataclass(frozen=True)
class Actor:
    """A named originator of an action; `kind` is person, algorithm or system, `address` where it came from.

    `roles` are those that hold everywhere (administrator); roles in a campaign are asked for when the event is written.
    """

    kind: str
    identifier: str
    name: str
    address: str = ""
    roles: tuple[str, ...] = ()


SYSTEM = Actor("system", "system", "Groundglass")

# Who knows which roles a person has where a chain belongs: campaigns say so when they start (audit imports no app).
RolesIn = Callable[[str, str], Iterable[str]]
_roles_in: list[RolesIn] = []


def register_roles(roles_in: RolesIn) -> None:
    """Let `roles_in(person_id, chain)` say which roles a person has, at this moment, in what a chain belongs to."""
    if roles_in not in _roles_in:
        _roles_in.append(roles_in)


def roles_now(actor: Actor, chain: str) -> list[str]:
    """The roles of a person at this moment, sorted; nobody else has any."""
    if actor.kind != PERSON or not actor.identifier:
        return []
    found = {role for roles_in in _roles_in for role in roles_in(actor.identifier, chain)}
    return sorted(found | set(actor.roles))


def actor_of(by: Any) -> Actor:
    """Return the actor that `by` (an Actor, or an object with an `actor` such as a user) stands for."""
    if isinstance(by, Actor):
        return by
    actor = getattr(by, "actor", None)
    if not isinstance(actor, Actor):
        raise TypeError(f"{by!r} cannot act: it is neither an actor nor a user")
    return actor
