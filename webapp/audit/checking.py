"""The chains, checked a part at a time and all day long, so that pages can say whether they hold."""

from dataclasses import dataclass

from django.utils import timezone

from webapp.audit.models import ChainCheck, ChainHead
from webapp.audit.verify import GENESIS, Walk, rows_of

# One part of the work: a second or so. New events come first; what is left goes round the old ones again and again.
EVENTS_A_TIME = 20_000
MOST_SENTENCES = 20


@dataclass
class Part:
    """A stretch of one chain, walked: where it began and ended, and what was wrong on the way."""

    seq: int
    hash: str
    events: int
    faults: list[str]


def walk_part(chain: str, seq: int, hashed: str, up_to: int, most: int) -> Part:
    """Walk a chain from behind place `seq`, whose hash is known, to place `up_to`, at most `most` events."""
    walk = Walk({chain: (seq, hashed)} if seq else {})
    found: list[str] = []
    count = 0
    for row in rows_of(chain, seq, min(up_to, seq + most)):
        found += walk.step(row)
        count += 1
    ended_seq, ended_hash = walk.stands.get(chain, (seq, hashed))
    if count < min(up_to - seq, most) and not found:
        found.append(f"{chain}: events between #{seq + 1} and #{up_to} are missing.")
    return Part(ended_seq, ended_hash, count, found)


def check_chains(most: int = EVENTS_A_TIME) -> list[str]:
    """Check what is new in every chain, then a further part of what was checked before; return the faults found.

    What was found stays told until somebody has looked: `manage.py audit verify --forget`.
    """
    found: list[str] = []
    for head in ChainHead.objects.order_by("chain"):
        check, _ = ChainCheck.objects.get_or_create(chain=head.chain, defaults={"hash": GENESIS, "again_hash": GENESIS})
        part = walk_part(head.chain, check.seq, check.hash, head.seq, most)
        faults = [*part.faults, *_faults_at_the_end(check, head, part)]
        check.seq, check.hash, check.checked_at = part.seq, part.hash, timezone.now()
        most -= part.events
        if most > 0 and part.seq >= head.seq:
            part = walk_part(head.chain, check.again_seq, check.again_hash, head.seq, most)
            faults += part.faults
            most -= part.events
            _go_round(check, head, part)
        check.faults = [*check.faults, *(told for told in faults if told not in check.faults)][:MOST_SENTENCES]
        check.save()
        found += faults
    return found


def _faults_at_the_end(check: ChainCheck, head: ChainHead, part: Part) -> list[str]:
    if check.seq > head.seq:
        return [f"{head.chain}: its head (#{head.seq}) was set back; it stood at #{check.seq}."]
    if part.seq == head.seq and part.hash != head.hash:
        return [f"{head.chain}: its head (#{head.seq}) is not the event that was its last."]
    return []


def _go_round(check: ChainCheck, head: ChainHead, part: Part) -> None:
    check.again_seq, check.again_hash = part.seq, part.hash
    if part.seq >= head.seq or not part.events:
        check.again_seq, check.again_hash, check.whole_checked_at = 0, GENESIS, timezone.now()
