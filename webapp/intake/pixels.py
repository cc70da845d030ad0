"""What lies beside the values of pixels: anything can be written there, and nobody reads it; so it is cleared.

Native pixels: bytes behind the last frame, and the bits above and below each value (overlays of old files, handwriting
of a sort). Compressed ones: comments and application data of the codestreams, and what lies behind their end. What
reading them gives (inference.imaging.decoding) stays the same, bit for bit.
"""

import struct
from collections.abc import Sequence
from itertools import accumulate, pairwise

import numpy as np
from pydicom.dataset import Dataset
from pydicom.encaps import generate_fragmented_frames, parse_fragments

from inference.imaging import gate
from inference.imaging.codestreams import spans_beside_pixels
from inference.imaging.decoding import BIG_ENDIAN, NATIVE, RLE, Layout, layout_of
from inference.imaging.elements import file_name, number

ITEM = b"\xfe\xff\x00\xe0"
RLE_HEADER = struct.Struct("<16I")


def clear_beside_values(dataset: Dataset, transfer_syntax: str) -> None:
    """Clear in place what lies beside the values. Raises SeriesRefused where pixels are not as they say."""
    if "PixelData" not in dataset:
        return
    kept = dataset.PixelData
    frames = int(number(dataset, "NumberOfFrames") or 1)
    try:
        if transfer_syntax in NATIVE:
            samples = int(number(dataset, "SamplesPerPixel") or 1)
            little = transfer_syntax != BIG_ENDIAN
            cleared = _native(kept, layout_of(dataset), frames * samples, little=little)
        else:
            layout = layout_of(dataset)
            rle_bytes = layout.rows * layout.columns if transfer_syntax == RLE else None
            cleared = _compressed(kept, frames, rle_bytes)
    except (ValueError, struct.error) as error:
        reason = "they are not built as their standard says"
        raise gate.refuse("pixels", name=file_name(dataset), reason=reason) from error
    if cleared is not kept:
        dataset.PixelData = cleared


def _native(pixels: bytes, layout: Layout, frames: int, *, little: bool) -> bytes:
    """Frames without a byte or a bit more; the very same object where there was none."""
    exact = frames * layout.frame_bytes
    even = exact + exact % 2
    # Pairs of bytes lie swapped in big-endian words: there the last one may be a value.
    padded = little and exact < even <= len(pixels) and pixels[exact:even] != b"\0"
    if len(pixels) > even or padded:
        pixels = pixels[:even] if not padded else pixels[:exact] + b"\0"
    if layout.allocated == layout.stored or layout.frame_bytes == 0:
        return pixels
    size = layout.allocated // 8
    if size == 1 and not little:
        return pixels
    kind = f"{'<' if little else '>'}{'i' if layout.signed else 'u'}{size}"
    words = np.frombuffer(pixels, dtype=kind, count=min(exact, len(pixels)) // size)
    below, above = layout.highest + 1 - layout.stored, layout.allocated - 1 - layout.highest
    lowest, highest = (
        (-(1 << layout.highest), (1 << layout.highest) - 1) if layout.signed else (0, (2 << layout.highest) - 1)
    )
    if below == 0 and words.size and lowest <= int(words.min()) and int(words.max()) <= highest:
        return pixels
    # Moved to the top and down again: the sign is drawn along, bits on either side fall out.
    values = (words << above) >> (above + below) << below
    return values.astype(kind).tobytes() + pixels[words.nbytes :]


def _compressed(pixels: bytes, frames: int, rle_bytes: int | None) -> bytes:
    """Fragments as long as they were, with zeros in place of what no pixel needs.

    `rle_bytes` is how many bytes each segment of a frame in RLE gives; None in other syntaxes.
    """
    if pixels[:4] != ITEM:
        raise ValueError("compressed pixels without items")
    (table_bytes,) = struct.unpack_from("<I", pixels, 4)
    begin = 8 + table_bytes
    _, places = parse_fragments(pixels[begin:])
    starts = [begin + place + 8 for place in places]
    ends = [start + struct.unpack_from("<I", pixels, start - 4)[0] for start in starts]
    if not ends or ends[-1] > len(pixels):
        raise ValueError("compressed pixels that end within a fragment")
    counts = [len(parts) for parts in generate_fragmented_frames(pixels, number_of_frames=frames)]
    firsts = [0, *accumulate(counts)]
    spans = [
        span
        for first, after in pairwise(firsts)
        for span in _spans(pixels, starts[first:after], ends[first:after], rle_bytes)
    ]
    cleared = bytearray(pixels) if any(pixels[a:b].strip(b"\0") for a, b in spans) else pixels
    if isinstance(cleared, bytearray):
        for a, b in spans:
            cleared[a:b] = bytes(b - a)
    table = struct.pack(f"<{len(counts)}I", *(starts[first] - 8 - begin for first in firsts[:-1]))
    if table_bytes and pixels[8:begin] != table:
        return ITEM + struct.pack("<I", len(table)) + table + bytes(cleared[begin : ends[-1]])
    return bytes(cleared[: ends[-1]]) if ends[-1] < len(pixels) or cleared is not pixels else pixels


def _spans(pixels: bytes, starts: Sequence[int], ends: Sequence[int], rle_bytes: int | None) -> list[tuple[int, int]]:
    """What no pixel of a frame needs, as places in the pixels; the frame lies in fragments from `starts` to `ends`."""
    frame = b"".join(pixels[start:end] for start, end in zip(starts, ends, strict=True))
    found = spans_beside_pixels(frame) if rle_bytes is None else _rle_spans(frame, rle_bytes)
    spans, behind = [], 0
    for start, end in zip(starts, ends, strict=True):
        for a, b in found:
            a, b = max(a - behind, 0), min(b - behind, end - start)
            if a < b:
                spans.append((start + a, start + b))
        behind += end - start
    return spans


def _rle_spans(frame: bytes, expected: int) -> list[tuple[int, int]]:
    """Of the header the places of segments that there are not, and what follows the runs of each (PS3.5 annex G)."""
    count, *offsets = RLE_HEADER.unpack_from(frame)
    if not 0 < count <= len(offsets):
        raise ValueError("no number of segments")
    spans, behind = [(4 + 4 * count, RLE_HEADER.size)], RLE_HEADER.size
    for at in offsets[:count]:
        if at < behind:
            raise ValueError("segments that overlap")
        spans.append((behind, at))
        behind = _end_of_runs(frame, at, expected)
    return [*spans, (behind, len(frame))]


def _end_of_runs(frame: bytes, at: int, expected: int) -> int:
    given, end = 0, len(frame)
    while given < expected and at < end:
        length = frame[at]
        if length < 128:
            given += length + 1
            at += length + 2
        else:
            given += 257 - length if length > 128 else 0
            at += 2 if length > 128 else 1
    return min(at, end)
