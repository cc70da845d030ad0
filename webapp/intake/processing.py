"""A batch from its first file to its last line; the worker and the command line both come through here."""

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.db import connection
from django.db.models import Max, Q

from webapp import push
from webapp.audit.actor import SYSTEM
from webapp.audit.refusal import ActionRefused
from webapp.audit.trail import one_transaction
from webapp.intake.actions import end_batch, open_batch, try_again
from webapp.intake.lines import Delivery, Line
from webapp.intake.models import MACHINES, Batch, SeriesLine
from webapp.intake.pipeline import take_in
from webapp.intake.queries import batches_waiting_for
from webapp.intake.sources import NOT_SENT, Sent, Unusable

TELL_EVERY_S = 0.5
# Any number that no other advisory lock of this database has as its first half.
PROCESSING_LOCK = 0x6767


@contextlib.contextmanager
def alone_with(batch: Batch) -> Iterator[bool]:
    """Hold a batch against every other process, for as long as this one lives; False where another one has it."""
    key = [PROCESSING_LOCK, batch.pk.int % 2**31]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", key)
        mine = bool(cursor.fetchone()[0])
    try:
        yield mine
    finally:
        if mine and not connection.needs_rollback:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", key)


@contextlib.contextmanager
def opened_alone(**said: Any) -> Iterator[Batch]:
    """Open a batch as `open_batch` does, and hold it: nobody sees it a moment before, and takes it for left behind."""
    with contextlib.ExitStack() as held:
        with one_transaction():
            batch = open_batch(**said)
            held.enter_context(alone_with(batch))
        yield batch


def process(
    batch: Batch, sent: Iterable[Sent | Unusable], by: Any, *, in_second_process: bool = False
) -> Iterator[Line]:
    """Take in everything of a batch, keeping and yielding each line.

    What was accepted before (by a worker that died, or before another try) stays and is not read again. A batch that
    has ended, waits for more or is another process's, yields nothing. With `in_second_process` a fork of this
    process does its part.
    """
    with alone_with(batch) as mine:
        if not mine or not _start(batch):
            return
        number = batch.lines.aggregate(last=Max("number"))["last"] or 0
        accepted = batch.lines.filter(state="accepted")
        known = set(accepted.exclude(series_key="").values_list("series_key", flat=True))
        filed = set(accepted.filter(imported_mask=None).values_list("scan_id", flat=True))
        imported = set(accepted.exclude(imported_mask=None).values_list("imported_mask_id", flat=True))
        broke_off = batch.source in MACHINES and not batch.sent_whole
        said = (batch.site, batch.data_set, batch.single_pictures)
        delivery = Delivery(batch.campaign, by, *said, broke_off, in_second_process)
        for line in take_in(sent, delivery=delivery, known=known, tell=_teller(batch)):
            # What names no series is known by its voxels alone.
            if line.is_of_a_scan and line.scan is not None and line.scan.pk in filed:
                continue
            if line.imported_mask is not None and line.imported_mask.pk in imported:
                continue
            number += 1
            _keep(batch, number, line)
            yield line
        end_batch(batch=batch, by=by)
    # After the lock is let go: a mask that came before its scan finds it now.
    for waiting in batches_waiting_for(batch):
        with contextlib.suppress(ActionRefused):
            try_again(batch=waiting, by=SYSTEM)


def _start(batch: Batch) -> bool:
    """Begin to process a batch, or begin again after a worker died; False where it has ended, or waits for more.

    What a machine sends is closed first: where it receives again, its job is that of an earlier closing.
    """
    closed = Q(state__in=("waiting", "processing"))
    at_hand = Q(state="receiving") & ~Q(source__in=MACHINES)
    if not Batch.objects.filter(closed | at_hand, pk=batch.pk).update(state="processing"):
        return False
    batch.refresh_from_db()
    # What was never in quarantine cannot be looked at again: its lines stay, as those of filed series do.
    batch.lines.exclude(Q(state="accepted", scan__isnull=False) | Q(code=NOT_SENT)).delete()
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
        series_key=line.series_key,
        scan=line.scan,
        case_number=line.case_number,
        imported_mask=line.imported_mask,
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


def _teller(batch: Batch) -> Callable[[float, str], None]:
    last = 0.0

    def tell(fraction: float, words: str) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= TELL_EVERY_S:
            last = now
            push.publish(f"batch:{batch.pk}", "batch.progress", fraction=round(fraction, 3), text=words)

    return tell
