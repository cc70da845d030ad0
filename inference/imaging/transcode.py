"""Frames of a DICOM file as they are stored and as plain values, and whole files as Explicit VR Little Endian.

What a web client can always read is Explicit VR Little Endian (PS3.18 8.7.3): values little endian, nothing compressed.
Decoding never changes a value; it only changes how the values are written.
"""

import io
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread, dcmwrite
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileDataset
from pydicom.encaps import generate_frames
from pydicom.uid import ExplicitVRLittleEndian

from inference.imaging import decoding
from inference.imaging.decoding import BIG_ENDIAN, DEFLATED, EXPLICIT, IMPLICIT, NATIVE
from inference.imaging.elements import number
from inference.imaging.findings import SeriesRefused

# Elements of words, which a change of byte order swaps; pydicom swaps everything that it reads as numbers.
WORD_BYTES = {"OW": 2, "OF": 4, "OL": 4, "OD": 8, "OV": 8}


class Undecodable(ValueError):
    """The pixels of a file cannot be read: they are damaged, or of a kind that no decoder here knows."""


def syntax_of(dataset: Dataset) -> str:
    """The transfer syntax that a file is written in; Implicit VR Little Endian where it does not say."""
    meta = getattr(dataset, "file_meta", None)
    return str(meta.get("TransferSyntaxUID", "") or IMPLICIT) if meta is not None else IMPLICIT


def is_compressed(syntax: str) -> bool:
    """Whether a transfer syntax keeps pixels in another form than plain values."""
    return syntax not in NATIVE


def frame_count(dataset: Dataset) -> int:
    """How many frames an image has; 0 where it is none."""
    return max(1, int(number(dataset, "NumberOfFrames") or 1)) if "Rows" in dataset else 0


def explicit_little_endian(content: bytes) -> bytes:
    """A DICOM file as Explicit VR Little Endian, its pixels plain; the very bytes where it is so already.

    Raises Undecodable.
    """
    dataset = dcmread(io.BytesIO(content))
    syntax = syntax_of(dataset)
    if syntax == EXPLICIT:
        return content
    if "PixelData" in dataset and is_compressed(syntax):
        pixels = b"".join(native_frames(dataset, range(frame_count(dataset))))
        _set_pixels(dataset, pixels)
    elif syntax == BIG_ENDIAN:
        _swap_words(dataset)
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    out = io.BytesIO()
    dcmwrite(out, dataset, implicit_vr=False, little_endian=True, enforce_file_format=True)
    return out.getvalue()


def native_frames(dataset: Dataset, wanted: Sequence[int]) -> Iterator[bytes]:
    """The plain little-endian values of the frames `wanted` (counted from 0). Raises Undecodable."""
    if is_bits(dataset):
        yield from _bit_frames(dataset, wanted)
        return
    for index in wanted:
        values = frame_values(dataset, index)
        yield np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<")).tobytes()


def is_bits(dataset: Dataset) -> bool:
    """Whether an image has one bit a pixel, as a segmentation has."""
    return number(dataset, "BitsAllocated") == 1


def plain_pixels(dataset: Dataset) -> bytes:
    """All of an image's pixels as plain little-endian values, as Explicit VR Little Endian holds them."""
    if syntax_of(dataset) in (IMPLICIT, EXPLICIT, DEFLATED):
        return bytes(dataset.PixelData)
    return b"".join(native_frames(dataset, range(frame_count(dataset))))


def stored_frames(dataset: Dataset, wanted: Sequence[int]) -> Iterator[bytes]:
    """The frames `wanted` as the file has them: codestreams of a compressed one. Raises Undecodable."""
    if not is_compressed(syntax_of(dataset)):
        yield from native_frames(dataset, wanted)
        return
    asked, found = set(wanted), {}
    try:
        for index, frame in enumerate(generate_frames(dataset.PixelData, number_of_frames=frame_count(dataset))):
            if index in asked:
                found[index] = bytes(frame)
    except Exception as error:  # pydicom raises many kinds on broken encapsulation; each means the same
        raise Undecodable("The frames of this file cannot be told apart.") from error
    if len(found) < len(asked):
        raise Undecodable("This file has fewer frames than its header says.")
    yield from (found[index] for index in wanted)


def frame_values(dataset: Dataset, index: int) -> NDArray[Any]:
    """The stored values (yx) of one frame, as the header types them. Raises Undecodable."""
    if is_bits(dataset):
        (packed,) = _bit_frames(dataset, [index])
        bits = np.unpackbits(np.frombuffer(packed, np.uint8), bitorder="little")
        return bits[: dataset.Rows * dataset.Columns].reshape(dataset.Rows, dataset.Columns)
    try:
        (values,) = decoding.stored_frames(dataset, [index])
    except SeriesRefused as refusal:
        raise Undecodable(refusal.sentence) from refusal
    return values


def _bit_frames(dataset: Dataset, wanted: Sequence[int]) -> Iterator[bytes]:
    """Frames of one bit a pixel, each from the first bit of its own first byte (PS3.18 8.7.3.3.1 gives them so)."""
    size = int(dataset.Rows) * int(dataset.Columns)
    packed = np.frombuffer(dataset.PixelData, np.uint8)
    for index in wanted:
        first, last = index * size, (index + 1) * size
        if last > packed.size * 8:
            raise Undecodable("This file has fewer frames than its header says.")
        if first % 8 == 0:
            yield _last_byte_cleared(packed[first // 8 : (last + 7) // 8].copy(), size)
            continue
        bits = np.unpackbits(packed[first // 8 : (last + 7) // 8], bitorder="little")[first % 8 :][:size]
        yield np.packbits(bits, bitorder="little").tobytes()


def _last_byte_cleared(frame: NDArray[np.uint8], size: int) -> bytes:
    """A frame without the next one's bits in its last byte."""
    if size % 8:
        frame[-1] &= (1 << size % 8) - 1
    return frame.tobytes()


def _set_pixels(dataset: FileDataset, pixels: bytes) -> None:
    vr = "OB" if int(dataset.BitsAllocated) <= 8 else "OW"
    element = DataElement(0x7FE00010, vr, pixels + b"\0" * (len(pixels) % 2))
    dataset.add(element)
    for keyword in ("ExtendedOffsetTable", "ExtendedOffsetTableLengths"):
        if keyword in dataset:
            delattr(dataset, keyword)


def _swap_words(dataset: Dataset) -> None:
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                _swap_words(item)
        elif element.VR in WORD_BYTES and element.value:
            width = WORD_BYTES[element.VR]
            # Pixels of 32 bits lie in words of 16 (OW); each value is swapped as a whole.
            if element.tag == 0x7FE00010:
                width = max(2, int(dataset.BitsAllocated) // 8)
            whole = element.value[: len(element.value) // width * width]
            element.value = np.frombuffer(whole, dtype=f">u{width}").astype(f"<u{width}").tobytes()
