"""The trail as JSON lines that anyone can check: the events in order, then the heads that they must lead to."""

import json
from collections.abc import Iterator

from webapp.audit.heads import present_heads
from webapp.audit.models import Event
from webapp.audit.verify import CHUNK

FIELDS = ("chain", "seq", "at", "body", "prev_hash", "hash")


def export_lines(chain: str | None = None, since: str = "") -> Iterator[str]:
    """Lines of JSON, one an event, by chain and place, then one a head; constant memory; as of when it began.

    `since` (a date or time, UTC) leaves out what is older: the first event of each chain then follows one that is not
    there.
    """
    heads = [head for head in present_heads() if chain in (None, head.chain)]
    for head in heads:
        events = Event.objects.filter(chain=head.chain, seq__lte=head.seq)
        if since:
            events = events.filter(at__gte=since)
        for row in events.order_by("seq").values_list(*FIELDS).iterator(chunk_size=CHUNK):
            yield json.dumps(dict(zip(FIELDS, row, strict=True)), sort_keys=True) + "\n"
    for head in heads:
        yield head.line
