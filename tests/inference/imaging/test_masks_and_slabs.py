"""Stored slices, mask containers and slabs."""

import json
import struct

import numpy as np
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.imaging.masks import (
    Frame,
    MaskError,
    decode_slice,
    encode_slice,
    read_container,
    slice_sha256,
    write_container,
)
from inference.imaging.slabs import SlabError, decode_slab, encode_slab, slab_ranges


def test_a_slice_comes_back_and_may_be_painted_on() -> None:
    plane = np.arange(35, dtype=np.uint8).reshape(5, 7)
    again = decode_slice(encode_slice(plane), (5, 7))
    assert np.array_equal(again, plane)
    again[0, 0] = 9
    assert slice_sha256(plane) == slice_sha256(np.asfortranarray(plane)) != slice_sha256(again)


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"not zstd at all",
        encode_slice(np.zeros((5, 7), dtype=np.uint8))[:-2],
        encode_slice(np.zeros((5, 7), dtype=np.uint8)) + b"more",
        encode_slice(np.zeros((5, 8), dtype=np.uint8)),
        zstandard.ZstdCompressor(write_content_size=False).compress(b"\0" * 35),
        zstandard.ZstdCompressor().compress(b"\0" * 100_000_000),
    ],
    ids=["empty", "text", "cut", "trailing", "larger", "size not said", "bomb"],
)
def test_frames_that_are_not_one_slice_are_refused(frame: bytes) -> None:
    with pytest.raises(MaskError):
        decode_slice(frame, (5, 7))


def test_a_container_gives_both_layers_back() -> None:
    anatomy = np.zeros((3, 5, 7), dtype=np.uint8)
    findings = anatomy.copy()
    anatomy[1, 2, 3], findings[0, 0, 0], findings[2] = 2, 1, 3
    frames = [Frame("findings", z, encode_slice(findings[z])) for z in (2, 0)]
    frames.append(Frame("anatomy", 1, encode_slice(anatomy[1])))
    payload = write_container(shape_zyx=(3, 5, 7), stroke_sequence=8, head_hash="ab" * 32, frames=frames)
    mask = read_container(payload)
    assert np.array_equal(mask.anatomy, anatomy)
    assert np.array_equal(mask.findings, findings)
    assert (mask.stroke_sequence, mask.head_hash) == (8, "ab" * 32)
    (length,) = struct.unpack_from("<I", payload, 4)
    listed = json.loads(payload[8 : 8 + length])["frames"]
    assert [(frame["layer"], frame["z"]) for frame in listed] == [("anatomy", 1), ("findings", 0), ("findings", 2)]


@pytest.mark.parametrize("payload", [b"", b"GGM1", b"GGM1\xff\xff\xff\x7f{}", b"GGM1\x02\0\0\0{}", b"GGM2\x02\0\0\0{}"])
def test_broken_containers_are_refused(payload: bytes) -> None:
    with pytest.raises(MaskError):
        read_container(payload)


@given(st.binary(min_size=2 * 24, max_size=2 * 24))
@settings(max_examples=100, deadline=None)
def test_any_slab_comes_back(raw: bytes) -> None:
    voxels = np.frombuffer(raw, dtype=np.int16).reshape(2, 3, 4)
    assert np.array_equal(decode_slab(encode_slab(voxels), (2, 3, 4)), voxels)


def test_a_slab_is_zigzag_deltas_in_byte_planes() -> None:
    voxels = np.array([[[-1000, -999, -1001]]], dtype=np.int16)
    raw = zstandard.ZstdDecompressor().decompress(encode_slab(voxels))
    zigzag = [1999, 2, 3]
    assert raw == bytes([n & 0xFF for n in zigzag] + [n >> 8 for n in zigzag])


def test_a_slab_of_another_shape_is_refused() -> None:
    frame = encode_slab(np.zeros((2, 3, 4), dtype=np.int16))
    for shape in ((2, 3, 5), (1, 3, 4)):
        with pytest.raises(SlabError):
            decode_slab(frame, shape)


def test_slabs_cover_every_slice_once() -> None:
    assert list(slab_ranges(23)) == [(0, 10), (10, 10), (20, 3)]
    assert list(slab_ranges(1)) == [(0, 1)]
