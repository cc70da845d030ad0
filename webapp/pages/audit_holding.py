"""Whether chains hold, as far as the site's own checks have come."""

from dataclasses import dataclass, field
from datetime import datetime

from webapp.audit.models import ChainCheck, ChainHead


@dataclass(frozen=True)
class Holding:
    """What is known of one chain or of all: `tone` is good, bad or wait."""

    tone: str
    word: str
    events: int = 0
    checked_at: datetime | None = None
    whole_checked_at: datetime | None = None
    faults: list[str] = field(default_factory=list)


def holding_of(chain: str) -> Holding:
    """What the last check of a chain found."""
    check = ChainCheck.objects.filter(chain=chain).first()
    if check is None or check.checked_at is None:
        return Holding("wait", "Not checked yet")
    return _holding(check.faults, check.seq, check.checked_at, check.whole_checked_at)


def holding_of_all() -> Holding:
    """What the last checks of all chains found; the times are those of the chain that waits longest."""
    checks = list(ChainCheck.objects.exclude(checked_at=None))
    if len(checks) < ChainHead.objects.count() or not checks:
        return Holding("wait", "Not all chains are checked yet", faults=[f for check in checks for f in check.faults])
    rounds = [check.whole_checked_at for check in checks]
    whole = None if None in rounds else min(one for one in rounds if one)
    checked = min(check.checked_at for check in checks if check.checked_at)
    return _holding([f for check in checks for f in check.faults], sum(check.seq for check in checks), checked, whole)


def _holding(faults: list[str], events: int, checked: datetime, whole: datetime | None) -> Holding:
    tone, word = ("bad", "The chain does not hold") if faults else ("good", "The chain holds")
    return Holding(tone, word, events, checked, whole, faults)
