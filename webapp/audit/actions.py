"""What leaves the trail: its heads."""

import hashlib
from pathlib import Path
from typing import Any

from webapp.audit import events
from webapp.audit.heads import Head, append_heads, present_heads
from webapp.audit.trail import audited, record


@audited(events.HEADS_EXPORTED)
def export_heads(*, folder: Path, by: Any) -> list[Head]:
    """Add the heads of all chains to the file of today in a folder. Raises OSError; the trail then says nothing.

    The event itself comes after the heads, so that the file never names an event that tells of it.
    """
    heads = present_heads()
    path = append_heads(folder, heads)
    lines = "".join(head.line for head in heads)
    record(
        events.HEADS_EXPORTED,
        by=by,
        subject="audit",
        file=path.name,
        chains=len(heads),
        sha256=hashlib.sha256(lines.encode()).hexdigest(),
    )
    return heads
