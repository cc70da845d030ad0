"""The test's own readers of the site's formats, written from their description and sharing no code with the site."""

import base64
import json
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
import zstandard
from numpy.typing import NDArray

Run = tuple[int, int, int, int, int]  # z, start, length, old, new


def read_mask_container(data: bytes) -> tuple[dict[str, NDArray[np.uint8]], dict[str, Any]]:
    """Layers (uint8 zyx) and header of GGM1 bytes: magic, u32 header length, JSON header, zstd frames."""
    assert data[:4] == b"GGM1"
    (length,) = struct.unpack_from("<I", data, 4)
    header = json.loads(data[8 : 8 + length])
    frames = data[8 + length :]
    nz, ny, nx = header["shape_zyx"]
    layers = {name: np.zeros((nz, ny, nx), np.uint8) for name in ("anatomy", "findings")}
    for frame in header["frames"]:
        packed = frames[frame["offset"] : frame["offset"] + frame["length"]]
        raw = zstandard.ZstdDecompressor().decompress(packed, max_output_size=ny * nx)
        layers[frame["layer"]][frame["z"]] = np.frombuffer(raw, np.uint8).reshape(ny, nx)
    return layers, header


def read_delta(data: bytes) -> Iterator[Run]:
    """Runs of GGD1 bytes: magic, varint slices; each varint z step, varint runs; each gap, length, old, new."""
    assert data[:4] == b"GGD1"
    at = 4

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    z = 0
    for _ in range(varint()):
        z, end = z + varint(), 0
        for _ in range(varint()):
            start, length = end + varint(), varint()
            end = start + length
            yield z, start, length, data[at], data[at + 1]
            at += 2
    assert at == len(data), "bytes are left over"


def replay(layers: dict[str, NDArray[np.uint8]], strokes: list[dict[str, Any]]) -> dict[str, NDArray[np.uint8]]:
    """The layers after a list of strokes as the API gives them, each run checked against what it says was there."""
    after = {name: layer.copy() for name, layer in layers.items()}
    for stroke in strokes:
        if not stroke.get("applied", True):
            continue
        layer = after[stroke["layer"]]
        rows = layer.reshape(layer.shape[0], -1)
        for z, start, length, old, new in read_delta(base64.b64decode(stroke["payload"])):
            here = rows[z, start : start + length]
            assert len(here) == length
            assert (here == old).all(), "a run does not fit the mask it was painted on"
            here[:] = new
    return after
