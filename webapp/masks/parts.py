"""Payloads that arrive ahead of their strokes: an edit too large for one request comes in parts.

Its strokes are then appended together, naming the parts. A part is a cache of what the browser holds until they are
committed: it changes nothing, and goes when they are, or after a day.
"""

import hashlib
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Sum
from django.db.models.functions import Length
from django.utils import timezone

from inference.imaging.delta import MAX_BYTES
from webapp.audit.refusal import ActionRefused, Refusal
from webapp.masks.models import Mask, StrokePart

# What is larger is several strokes, by the same measure in the browser (frontend/src/edits/editor.ts).
PART_BYTES = 1_000_000
# Of one person for one mask: one largest edit, and what was left of another.
MOST_WAITING_BYTES = 2 * MAX_BYTES
KEPT_FOR = timedelta(days=1)


@transaction.atomic
def keep_part(*, mask: Mask, payload: bytes, payload_sha256: str, by: Any) -> None:
    """Keep the payload of a stroke that will be sent by its hash; the same one again is kept once.

    Raises ActionRefused where it was damaged on its way, or where too much waits already.
    """
    if hashlib.sha256(payload).hexdigest() != payload_sha256:
        raise ActionRefused(Refusal("payload_hash", "This part was damaged on its way: send it again."))
    mine = StrokePart.objects.filter(mask=mask, reader_id=by.pk)
    mine.filter(arrived_at__lt=timezone.now() - KEPT_FOR).delete()
    if mine.filter(payload_sha256=payload_sha256).exists():
        return
    waiting = mine.aggregate(bytes=Sum(Length("payload")))["bytes"] or 0
    if waiting + len(payload) > MOST_WAITING_BYTES:
        sentence = (
            f"More than {MOST_WAITING_BYTES // 2**20} MiB of unfinished edits wait for this mask: send their strokes."
        )
        raise ActionRefused(Refusal("too_large", sentence))
    StrokePart.objects.get_or_create(
        mask=mask, reader_id=by.pk, payload_sha256=payload_sha256, defaults={"payload": payload}
    )


def parts_of(mask: Mask, by: Any, hashes: Iterable[str]) -> dict[str, bytes]:
    """Return the payloads that one person has sent ahead, by hash; without those that are not here."""
    held = StrokePart.objects.filter(mask=mask, reader_id=by.pk, payload_sha256__in=set(hashes))
    return {digest: bytes(payload) for digest, payload in held.values_list("payload_sha256", "payload")}


def forget_parts(mask: Mask, by: Any, hashes: Iterable[str]) -> None:
    """Remove parts whose strokes are in the log, in the caller's transaction."""
    StrokePart.objects.filter(mask=mask, reader_id=by.pk, payload_sha256__in=set(hashes)).delete()
