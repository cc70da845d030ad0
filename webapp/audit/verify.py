"""Recompute every chain and say where one does not hold."""

import hashlib
from collections.abc import Iterator

from webapp.audit.models import ChainHead, Event

GENESIS = "0" * 64


def event_hash(prev_hash: str, chain: str, seq: int, at: str, body: str) -> str:
    """Return the hash of an event as the database's trigger computes it."""
    return hashlib.sha256("\n".join([prev_hash, chain, str(seq), at, body]).encode()).hexdigest()


def faults(chain: str | None = None) -> Iterator[str]:
    """Yield one sentence for each place where a chain was changed, cut or reordered."""
    rows = Event.objects.order_by("chain", "seq")
    if chain:
        rows = rows.filter(chain=chain)
    last: dict[str, tuple[int, str]] = {}
    for event in rows.iterator(chunk_size=5000):
        seq, prev = last.get(event.chain, (0, GENESIS))
        where = f"{event.chain} #{event.seq}"
        if event.seq != seq + 1:
            yield f"{where}: expected #{seq + 1}; events are missing or out of order."
        if event.prev_hash != prev:
            yield f"{where}: does not follow the event before it."
        if event_hash(event.prev_hash, event.chain, event.seq, event.at, event.body) != event.hash:
            yield f"{where}: its content is not what was hashed."
        content = event.content
        beside = (event.name, event.actor_kind, event.actor_id, event.subject)
        if beside != (content["event"], content["actor"]["kind"], content["actor"]["id"], content["subject"]):
            yield f"{where}: its searchable columns differ from its content."
        last[event.chain] = (event.seq, event.hash)
    for head in ChainHead.objects.all():
        if (chain is None or head.chain == chain) and last.get(head.chain) != (head.seq, head.hash):
            yield f"{head.chain}: its head (#{head.seq}) is not its last event; events were removed from its end."
