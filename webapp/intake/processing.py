"""A batch from its first file to its last line; the worker and the command line both come through here."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from webapp import push
from webapp.intake.actions import add_line, end_batch, start_batch
from webapp.intake.models import Batch
from webapp.intake.pipeline import Line, take_in
from webapp.intake.sources import Sent, Unusable

TELL_EVERY_S = 0.5


def process(batch: Batch, sent: Iterable[Sent | Unusable], by: Any) -> Iterator[Line]:
    """Take in everything of a batch, keeping and yielding each line. A batch that has ended yields nothing."""
    if not start_batch(batch=batch):
        return
    for number, line in enumerate(take_in(sent, campaign=batch.campaign, by=by, tell=_teller(batch)), start=1):
        add_line(batch=batch, number=number, line=line)
        yield line
    end_batch(batch=batch, by=by)


def _teller(batch: Batch) -> Callable[[float, str], None]:
    last = 0.0

    def tell(fraction: float, words: str) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= TELL_EVERY_S:
            last = now
            push.publish(f"batch:{batch.pk}", "batch.progress", fraction=round(fraction, 3), text=words)

    return tell
