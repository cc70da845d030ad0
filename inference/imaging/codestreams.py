"""What a compressed frame says of its own size, before any decoder may believe it.

A decoder allocates what the codestream claims; a few bytes can claim gigabytes. JPEG and JPEG-LS: the frame header
SOFn (ITU-T T.81 B.2.2, T.87 C.2.2); JPEG 2000 and HTJ2K: the SIZ marker (T.800 A.5.1).
"""

import re
import struct

# Start-of-frame markers of JPEG and of JPEG-LS (SOF55); C4, C8 and CC are tables and extensions.
FRAME_HEADERS = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}
STANDALONE = {0x01, *range(0xD0, 0xD8)}
JPEG_END = b"\xff\xd9"
LONGEST_TAIL = 64
J2K_START = b"\xff\x4f\xff\x51"
# Some writers wrap JPEG 2000 in a JP2 file, whose boxes come first.
LONGEST_WRAPPING = 4096
# Segments that decoding needs: tables, frame and scan headers, restarts, lines; LSE of JPEG-LS.
JPEG_SEGMENTS = {*range(0xC0, 0xD0), 0xDA, 0xDB, 0xDC, 0xDD, 0xDE, 0xDF, 0xF7, 0xF8} - {0xC8}
# Of JPEG 2000: all of T.800 table A.2 and CAP and CPF of T.814, but for comments (COM, FF64).
J2K_SEGMENTS = {0xFF50, *range(0xFF51, 0xFF54), 0xFF55, *range(0xFF57, 0xFF5A), *range(0xFF5C, 0xFF62), 0xFF63}
# Of JP2: signature, type, sizes and kinds of components. A colour profile is longer than the colour space's number.
JP2_BOXES = {b"jP  ", b"ftyp", b"ihdr", b"bpcc", b"colr", b"cdef"}
LONGEST_BOX = 32
# The next marker behind coded data: within it, FF is followed by 00 (JPEG) or by a byte below 80 (JPEG-LS).
_JPEG_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_JPEG_LS_MARKER = re.compile(rb"\xff[\x80-\xcf\xd8-\xfe]")


def is_j2k(frame: bytes) -> bool:
    """Whether a JPEG 2000 codestream begins in these bytes."""
    return J2K_START in frame[:LONGEST_WRAPPING]


def is_whole_jpeg(frame: bytes) -> bool:
    """Whether a JPEG or JPEG-LS stream has its end marker: libjpeg makes up what a cut stream lacks.

    Within the data the marker's bytes never follow each other; behind it, writers pad with any byte.
    """
    return JPEG_END in frame[-LONGEST_TAIL:]


def claimed_size(frame: bytes) -> tuple[int, int, int] | None:
    """Rows, columns and components of a codestream, or None when it does not begin as one."""
    try:
        return _j2k_size(frame) if is_j2k(frame) else _jpeg_size(frame)
    except (struct.error, IndexError):
        return None


def _j2k_size(frame: bytes) -> tuple[int, int, int]:
    at = frame.index(J2K_START) + 8
    x1, y1, x0, y0 = struct.unpack_from(">4I", frame, at)
    (components,) = struct.unpack_from(">H", frame, at + 32)
    return y1 - y0, x1 - x0, components


def _jpeg_size(frame: bytes) -> tuple[int, int, int] | None:
    if frame[:2] != b"\xff\xd8":
        return None
    at = 2
    while True:
        if frame[at] != 0xFF:
            return None
        marker = frame[at + 1]
        if marker == 0xFF:  # fill bytes may precede a marker
            at += 1
        elif marker in STANDALONE:
            at += 2
        elif marker in FRAME_HEADERS:
            rows, columns, components = struct.unpack_from(">HHB", frame, at + 5)
            return rows, columns, components
        else:
            (length,) = struct.unpack_from(">H", frame, at + 2)
            at += 2 + max(length, 2)


def spans_beside_pixels(frame: bytes) -> list[tuple[int, int]]:
    """Where a codestream holds what no pixel needs: comments, application data, what lies behind its end.

    Spans (start, end) of payloads: with other bytes in them, the stream is as long as before and decodes to the same
    values of its one component. Raises ValueError where it is not built as its standard says.
    """
    try:
        return _j2k_spans(frame) if is_j2k(frame) else _jpeg_spans(frame)
    except (struct.error, IndexError):
        raise ValueError("a codestream that ends within a segment") from None


def _jpeg_spans(frame: bytes) -> list[tuple[int, int]]:
    """T.81 B.1.1.3, T.87 C.1.1; application data speaks of colours, pictures in small and programs."""
    if frame[:2] != b"\xff\xd8":
        raise ValueError("no JPEG")
    spans: list[tuple[int, int]] = []
    at, coded = 2, _JPEG_MARKER
    while True:
        marker_at = frame.find(b"\xff", at)
        if marker_at < 0:
            raise ValueError("no end")
        if marker_at > at:
            spans.append((at, marker_at))
        at, marker = marker_at, frame[marker_at + 1]
        if marker == 0xD9:
            return [*spans, (at + 2, len(frame))]
        if marker == 0xFF:
            at += 1
            continue
        if marker in STANDALONE:
            at += 2
            continue
        end = at + 2 + max(struct.unpack_from(">H", frame, at + 2)[0], 2)
        if marker not in JPEG_SEGMENTS:
            spans.append((at + 4, end))
        if marker == 0xF7:
            coded = _JPEG_LS_MARKER
        at = end
        if marker == 0xDA:
            following = coded.search(frame, end)
            if following is None:
                raise ValueError("no end")
            at = following.start()


def _j2k_spans(frame: bytes) -> list[tuple[int, int]]:
    """T.800 Annex A; Annex I where it is wrapped in the boxes of a JP2 file."""
    if frame.startswith(J2K_START):
        return _codestream_spans(frame, 0, len(frame))
    return _box_spans(frame, 0, len(frame))


def _box_spans(frame: bytes, at: int, end: int) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    while at + 8 <= end:
        length, kind = struct.unpack_from(">I4s", frame, at)
        start = at + 8
        if length == 1:
            (length,) = struct.unpack_from(">Q", frame, start)
            start += 8
        stop = at + length if length else end
        if not start <= stop <= end:
            raise ValueError("a box longer than its file")
        if kind == b"jp2h":
            spans += _box_spans(frame, start, stop)
        elif kind == b"jp2c":
            spans += _codestream_spans(frame, start, stop)
        elif kind not in JP2_BOXES or stop - start > LONGEST_BOX:
            spans.append((start, stop))
        at = stop
    return [*spans, (at, end)]


def _codestream_spans(frame: bytes, at: int, end: int) -> list[tuple[int, int]]:
    if frame[at : at + 4] != J2K_START:
        raise ValueError("no JPEG 2000")
    spans: list[tuple[int, int]] = []
    at, tile_end = at + 2, 0
    while at < end:
        (marker,) = struct.unpack_from(">H", frame, at)
        if marker == 0xFFD9:
            return [*spans, (at + 2, end)]
        if marker == 0xFF93:  # data begins; a tile that does not say how long it is reaches to the end marker
            begin, at = at, tile_end or frame.rindex(JPEG_END, at, end)
            if at <= begin:
                raise ValueError("a tile shorter than its header")
            continue
        if marker < 0xFF4F:
            raise ValueError("no marker where one should be")
        (length,) = struct.unpack_from(">H", frame, at + 2)
        if marker == 0xFF90:
            (tile_bytes,) = struct.unpack_from(">I", frame, at + 6)
            if tile_bytes and tile_bytes < 14:
                raise ValueError("a tile without data")
            tile_end = at + tile_bytes if tile_bytes else 0
        elif marker not in J2K_SEGMENTS:
            spans.append((at + 4, at + 2 + length))
        at += 2 + max(length, 2)
    return spans
