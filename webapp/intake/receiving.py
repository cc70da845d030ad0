"""Files on their way into quarantine. Their counts stand in the events of the batch, not in events of their own."""

import contextlib
import os
import uuid
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from webapp.accounts.models import User
from webapp.archive.second_process import is_possible, made_in_second_process
from webapp.audit.actor import SYSTEM, Actor
from webapp.audit.refusal import Refusal, require
from webapp.audit.trail import one_transaction
from webapp.campaigns.models import Campaign
from webapp.intake import quarantine
from webapp.intake.actions import open_batch, reopen_batch
from webapp.intake.identity import keyed, series_key
from webapp.intake.models import Batch, Original
from webapp.intake.queries import reopenable
from webapp.intake.rules import LARGEST_UPLOAD_BYTES, may_receive
from webapp.intake.sealing import CHUNK, Sealed, Sealer
from webapp.intake.sources import Sent, Unusable
from webapp.masks.models import DataSet

# A file comes in pieces of at most this many bytes; a CT slice is one piece.
PIECE_BYTES = 8 * 1024 * 1024
SEALERS = 4
CLOSED = Refusal("closed", "This upload is complete; open a new one for more files.")
MALFORMED = Refusal("piece", f"A piece is at most {PIECE_BYTES} bytes, a multiple of {CHUNK} but for a file's last.")


class OutOfPlace(Exception):
    """A piece does not follow what is here: the file has `received` bytes."""

    def __init__(self, received: int) -> None:
        super().__init__(received)
        self.received = received


def upload_key(path: str, size: int, mark: str) -> str:
    """What a file of an upload is known by when it is sent again.

    `mark` is the sender's own digest of the file's beginning and end, so that two files of one name and size are two.
    """
    return keyed("upload", path, str(size), mark)


@dataclass(frozen=True)
class Incoming:
    """A file of an upload, or the piece of one at `offset`: what it is known by, and its bytes."""

    path: str
    size: int
    mark: str
    content: bytes
    offset: int = 0

    @property
    def key(self) -> str:
        """Its name in quarantine."""
        return upload_key(self.path, self.size, self.mark)

    @property
    def ends(self) -> bool:
        """Whether the file is whole with this."""
        return self.offset + len(self.content) == self.size


def receive_piece(*, batch: Batch, piece: Incoming, by: User) -> Original:
    """Take one piece of an upload's file. When this returns it is on the disk. A piece that is here already is no harm.

    Raises ActionRefused, OutOfPlace and OSError.
    """
    require(may_receive(batch, by, piece.size if piece.offset == 0 else len(piece.content)))
    fits = len(piece.content) <= PIECE_BYTES and piece.offset + len(piece.content) <= piece.size
    require(None if fits and (piece.ends or (piece.content and len(piece.content) % CHUNK == 0)) else MALFORMED)
    if piece.ends and piece.offset == 0:
        receive_files(batch=batch, files=[piece], by=by)
        return batch.originals.get(key=piece.key)
    try:
        with transaction.atomic():
            return _receive_next(batch, piece)
    except (Sealed, FileNotFoundError):
        # The disk has less than the row says: the file begins anew.
        Original.objects.filter(batch=batch, key=piece.key, whole=False).update(received=0)
        raise OutOfPlace(0) from None


def receive_files(*, batch: Batch, files: Sequence[Incoming], by: User) -> int:
    """Take whole files, all or none of them; return how many were new. Those that are here already are no harm.

    Raises ActionRefused and OSError.
    """
    require(may_receive(batch, by, sum(file.size for file in files)))
    named = {file.key: file for file in files}
    require(None if all(file.ends and file.offset == 0 for file in files) else MALFORMED)
    with ThreadPoolExecutor(min(SEALERS, len(named))) as sealers:
        # Side by side: the disk then waits once for several of them.
        staging = {key: sealers.submit(_staged, file) for key, file in named.items()}
    try:
        staged = {key: one.result() for key, one in staging.items()}
        with transaction.atomic():
            return _place_all(batch, named, staged)
    finally:
        for one in staging.values():
            if one.exception() is None:
                one.result().remove()


def _staged(file: Incoming) -> quarantine.Staged:
    with quarantine.Staging(file.path, PIECE_BYTES) as staging:
        staging.write(file.content)
        return staging.finish()


def _place_all(batch: Batch, named: dict[str, Incoming], staged: dict[str, quarantine.Staged]) -> int:
    rows = [Original(batch=batch, key=key, size=file.size) for key, file in named.items()]
    Original.objects.bulk_create(rows, ignore_conflicts=True)
    known = Original.objects.select_for_update().filter(batch=batch, key__in=named).order_by("id")
    missing = [original for original in known if not original.whole]
    more = sum(original.size - original.received for original in missing)
    for original in missing:
        quarantine.place(staged[original.key], batch.pk, original.key, durable=False)
        original.received, original.whole = original.size, True
    if missing:
        quarantine.sync_folder(quarantine.folder_of(batch.pk))
        Original.objects.bulk_update(missing, ["received", "whole"])
    _count(batch.pk, files=len(missing), size=more)
    return len(missing)


def _receive_next(batch: Batch, piece: Incoming) -> Original:
    original, _ = Original.objects.get_or_create(batch=batch, key=piece.key, defaults={"size": piece.size})
    original = Original.objects.select_for_update().get(pk=original.pk)
    if original.whole:
        return original
    if original.received != piece.offset:
        raise OutOfPlace(original.received)
    _append(original, piece)
    original.received, original.whole = piece.offset + len(piece.content), piece.ends
    original.save(update_fields=["received", "whole"])
    _count(batch.pk, files=int(original.whole), size=len(piece.content))
    return original


def _append(original: Original, piece: Incoming) -> None:
    """Seal a piece behind what is here; the last one makes the file whole."""
    folder, part = quarantine.made_folder(original.batch_id), quarantine.path_of(original)
    if piece.offset == 0:
        part.unlink(missing_ok=True)
    sealer = Sealer.go_on(part, piece.offset) if piece.offset else Sealer.begin(part, piece.path)
    try:
        sealer.write(piece.content)
        if piece.ends:
            sealer.finish()
            os.replace(part, folder / f"{original.key}.sealed")
        else:
            sealer.pause()
    finally:
        sealer.abandon()
    quarantine.sync_folder(folder)


def _count(batch_id: uuid.UUID, *, files: int, size: int) -> None:
    """Add to the counts of a batch that still receives; raises ActionRefused, and so undoes the rest, where not."""
    taken = Batch.objects.filter(pk=batch_id, state="receiving").update(
        file_count=F("file_count") + files,
        byte_count=F("byte_count") + size,
        last_arrival_at=timezone.now(),
        sent_whole=False,
    )
    require(None if taken else CLOSED)


@dataclass(frozen=True)
class Said:
    """What is said of all that comes one way: its site, and the author of its masks."""

    site: str = ""
    data_set: DataSet | None = None


NOTHING_SAID = Said()


@dataclass(frozen=True)
class Sender:
    """Which way images come in one by one, and from whom: a person, or a machine by its AE title."""

    source: str
    campaign: Campaign
    by: User | Actor
    name: str = ""
    said: Said = NOTHING_SAID


def receive_instance(*, sender: Sender, series_uid: str, staged: quarantine.Staged) -> Batch:
    """Put one staged image into the batch of its series, which is opened where there is none.

    When this returns the image is on the disk and known. The very same bytes again are one image. Raises ActionRefused
    and OSError; the staged file is gone in any case.
    """
    key, content_key = series_key(series_uid), keyed("content", staged.sha256)
    try:
        with one_transaction():
            _one_at_a_time(f"{sender.campaign.pk} {sender.source} {sender.name} {key}")
            batch = _batch_of_series(sender, key)
            require(may_receive(batch, SYSTEM, staged.size))
            _, new = Original.objects.get_or_create(
                batch=batch,
                key=content_key,
                defaults={"size": staged.size, "received": staged.size, "whole": True},
            )
            quarantine.place(staged, batch.pk, content_key)
            _count(batch.pk, files=int(new), size=staged.size if new else 0)
        return batch
    finally:
        staged.remove()


def note_sent_whole(batch_ids: Iterable[uuid.UUID]) -> None:
    """Note that the sender of these batches ended as it should, and not in the middle of an image."""
    Batch.objects.filter(pk__in=list(batch_ids), state="receiving").update(sent_whole=True)


def _batch_of_series(sender: Sender, key: str) -> Batch:
    """The batch that a series arrives in: an open one, one that is not begun or was refused, or a new one."""
    by = sender.by if isinstance(sender.by, User) else None
    alike = Batch.objects.filter(
        campaign=sender.campaign, source=sender.source, sender=sender.name, by=by, series_key=key
    )
    # Locked: it takes this image before anyone closes it, or is seen as closed.
    batch = alike.filter(state="receiving").select_for_update().first()
    if batch is None:
        earlier = reopenable(alike)
        if earlier is not None:
            return reopen_batch(batch=earlier, by=sender.by)
        return open_batch(
            campaign=sender.campaign,
            by=sender.by,
            source=sender.source,
            sender=sender.name,
            series_key=key,
            site=sender.said.site,
            data_set=sender.said.data_set,
        )
    return batch


def _one_at_a_time(name: str) -> None:
    """Let one transaction at a time look for the batch of a series, so that two images never open two."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])


def receive_all(
    *, batch: Batch, things: Iterable[Sent | Unusable], durable: bool, in_second_process: bool = False
) -> list[Unusable]:
    """Seal everything that is at hand into a batch; return what cannot be taken. Raises OSError, quarantine.TooLarge.

    Not `durable`: whoever sends keeps their own files, and the disk may take its time. With `in_second_process` a fork
    of this process seals half of them, where that is possible.
    """
    found = list(enumerate(things))
    unusable = [thing for _, thing in found if isinstance(thing, Unusable)]
    sent = [(number, thing) for number, thing in found if isinstance(thing, Sent)]
    forks = in_second_process and is_possible()
    mine, others = (sent[::2], sent[1::2]) if forks else (sent, [])
    there = (_seal(batch.pk, number, thing, durable) for number, thing in others)
    with made_in_second_process(there) if forks else contextlib.nullcontext(there) as elsewhere:
        sealed = [*_sealed_here(batch.pk, mine, durable), *elsewhere]
    if durable and sealed:
        quarantine.sync_folder(quarantine.folder_of(batch.pk))
    rows = [
        Original(batch=batch, key=_key_of(batch.pk, number), size=size, received=size, whole=True)
        for number, size in sorted(sealed)
    ]
    with transaction.atomic():
        Original.objects.bulk_create(rows, batch_size=1000)
        _count(batch.pk, files=len(rows), size=sum(row.size for row in rows))
    return unusable


def _sealed_here(batch_id: uuid.UUID, sent: Sequence[tuple[int, Sent]], durable: bool) -> Iterator[tuple[int, int]]:
    with ThreadPoolExecutor(SEALERS) as sealers:
        try:
            sealing: deque[Future[tuple[int, int]]] = deque()
            for number, thing in sent:
                sealing.append(sealers.submit(_seal, batch_id, number, thing, durable))
                if len(sealing) > 4 * SEALERS:
                    yield sealing.popleft().result()
            while sealing:
                yield sealing.popleft().result()
        except BaseException:
            sealers.shutdown(cancel_futures=True)
            raise


def _seal(batch_id: uuid.UUID, number: int, thing: Sent, durable: bool) -> tuple[int, int]:
    """Put one thing into a batch's folder; return its number and its size in bytes."""
    with thing.open() as stream:
        staged = quarantine.stage(thing.name, stream, LARGEST_UPLOAD_BYTES, durable=durable, hashed=False)
    try:
        quarantine.place(staged, batch_id, _key_of(batch_id, number), durable=False)
    except BaseException:
        staged.remove()
        raise
    return number, staged.size


def _key_of(batch_id: uuid.UUID, number: int) -> str:
    return keyed("number", str(batch_id), str(number))
