"""Who may do what with algorithm versions: None, or the refusal's sentence."""

from typing import Any

from webapp.algorithms.models import REASON_LENGTH, Algorithm
from webapp.audit.actor import Actor
from webapp.audit.refusal import Refusal

SHORTEST_REASON = 5


def may_manage_algorithms(by: Any) -> Refusal | None:
    """Administrators register and retire versions; the system itself (the command line) may too."""
    allowed = by.kind == "system" if isinstance(by, Actor) else by.is_superuser
    sentence = "Only an administrator registers and retires algorithms."
    return None if allowed else Refusal("not_administrator", sentence)


def may_run(algorithm: Algorithm) -> Refusal | None:
    """Whether a version may begin new runs, or be chosen for them."""
    if algorithm.retired_at is None:
        return None
    sentence = f"{algorithm} was retired on {algorithm.retired_at:%Y-%m-%d}: it begins no new runs. "
    return Refusal("retired", f"{sentence}{algorithm.retired_reason}")


def refusal_of_reason(reason: str) -> Refusal | None:
    """Why a reason is none."""
    if SHORTEST_REASON <= len(reason.strip()) <= REASON_LENGTH and "\0" not in reason:
        return None
    return Refusal("no_reason", "Say why, in a few words: the reason stays in the record.")
