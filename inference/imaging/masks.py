"""Mask slices as they are stored and served: zstd of the raw uint8 slice, keyed by the slice's SHA-256.

GGM1 container: b"GGM1", uint32 little endian length of the header, JSON header
{"shape_zyx", "stroke_sequence", "head_hash", "frames": [{"layer", "z", "offset", "length"}]}, then the
frames, offsets counted from the start of the frames. Slices that are not listed are all zero.
"""

import hashlib
import json
import struct
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import zstandard
from numpy.typing import NDArray

MAGIC = b"GGM1"
ZSTD_LEVEL = 3
LAYERS = ("anatomy", "findings")


class MaskError(ValueError):
    """Mask bytes that cannot be what they claim; the text is a sentence for people."""


def slice_sha256(slice_yx: NDArray[np.uint8]) -> str:
    """Hex SHA-256 of the raw uint8 slice: the name of its content."""
    return hashlib.sha256(_raw(slice_yx)).hexdigest()


def values_in(mask_zyx: NDArray[np.uint8]) -> list[int]:
    """The label values (not 0) that occur in a mask (uint8 zyx), in order.

    A slice at a time, and of it what is no 0: counting all voxels at once took seconds and eight times their memory.
    """
    return sorted({value for plane in mask_zyx for value in np.unique(plane[plane != 0]).tolist()})


def encode_slice(slice_yx: NDArray[np.uint8]) -> bytes:
    """One zstd frame (level 3, content size in its header) of a raw uint8 slice."""
    return zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress(_raw(slice_yx))


def decode_slice(frame: bytes, shape_yx: tuple[int, int]) -> NDArray[np.uint8]:
    """The writable uint8 slice of a zstd frame; raises MaskError unless it is exactly ny * nx bytes."""
    ny, nx = shape_yx
    raw = decompress_exactly(frame, ny * nx)
    return np.frombuffer(raw, dtype=np.uint8).reshape(ny, nx).copy()


def decompress_exactly(frame: bytes, size: int) -> bytes:
    """The content of one zstd frame that must hold `size` bytes and nothing more; raises MaskError."""
    try:
        if zstandard.frame_content_size(frame) != size:
            raise MaskError(f"A compressed frame does not hold the expected {size} bytes.")
        raw = zstandard.ZstdDecompressor().decompress(frame, max_output_size=size, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise MaskError("A compressed frame cannot be read.") from error
    if len(raw) != size:
        raise MaskError(f"A compressed frame does not hold the expected {size} bytes.")
    return raw


def _raw(slice_yx: NDArray[np.uint8]) -> bytes:
    if slice_yx.ndim != 2 or slice_yx.dtype != np.uint8:
        raise MaskError("A mask slice is a uint8 array with axes yx.")
    return np.ascontiguousarray(slice_yx).tobytes()


@dataclass(frozen=True)
class Frame:
    """One stored slice: its layer ("anatomy" or "findings"), z and zstd bytes."""

    layer: str
    z: int
    data: bytes


def write_container(
    *, shape_zyx: tuple[int, int, int], stroke_sequence: int, head_hash: str, frames: Iterable[Frame]
) -> bytes:
    """GGM1 bytes of a mask's non-empty slices, ordered by layer and z."""
    listed, area = [], bytearray()
    for frame in sorted(frames, key=lambda item: (LAYERS.index(item.layer), item.z)):
        listed.append({"layer": frame.layer, "z": frame.z, "offset": len(area), "length": len(frame.data)})
        area += frame.data
    header = {
        "shape_zyx": list(shape_zyx),
        "stroke_sequence": stroke_sequence,
        "head_hash": head_hash,
        "frames": listed,
    }
    text = json.dumps(header, separators=(",", ":")).encode()
    return MAGIC + struct.pack("<I", len(text)) + text + bytes(area)


@dataclass(frozen=True, eq=False)
class Container:
    """A decoded GGM1: both layers as uint8 zyx, and where in the stroke log they stand."""

    anatomy: NDArray[np.uint8]
    findings: NDArray[np.uint8]
    stroke_sequence: int
    head_hash: str


def read_container(payload: bytes) -> Container:
    """The mask in GGM1 bytes; raises MaskError when they are malformed."""
    if payload[:4] != MAGIC or len(payload) < 8:
        raise MaskError("These bytes are not a mask container.")
    (header_length,) = struct.unpack_from("<I", payload, 4)
    area = memoryview(payload)[8 + header_length :]
    try:
        header = json.loads(payload[8 : 8 + header_length])
        nz, ny, nx = (int(n) for n in header["shape_zyx"])
        layers = {name: np.zeros((nz, ny, nx), dtype=np.uint8) for name in LAYERS}
        for frame in header["frames"]:
            begin, length = int(frame["offset"]), int(frame["length"])
            if not 0 <= begin <= begin + length <= len(area) or not 0 <= int(frame["z"]) < nz:
                raise MaskError("A frame of the mask container lies outside it.")
            data = bytes(area[begin : begin + length])
            layers[frame["layer"]][int(frame["z"])] = decode_slice(data, (ny, nx))
        return Container(stroke_sequence=header["stroke_sequence"], head_hash=header["head_hash"], **layers)
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, MaskError):
            raise
        raise MaskError("The header of the mask container cannot be read.") from error
