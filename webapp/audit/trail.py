"""Refuse to commit an action that wrote no event, and write an event of each action that a rule refused."""

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from webapp.audit.record import SITE_CHAIN, canonical, one_transaction, record, recorded
from webapp.audit.refused import refusals_recorded

__all__ = ["SITE_CHAIN", "UnauditedAction", "audited", "canonical", "name_of", "one_transaction", "record"]

P = ParamSpec("P")
R = TypeVar("R")


class UnauditedAction(RuntimeError):
    """An action ended without the event that it promises; its transaction was rolled back."""


def name_of(action: Callable[..., Any]) -> str:
    """An action as refusals name it: its app and its function."""
    return f"{action.__module__.removeprefix('webapp.').partition('.')[0]}.{action.__name__}"


def audited(*names: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Run an action in one transaction that commits only if one of the events `names` was recorded in it.

    Where a rule refuses, the outermost action writes that as an event, after its transaction was rolled back.
    """

    def decorate(action: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(action)
        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            with refusals_recorded(name_of(action), **kwargs):
                return _in_one_transaction(lambda: action(*args, **kwargs), action.__qualname__, names)

        run.audited_events = names  # type: ignore[attr-defined]
        return run

    return decorate


def _in_one_transaction(action: Callable[[], R], name: str, promised: tuple[str, ...]) -> R:
    """Run a whole action; what it recorded counts for the action around it too."""
    outer = recorded.get()
    mine: list[str] = []
    token = recorded.set(mine)
    try:
        with one_transaction():
            result = action()
            if not set(promised) & set(mine):
                raise UnauditedAction(f"{name} recorded none of {', '.join(promised)}")
    finally:
        recorded.reset(token)
    if outer is not None:
        outer.extend(mine)
    return result
