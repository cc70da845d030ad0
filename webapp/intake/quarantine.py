"""Originals while they wait: encrypted on disk, readable in place, gone after filing.

A sealed file is b"GGQ1", a 16-byte salt, the sealed name (u32 length first), then chunks of 1 MiB, each
AES-256-GCM with 16 bytes more. The key of a file is HKDF-SHA256 of settings.QUARANTINE_KEY with its salt; a
chunk's nonce is its number, and the last one is sealed as the last, so that a file cut short is known.
"""

import io
import os
import shutil
import struct
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from webapp.intake.sources import Sent

MAGIC = b"GGQ1"
CHUNK = 1024 * 1024
TAG = 16
LONGEST_NAME = 4096


class TooLarge(Exception):
    """More bytes came than one file, or the whole upload, may have."""


class Sealed(OSError):
    """A quarantined file that is cut short, altered, or was sealed with another key."""


def folder_of(batch_id: uuid.UUID) -> Path:
    """Where a batch's originals wait."""
    return Path(settings.GROUNDGLASS_HOME) / "quarantine" / str(batch_id)


def seal(batch_id: uuid.UUID, name: str, stream: BinaryIO, limit: int) -> int:
    """Encrypt `stream` into the batch's quarantine; return how many bytes it had.

    Raises TooLarge past `limit` bytes and OSError; nothing is left then.
    """
    folder = folder_of(batch_id)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = folder / f".{uuid.uuid4().hex}.tmp"
    salt = os.urandom(16)
    cipher = _cipher(salt)
    sealed_name = cipher.encrypt(_nonce(2**64 - 1), name.encode()[:LONGEST_NAME], b"name")
    size = 0
    try:
        with open(temporary, "xb", opener=lambda path, flags: os.open(path, flags, 0o600)) as out:
            out.write(MAGIC + salt + struct.pack("<I", len(sealed_name)) + sealed_name)
            number, chunk = 0, _read_exactly(stream, CHUNK)
            while True:
                following = _read_exactly(stream, CHUNK) if len(chunk) == CHUNK else b""
                size += len(chunk)
                if size > limit:
                    raise TooLarge
                out.write(cipher.encrypt(_nonce(number), chunk, b"more" if following else b"last"))
                if not following:
                    break
                number, chunk = number + 1, following
            out.flush()
            os.fsync(out.fileno())
        # Sorted by arrival, so that lines number the files as their sender saw them go.
        os.replace(temporary, folder / f"{time.time_ns():020d}-{uuid.uuid4().hex[:8]}.sealed")
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return size


def waiting(batch_id: uuid.UUID) -> Iterator[Sent]:
    """The originals of a batch in the order they came."""
    for path in sorted(folder_of(batch_id).glob("*.sealed")):
        with SealedFile(path) as sealed:
            name, size = sealed.name, sealed.size
        yield Sent(name, size, lambda path=path: io.BufferedReader(SealedFile(path), CHUNK))  # type: ignore[misc]


def discard(batch_id: uuid.UUID) -> None:
    """Remove a batch's originals."""
    shutil.rmtree(folder_of(batch_id), ignore_errors=True)


class SealedFile(io.RawIOBase):
    """A sealed file read in place, from anywhere in it: no plain copy ever lies on the disk."""

    def __init__(self, path: Path) -> None:
        self._file = open(path, "rb")  # noqa: SIM115 - closed with this object
        head = self._file.read(24)
        if len(head) < 24 or head[:4] != MAGIC:
            self._file.close()
            raise Sealed("not a sealed file")
        self._cipher = _cipher(head[4:20])
        name_bytes = self._file.read(struct.unpack("<I", head[20:])[0])
        try:
            self.name = self._cipher.decrypt(_nonce(2**64 - 1), name_bytes, b"name").decode(errors="replace")
        except InvalidTag as error:
            self._file.close()
            raise Sealed("sealed with another key") from error
        self._start = self._file.tell()
        body = os.fstat(self._file.fileno()).st_size - self._start
        self._count = max(1, -(-body // (CHUNK + TAG)))
        self.size = body - self._count * TAG
        self._position = 0
        self._held: tuple[int, bytes] = (-1, b"")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        if self._position >= self.size:
            return 0
        number, within = divmod(self._position, CHUNK)
        part = self._chunk(number)[within : within + len(buffer)]
        buffer[: len(part)] = part
        self._position += len(part)
        return len(part)

    def close(self) -> None:
        self._file.close()
        super().close()

    def _chunk(self, number: int) -> bytes:
        if self._held[0] != number:
            self._file.seek(self._start + number * (CHUNK + TAG))
            sealed = self._file.read(CHUNK + TAG)
            place = b"last" if number == self._count - 1 else b"more"
            try:
                self._held = number, self._cipher.decrypt(_nonce(number), sealed, place)
            except InvalidTag as error:
                raise Sealed("altered or cut short") from error
        return self._held[1]


def _cipher(salt: bytes) -> AESGCM:
    secret = settings.QUARANTINE_KEY.encode()
    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=salt, info=b"groundglass quarantine").derive(secret))


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")


def _read_exactly(stream: BinaryIO, size: int) -> bytes:
    parts, missing = [], size
    while missing:
        part = stream.read(missing)
        if not part:
            break
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)
