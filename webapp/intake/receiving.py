"""Files of an upload, one request each. Their count stands in the events of the batch, not in one of their own."""

from typing import BinaryIO

from django.db.models import F

from webapp.accounts.models import User
from webapp.audit.refusal import require
from webapp.intake import quarantine
from webapp.intake.models import Batch
from webapp.intake.rules import LARGEST_BATCH_BYTES, LARGEST_UPLOAD_BYTES, may_receive


def receive_file(*, batch: Batch, name: str, stream: BinaryIO, size: int, by: User) -> Batch:
    """Take one file, as it streams in, into quarantine. Raises ActionRefused, quarantine.TooLarge, OSError."""
    require(may_receive(batch, by, size))
    room = min(LARGEST_UPLOAD_BYTES, LARGEST_BATCH_BYTES - batch.byte_count)
    received = quarantine.seal(batch.pk, name, stream, room)
    Batch.objects.filter(pk=batch.pk).update(file_count=F("file_count") + 1, byte_count=F("byte_count") + received)
    batch.refresh_from_db()
    return batch
