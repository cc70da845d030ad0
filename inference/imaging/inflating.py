"""Compressed bytes, never more of them than were announced: a few bytes can unpack to terabytes."""

import bz2
import zlib
from typing import BinaryIO

CHUNK = 1024 * 1024
GZIP_OR_ZLIB = zlib.MAX_WBITS | 32


def read_exactly(stream: BinaryIO, size: int) -> bytes:
    """`size` bytes; raises EOFError when there are fewer."""
    parts, missing = [], size
    while missing:
        part = stream.read(min(missing, 64 * CHUNK))
        if not part:
            raise EOFError("cut short")
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def inflate(stream: BinaryIO, size: int) -> bytes:
    """The first `size` bytes that a gzip or zlib stream holds, its checksum checked where it ends there.

    Raises EOFError, zlib.error.
    """
    inflater = zlib.decompressobj(GZIP_OR_ZLIB)
    parts, missing, waiting = [], size, b""
    while missing:
        if inflater.eof:  # gzip streams may follow each other
            waiting, inflater = inflater.unused_data, zlib.decompressobj(GZIP_OR_ZLIB)
        data = waiting or stream.read(CHUNK)
        part = inflater.decompress(data, missing)
        waiting = inflater.unconsumed_tail
        if not part and not data:
            raise EOFError("cut short")
        parts.append(part)
        missing -= len(part)
    more = b""
    while not inflater.eof and not more:
        data = waiting or stream.read(CHUNK)
        if not data:
            raise EOFError("cut short")
        more, waiting = inflater.decompress(data, 1), b""
    return b"".join(parts)


def inflate_bzip2(stream: BinaryIO, size: int) -> bytes:
    """The first `size` bytes that a bzip2 stream holds. Raises EOFError, OSError."""
    with bz2.BZ2File(stream) as inside:
        return read_exactly(inside, size)  # type: ignore[arg-type]


def inflated_size_within(stream: BinaryIO, most: int) -> bool:
    """Whether a raw deflated stream is whole and unpacks to at most `most` bytes. Raises zlib.error."""
    inflater, size = zlib.decompressobj(-zlib.MAX_WBITS), 0
    while chunk := stream.read(CHUNK):
        while chunk:
            size += len(inflater.decompress(chunk, CHUNK))
            chunk = inflater.unconsumed_tail
            if size > most:
                return False
    return inflater.eof
