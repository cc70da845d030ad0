"""What a compressed frame says of its own size, before any decoder may believe it.

A decoder allocates what the codestream claims; a few bytes can claim gigabytes. JPEG and JPEG-LS: the frame header
SOFn (ITU-T T.81 B.2.2, T.87 C.2.2); JPEG 2000 and HTJ2K: the SIZ marker (T.800 A.5.1).
"""

import struct

# Start-of-frame markers of JPEG and of JPEG-LS (SOF55); C4, C8 and CC are tables and extensions.
FRAME_HEADERS = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}
STANDALONE = {0x01, *range(0xD0, 0xD8)}
JPEG_END = b"\xff\xd9"
LONGEST_TAIL = 64
J2K_START = b"\xff\x4f\xff\x51"
# Some writers wrap JPEG 2000 in a JP2 file, whose boxes come first.
LONGEST_WRAPPING = 4096


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
