"""Stored values of the frames of a file, whatever their transfer syntax.

One decoder is named for each syntax. GDCM is not among them: a damaged JPEG or JPEG 2000 stream makes it end the
process (docs/decisions/decoders-that-survive.md); the decoders below were given thousands of damaged streams.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import generate_frames
from pydicom.pixels import get_decoder
from pydicom.uid import UID

from inference.imaging import gate
from inference.imaging.codestreams import claimed_size, is_j2k, is_whole_jpeg
from inference.imaging.elements import file_name, number, transfer_syntax

IMPLICIT, EXPLICIT, BIG_ENDIAN = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
NATIVE = ("", IMPLICIT, EXPLICIT, BIG_ENDIAN, DEFLATED)
RLE = "1.2.840.10008.1.2.5"
JPEG = "1.2.840.10008.1.2.4."
# pydicom's decoder plugin for each syntax that it knows.
PLUGINS = {
    RLE: "pydicom",
    **{JPEG + last: "pylibjpeg" for last in ("50", "51", "57", "70", "90", "91", "201", "202", "203")},
    **{JPEG + last: "pyjpegls" for last in ("80", "81")},
}
# Retired progressive JPEG, which pydicom does not offer and libjpeg reads all the same.
PROGRESSIVE = (JPEG + "53", JPEG + "55")


@dataclass(frozen=True)
class Layout:
    """How a file keeps its values: size, bits allocated, bits that hold the value, its highest bit, its sign."""

    rows: int
    columns: int
    allocated: int
    stored: int
    highest: int
    signed: bool

    @property
    def frame_bytes(self) -> int:
        """Bytes of one native frame."""
        return self.rows * self.columns * self.allocated // 8


def layout_of(dataset: Dataset) -> Layout:
    """The layout that a header speaks of; raises SeriesRefused when it contradicts itself."""
    allocated = number(dataset, "BitsAllocated") or 16
    stored = number(dataset, "BitsStored") or allocated
    highest = number(dataset, "HighBit")
    highest = stored - 1 if highest is None else highest
    if allocated not in (8, 16, 32) or not 1 <= stored <= highest + 1 <= allocated:
        words = {"allocated": f"{allocated:g}", "stored": f"{stored:g}", "highest": f"{highest:g}"}
        raise gate.refuse("bits", name=file_name(dataset), **words)
    rows, columns = int(number(dataset, "Rows") or 0), int(number(dataset, "Columns") or 0)
    signed = number(dataset, "PixelRepresentation") == 1
    return Layout(rows, columns, int(allocated), int(stored), int(highest), signed)


def stored_frames(dataset: Dataset, wanted: Sequence[int]) -> Iterator[NDArray[Any]]:
    """The stored values (yx) of the frames `wanted`, which ascend; raises SeriesRefused naming the file."""
    name, layout = file_name(dataset), layout_of(dataset)
    if "PixelData" not in dataset:
        raise gate.refuse("no_pixels", name=name)
    syntax = transfer_syntax(dataset)
    if syntax not in (*NATIVE, *PLUGINS, *PROGRESSIVE):
        raise gate.refuse("transfer_syntax", name=name, syntax=_syntax_name(syntax))
    frames = _native_frames if syntax in NATIVE else _compressed_frames
    count = 0
    try:
        for stored in frames(dataset, layout, wanted):
            if stored.shape != (layout.rows, layout.columns):
                raise ValueError("not the size of the header")
            count += 1
            yield _value_bits(stored, layout, shifted=syntax in NATIVE)
    except GeneratorExit:
        raise
    except Exception as error:  # decoders raise all kinds on damaged input; each means the same to a reader
        raise gate.refuse("pixels", name=name, reason=_reason(syntax)) from error
    if count != len(wanted):
        raise gate.refuse("pixels", name=name, reason="there are fewer frames than its header says")


def _native_frames(dataset: Dataset, layout: Layout, wanted: Sequence[int]) -> Iterator[NDArray[Any]]:
    data = dataset.PixelData
    order = ">" if transfer_syntax(dataset) == BIG_ENDIAN else "<"
    dtype = np.dtype(f"{order}{'i' if layout.signed else 'u'}{layout.allocated // 8}")
    if order == ">" and layout.allocated == 8:
        # 8 bits as words: pairs lie swapped.
        data = np.frombuffer(data[: len(data) // 2 * 2], dtype=">u2").astype("<u2").tobytes()
    size, shape = layout.rows * layout.columns, (layout.rows, layout.columns)
    for index in wanted:
        frame = np.frombuffer(data, dtype=dtype, count=size, offset=index * layout.frame_bytes)
        yield frame.reshape(shape).astype(dtype.newbyteorder("="), copy=False)


def _compressed_frames(dataset: Dataset, layout: Layout, wanted: Sequence[int]) -> Iterator[NDArray[Any]]:
    syntax = transfer_syntax(dataset)
    count = int(number(dataset, "NumberOfFrames") or 1)
    if syntax != RLE:
        _check_claims(dataset, layout, wanted, count)
    if syntax in PROGRESSIVE:
        yield from _progressive_frames(dataset, wanted, count)
        return
    decoder = get_decoder(UID(syntax))
    for stored, _ in decoder.iter_array(dataset, indices=list(wanted), raw=True, decoding_plugin=PLUGINS[syntax]):
        yield stored


def _check_claims(dataset: Dataset, layout: Layout, wanted: Sequence[int], count: int) -> None:
    """Raise ValueError where a codestream is cut, or claims another size than the header (it would be allocated)."""
    asked = set(wanted)
    jpeg_2000 = transfer_syntax(dataset).rsplit(".", 1)[-1] in ("90", "91", "201", "202", "203")
    for index, frame in enumerate(generate_frames(dataset.PixelData, number_of_frames=count)):
        if index not in asked:
            continue
        if claimed_size(frame) != (layout.rows, layout.columns, 1) or is_j2k(frame) != jpeg_2000:
            raise ValueError("the codestream is of another size or kind")
        if not jpeg_2000 and not is_whole_jpeg(frame):
            raise ValueError("the codestream is cut short")


def _progressive_frames(dataset: Dataset, wanted: Sequence[int], count: int) -> Iterator[NDArray[Any]]:
    import libjpeg

    asked = set(wanted)
    for index, frame in enumerate(generate_frames(dataset.PixelData, number_of_frames=count)):
        if index in asked:
            yield libjpeg.decode(frame)


def _value_bits(stored: NDArray[Any], layout: Layout, *, shifted: bool) -> NDArray[Any]:
    """The values alone, of the type that the header names: no overlays or leftovers in the bits beside them."""
    width = 8 * stored.dtype.itemsize
    kind = np.dtype(f"{'i' if layout.signed else 'u'}{stored.dtype.itemsize}")
    values = stored.view(kind)
    above = width - 1 - (layout.highest if shifted else layout.stored - 1)
    if above <= 0 and layout.stored >= width:
        return values
    # Moved to the top and down again: the sign is drawn along, bits on either side fall out.
    return (values << above) >> (width - layout.stored)


def _syntax_name(syntax: str) -> str:
    uid = UID(syntax)
    return uid.name if uid.is_transfer_syntax and not uid.is_private else "an unknown transfer syntax"


def _reason(syntax: str) -> str:
    known = _syntax_name(syntax) if syntax else "uncompressed (the file does not name its transfer syntax)"
    return f"they are damaged, cut short or not really {known}"
