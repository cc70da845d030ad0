"""Originals while they wait and while they are held: sealed, each batch in a folder of its own.

A file is sealed under `incoming` first and put into its batch's folder when it is whole and on the disk, so that a
batch never holds half of one; large uploads grow in place, as .part.
"""

import contextlib
import hashlib
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from webapp.intake.models import Batch, Original
from webapp.intake.sealing import CHUNK, Sealed, SealedFile, Sealer, opened
from webapp.intake.sources import HEAD_BYTES, Sent, Unusable

# What a killed process left under `incoming` goes when nothing wrote to it for this long.
LEFT_BEHIND_AFTER_S = 3600


class TooLarge(Exception):
    """More bytes came than one file, or the whole upload, may have."""


@dataclass(frozen=True)
class Staged:
    """A sealed file that is in no batch yet; `sha256` is of its content (empty where nobody asked), `head` its first
    bytes in the clear.
    """

    path: Path
    size: int
    sha256: str
    head: bytes = b""

    def remove(self) -> None:
        """Give it up."""
        self.path.unlink(missing_ok=True)


def root() -> Path:
    """The folder of everything in quarantine."""
    return Path(settings.GROUNDGLASS_HOME) / "quarantine"


def folder_of(batch_id: uuid.UUID) -> Path:
    """Where a batch's originals wait."""
    return root() / str(batch_id)


def path_of(original: Original) -> Path:
    """Where one original lies, whole or in part."""
    return folder_of(original.batch_id) / f"{original.key}.{'sealed' if original.whole else 'part'}"


class Staging:
    """One file on its way into quarantine; its bytes come in parts. Leaving the block without `finish` removes it."""

    def __init__(self, name: str, limit: int, *, hashed: bool = True) -> None:
        folder = root() / "incoming"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path = folder / f"{uuid.uuid4().hex}.tmp"
        self._limit = limit
        self._sealer = Sealer.begin(self._path, name)
        self._sha256 = hashlib.sha256() if hashed else None
        self._head = b""
        self.size = 0
        self.finished = False

    def __enter__(self) -> "Staging":
        return self

    def __exit__(self, *_: object) -> None:
        if not self.finished:
            self._sealer.abandon()
            self._path.unlink(missing_ok=True)

    def write(self, part: bytes | memoryview) -> None:
        """Seal more bytes. Raises TooLarge past the limit, OSError."""
        self.size += len(part)
        if self.size > self._limit:
            raise TooLarge
        if self._sha256:
            self._sha256.update(part)
        if len(self._head) < HEAD_BYTES:
            self._head += bytes(part[: HEAD_BYTES - len(self._head)])
        self._sealer.write(part)

    def finish(self, *, durable: bool = True) -> Staged:
        """The whole file, sealed; with `durable` it is on the disk."""
        self._sealer.finish(durable=durable)
        self.finished = True
        return Staged(self._path, self.size, self._sha256.hexdigest() if self._sha256 else "", self._head)


def stage(name: str, stream: BinaryIO, limit: int, *, durable: bool = True, hashed: bool = True) -> Staged:
    """Seal what a stream gives. Raises TooLarge, OSError; nothing is left then."""
    with Staging(name, limit, hashed=hashed) as staging:
        while part := stream.read(16 * CHUNK):
            staging.write(part)
        return staging.finish(durable=durable)


def place(staged: Staged, batch_id: uuid.UUID, key: str, *, durable: bool = True) -> None:
    """Put a staged file into its batch's folder; the same key again takes the place of the first."""
    folder = made_folder(batch_id)
    os.replace(staged.path, folder / f"{key}.sealed")
    if durable:
        sync_folder(folder)


def made_folder(batch_id: uuid.UUID) -> Path:
    """A batch's folder, made where it is missing."""
    folder = folder_of(batch_id)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def waiting(batch: Batch) -> Iterator[Sent | Unusable]:
    """The whole originals of a batch in the order they came."""
    for number, original in enumerate(batch.originals.filter(whole=True).order_by("id").iterator(), start=1):
        path = path_of(original)
        try:
            with SealedFile(path) as sealed:
                name, size = sealed.name, sealed.size
        except (Sealed, OSError):
            sentence = "Its original cannot be opened any more: it is missing, damaged, or sealed with another key."
            yield Unusable(f"file {number}", sentence)
            continue
        yield Sent(name, size, lambda path=path: opened(path))  # type: ignore[misc]


def remove(batch_id: uuid.UUID) -> None:
    """Remove a batch's originals; raises OSError where they cannot be."""
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(folder_of(batch_id))


def remove_left_behind(now: float | None = None) -> int:
    """Remove files and folders that no batch knows (their process was killed); return how many."""
    now = time.time() if now is None else now
    count = 0
    for path in (root() / "incoming").glob("*.tmp"):
        with contextlib.suppress(FileNotFoundError):
            if now - path.stat().st_mtime > LEFT_BEHIND_AFTER_S:
                path.unlink()
                count += 1
    for folder in root().iterdir() if root().is_dir() else ():
        try:
            batch_id = uuid.UUID(folder.name)
        except ValueError:
            continue
        if now - folder.stat().st_mtime > LEFT_BEHIND_AFTER_S and not _is_held(batch_id):
            shutil.rmtree(folder, ignore_errors=True)
            count += 1
    return count


def _is_held(batch_id: uuid.UUID) -> bool:
    return Batch.objects.filter(pk=batch_id, originals_gone_at=None).exists()
