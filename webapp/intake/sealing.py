"""The form in which originals lie on disk: encrypted in chunks, readable in place, known when cut short or altered.

A sealed file is b"GGQ2", a 16-byte salt, the sealed name (u32 length first), then chunks of 64 KiB of content, each a
12-byte random nonce and AES-256-GCM with a 16-byte tag. The key of a file is HKDF-SHA256 of settings.QUARANTINE_KEY
with its salt. A chunk is sealed together with its number and with whether it is the last one.
"""

import io
import os
import struct
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

MAGIC = b"GGQ2"
CHUNK = 64 * 1024
NONCE, TAG = 12, 16
OVERHEAD = NONCE + TAG
LONGEST_NAME = 4096


class Sealed(OSError):
    """A sealed file that is cut short, altered, or was sealed with another key."""


class Sealer:
    """Writes one sealed file. The bytes come in parts of any size; `finish` seals the last chunk.

    `go_on` opens a file that is not finished, to seal more of it.
    """

    def __init__(self, out: BinaryIO, cipher: AESGCM, number: int) -> None:
        self._out, self._cipher, self._number = out, cipher, number
        self._kept = bytearray()

    @classmethod
    def begin(cls, path: Path, name: str) -> "Sealer":
        """Begin a new file; raises FileExistsError and OSError."""
        salt = os.urandom(16)
        cipher = _cipher(salt)
        nonce = os.urandom(NONCE)
        sealed_name = nonce + cipher.encrypt(nonce, name.encode(errors="replace")[:LONGEST_NAME], b"name")
        out = open(path, "xb", opener=_private)  # noqa: SIM115 - closed by `finish` or `pause`
        out.write(MAGIC + salt + struct.pack("<I", len(sealed_name)) + sealed_name)
        return cls(out, cipher, 0)

    @classmethod
    def go_on(cls, path: Path, received: int) -> "Sealer":
        """Go on behind the first `received` bytes, a multiple of CHUNK; what lies behind them on the disk is cut off.

        Raises Sealed when the file has fewer.
        """
        with SealedFile(path) as sealed:
            cipher, start = sealed.cipher, sealed.start
        end = start + received // CHUNK * (CHUNK + OVERHEAD)
        out = open(path, "r+b")  # noqa: SIM115 - closed by `finish` or `pause`
        if received % CHUNK or out.seek(0, os.SEEK_END) < end:
            out.close()
            raise Sealed("less of it is here than was received")
        out.truncate(end)
        out.seek(end)
        return cls(out, cipher, received // CHUNK)

    def write(self, part: bytes | memoryview) -> None:
        """Seal more bytes. A chunk is written when more than it is known."""
        self._kept += part
        while len(self._kept) > CHUNK:
            self._seal(bytes(self._kept[:CHUNK]), last=False)
            del self._kept[:CHUNK]

    def pause(self, *, durable: bool = True) -> None:
        """Write what is there as chunks that are not the last (a multiple of CHUNK bytes was written), and close."""
        if self._kept:
            self._seal(bytes(self._kept), last=False)
        self._close(durable)

    def finish(self, *, durable: bool = True) -> None:
        """Seal the last chunk and close; with `durable` the bytes are on the disk then."""
        self._seal(bytes(self._kept), last=True)
        self._close(durable)

    def abandon(self) -> None:
        """Close without finishing."""
        self._out.close()

    def _seal(self, chunk: bytes, last: bool) -> None:
        nonce = os.urandom(NONCE)
        self._out.write(nonce + self._cipher.encrypt(nonce, chunk, _place(self._number, last)))
        self._number += 1

    def _close(self, durable: bool) -> None:
        with self._out as out:
            out.flush()
            if durable:
                os.fsync(out.fileno())


class SealedFile(io.RawIOBase):
    """A sealed file read in place, from anywhere in it: no plain copy ever lies on the disk."""

    def __init__(self, path: Path) -> None:
        self._file = open(path, "rb")  # noqa: SIM115 - closed with this object
        try:
            self._read_head()
        except BaseException:
            self._file.close()
            raise
        body = os.fstat(self._file.fileno()).st_size - self.start
        self._count = max(1, -(-body // (CHUNK + OVERHEAD)))
        self.size = max(0, body - self._count * OVERHEAD)
        self._position = 0
        self._held: tuple[int, bytes] = (-1, b"")

    def _read_head(self) -> None:
        head = self._file.read(24)
        if len(head) < 24 or head[:4] != MAGIC:
            raise Sealed("not a sealed file")
        self.cipher = _cipher(head[4:20])
        name = self._file.read(struct.unpack("<I", head[20:])[0])
        try:
            self.name = self.cipher.decrypt(name[:NONCE], name[NONCE:], b"name").decode(errors="replace")
        except (InvalidTag, ValueError) as error:
            raise Sealed("sealed with another key") from error
        self.start = self._file.tell()

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

    def readall(self) -> bytes:
        """The rest of the file, read from the disk at once."""
        if self._position >= self.size:
            return b""
        number, within = divmod(self._position, CHUNK)
        self._file.seek(self.start + number * (CHUNK + OVERHEAD))
        sealed = memoryview(self._file.read())
        parts = [
            self._opened(number + n, sealed[n * (CHUNK + OVERHEAD) : (n + 1) * (CHUNK + OVERHEAD)])
            for n in range(self._count - number)
        ]
        self._position = self.size
        return b"".join([parts[0][within:], *parts[1:]])

    def close(self) -> None:
        self._file.close()
        super().close()

    def _chunk(self, number: int) -> bytes:
        if self._held[0] != number:
            self._file.seek(self.start + number * (CHUNK + OVERHEAD))
            self._held = number, self._opened(number, self._file.read(CHUNK + OVERHEAD))
        return self._held[1]

    def _opened(self, number: int, sealed: bytes | memoryview) -> bytes:
        try:
            return self.cipher.decrypt(sealed[:NONCE], sealed[NONCE:], _place(number, last=number == self._count - 1))
        except (InvalidTag, ValueError) as error:
            raise Sealed("altered or cut short") from error


def opened(path: Path) -> BinaryIO:
    """A sealed file for reading, buffered. Raises Sealed, OSError."""
    return io.BufferedReader(SealedFile(path), CHUNK)  # type: ignore[return-value]


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _place(number: int, last: bool) -> bytes:
    return struct.pack("<Q", number) + (b"last" if last else b"more")


def _cipher(salt: bytes) -> AESGCM:
    secret = settings.QUARANTINE_KEY.encode()
    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=salt, info=b"groundglass quarantine").derive(secret))
