"""A batch from its first file to its last line; the worker and the command line both come through here."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from webapp import push
from webapp.intake.actions import end_batch
from webapp.intake.models import Batch, SeriesLine
from webapp.intake.pipeline import Line, take_in
from webapp.intake.sources import Sent, Unusable

TELL_EVERY_S = 0.5


def _start(batch: Batch) -> bool:
    """Begin to process a batch, or begin again after a worker died; False where it has already ended."""
    if not Batch.objects.filter(pk=batch.pk).exclude(state__in=("done", "failed")).update(state="processing"):
        return False
    batch.lines.all().delete()
    return True


def _keep(batch: Batch, number: int, line: Line) -> SeriesLine:
    """Keep and tell what became of one series."""
    kept = SeriesLine.objects.create(
        batch=batch,
        number=number,
        title=line.title[:200],
        state=line.state,
        code=line.code,
        sentence=line.sentence,
        warnings=line.warnings,
        scan=line.scan,
        case_number=line.case_number,
    )
    push.publish(
        f"batch:{batch.pk}",
        "batch.filed" if line.state == "accepted" else "batch.refused",
        number=number,
        title=kept.title,
        state=kept.state,
        sentence=kept.sentence[:300],
        case_number=kept.case_number,
    )
    return kept


def process(batch: Batch, sent: Iterable[Sent | Unusable], by: Any) -> Iterator[Line]:
    """Take in everything of a batch, keeping and yielding each line. A batch that has ended yields nothing."""
    if not _start(batch):
        return
    for number, line in enumerate(take_in(sent, campaign=batch.campaign, by=by, tell=_teller(batch)), start=1):
        _keep(batch, number, line)
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
