"""Recompute every chain and say where one does not hold."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from webapp.audit.heads import Head
from webapp.audit.models import ChainHead, Event

GENESIS = "0" * 64
CHUNK = 5000
FIELDS = ("chain", "seq", "at", "name", "actor_kind", "actor_id", "subject", "body", "prev_hash", "hash")
Row = tuple[str, int, str, str, str, str, str, str, str, str]


def event_hash(prev_hash: str, chain: str, seq: int, at: str, body: str) -> str:
    """Return the hash of an event as the database's trigger computes it."""
    return hashlib.sha256("\n".join([prev_hash, chain, str(seq), at, body]).encode()).hexdigest()


@dataclass
class Walk:
    """A walk along chains, event by event: where it stands in each."""

    stands: dict[str, tuple[int, str]] = field(default_factory=dict)

    def step(self, row: Row) -> Iterator[str]:
        """Go on to the next event; yield one sentence for each thing that is wrong with it."""
        chain, seq, at, name, actor_kind, actor_id, subject, body, prev_hash, hashed = row
        last, prev = self.stands.get(chain, (0, GENESIS))
        where = f"{chain} #{seq}"
        if seq != last + 1:
            yield f"{where}: expected #{last + 1}; events are missing or out of order."
        if prev_hash != prev:
            yield f"{where}: does not follow the event before it."
        if event_hash(prev_hash, chain, seq, at, body) != hashed:
            yield f"{where}: its content is not what was hashed."
        if (name, actor_kind, actor_id, subject) != _beside(body):
            yield f"{where}: its searchable columns differ from its content."
        self.stands[chain] = (seq, hashed)

    def place_in(self, chain: str) -> int:
        """The place of the last event that was walked by."""
        return self.stands.get(chain, (0, GENESIS))[0]

    def end(self, chain: str, seq: int, hashed: str) -> Iterator[str]:
        """Compare where the walk stands with a head of the chain."""
        if self.stands.get(chain) != (seq, hashed):
            yield f"{chain}: its head (#{seq}) is not its last event; events were removed from its end."


def _beside(body: str) -> tuple[str, str, str, str] | None:
    """What the columns beside a body must say; None for a body that is not one."""
    try:
        content = json.loads(body)
        actor = content["actor"]
        return content["event"], actor["kind"], actor["id"], content["subject"]
    except (ValueError, KeyError, TypeError):
        return None


def rows_of(chain: str, after: int = 0, up_to: int | None = None) -> Iterator[Row]:
    """The events of a chain in order, from behind place `after` to place `up_to`; constant memory."""
    rows = Event.objects.filter(chain=chain, seq__gt=after).order_by("seq")
    if up_to is not None:
        rows = rows.filter(seq__lte=up_to)
    yield from rows.values_list(*FIELDS).iterator(chunk_size=CHUNK)  # type: ignore[misc]


def faults(chain: str | None = None) -> Iterator[str]:
    """Yield one sentence for each place where a chain was changed, cut or reordered."""
    named = set(ChainHead.objects.values_list("chain", flat=True))
    named |= set(Event.objects.order_by().values_list("chain", flat=True).distinct())
    for one in sorted(named if chain is None else named & {chain}):
        yield from _faults_of(one)


def _faults_of(chain: str) -> Iterator[str]:
    walk = Walk()
    while True:
        for row in rows_of(chain, walk.place_in(chain)):
            yield from walk.step(row)
        # Read after its events: a head is never behind them, and where it is ahead, they were appended meanwhile.
        head = ChainHead.objects.filter(chain=chain).first()
        if head is None:
            yield f"{chain}: it has events and no head; the head was removed."
            return
        if head.seq <= walk.place_in(chain) or not Event.objects.filter(chain=chain, seq=head.seq).exists():
            yield from walk.end(chain, head.seq, head.hash)
            return


def faults_against(heads: Iterable[Head], chain: str | None = None) -> Iterator[str]:
    """Yield one sentence for each head, exported earlier, whose event is gone or another now."""
    for head in heads:
        if chain is not None and head.chain != chain:
            continue
        found = Event.objects.filter(chain=head.chain, seq=head.seq).values_list("hash", flat=True).first()
        if found is None:
            yield f"{head.chain} #{head.seq}: it was there when heads were exported on {head.at}, and is gone."
        elif found != head.hash:
            yield f"{head.chain} #{head.seq}: it is not the event that it was when heads were exported on {head.at}."
