"""Voxel deltas: what goes in comes out, and nothing else is believed."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.imaging import delta as codec
from inference.imaging.delta import (
    MAGIC,
    DeltaConflict,
    DeltaError,
    SliceRuns,
    apply_delta,
    apply_runs,
    decode_delta,
    delta_between,
    encode_delta,
    invert_runs,
    slice_runs,
)

SHAPE = (4, 5, 7)
masks = st.binary(min_size=140, max_size=140).map(
    lambda raw: (np.frombuffer(raw, dtype=np.uint8) % 3).reshape(SHAPE).copy()
)


@pytest.fixture(scope="module", autouse=True, params=[(1 << 40, 1 << 20), (0, 1 << 20), (0, 5)])
def way_of_reading(request: pytest.FixtureRequest) -> Iterator[None]:
    """Number by number, all numbers at once, and those in blocks of a few bytes: every test holds for each."""
    kept = codec.MANY_BYTES, codec.BLOCK_BYTES
    codec.MANY_BYTES, codec.BLOCK_BYTES = request.param
    yield
    codec.MANY_BYTES, codec.BLOCK_BYTES = kept


def runs(z: int, *rows: tuple[int, int, int, int]) -> SliceRuns:
    start, length, old, new = np.array(rows, dtype=np.int64).T
    return SliceRuns(z, start, length, old.astype(np.uint8), new.astype(np.uint8))


@given(masks, masks)
@settings(max_examples=100, deadline=None)
def test_a_delta_takes_one_mask_to_the_other_and_its_inverse_takes_it_back(old: np.ndarray, new: np.ndarray) -> None:
    delta = delta_between(old, new)
    if not delta:
        assert np.array_equal(old, new)
        return
    payload = encode_delta(delta)
    assert decode_delta(payload, SHAPE) == delta
    work = old.copy()
    apply_delta(work, delta)
    assert np.array_equal(work, new)
    apply_delta(work, invert_runs(delta))
    assert np.array_equal(work, old)
    assert encode_delta(invert_runs(delta)) == encode_delta(delta_between(new, old))


@given(st.binary(min_size=140, max_size=140), st.binary(min_size=140, max_size=140))
@settings(max_examples=100, deadline=None)
def test_labels_of_any_byte_come_back(old: bytes, new: bytes) -> None:
    delta = delta_between(*(np.frombuffer(raw, dtype=np.uint8).reshape(SHAPE) for raw in (old, new)))
    if delta:
        assert decode_delta(encode_delta(delta), SHAPE) == delta


def test_long_numbers_come_back() -> None:
    shape = (300, 1000, 1000)
    delta = [runs(0, (999_999, 1, 7, 0)), runs(299, (130, 20_000, 1, 2), (700_000, 300_000, 0, 3))]
    payload = encode_delta(delta)
    assert decode_delta(payload, shape) == delta
    with pytest.raises(DeltaError, match="beyond slice 1"):
        decode_delta(payload, (300, 1000, 999))


@given(st.binary(max_size=60))
@settings(max_examples=300, deadline=None)
def test_hostile_bytes_are_refused_or_are_exactly_what_we_would_write(noise: bytes) -> None:
    for payload in (noise, MAGIC + noise):
        try:
            delta = decode_delta(payload, SHAPE)
        except DeltaError:
            continue
        assert encode_delta(delta) == payload


@given(masks, masks, st.integers(0, 10_000), st.integers(0, 255))
@settings(max_examples=150, deadline=None)
def test_a_changed_byte_never_reaches_beyond_the_mask(old: np.ndarray, new: np.ndarray, at: int, value: int) -> None:
    delta = delta_between(old, new)
    if not delta:
        return
    payload = bytearray(encode_delta(delta))
    payload[at % len(payload)] = value
    try:
        decoded = decode_delta(bytes(payload), SHAPE)
    except DeltaError:
        return
    assert encode_delta(decoded) == bytes(payload)
    assert all(found.z < SHAPE[0] and (found.start + found.length).max() <= 35 for found in decoded)


def test_known_bytes() -> None:
    delta = [runs(1, (3, 2, 0, 1), (200, 1, 2, 0))]
    assert encode_delta(delta) == MAGIC + bytes([1, 1, 2, 3, 2, 0, 1, 0xC3, 0x01, 1, 2, 0])


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (b"", "not a voxel delta"),
        (b"GGD2\x01", "not a voxel delta"),
        (MAGIC, "middle of a number"),
        (MAGIC + bytes([0]), "names 0 slices"),
        (MAGIC + bytes([5, 0]), "names 5 slices"),
        (MAGIC + bytes([1, 4, 1, 0, 1, 0, 1]), "names slice 5"),
        (MAGIC + bytes([1, 0, 0]), "does not hold 0 runs"),
        (MAGIC + bytes([1, 0, 9, 0, 1, 0, 1]), "does not hold 9 runs"),
        (MAGIC + bytes([1, 0, 1, 0, 0, 0, 1]), "beyond slice"),
        (MAGIC + bytes([1, 0, 1, 34, 2, 0, 1]), "beyond slice"),
        (MAGIC + bytes([1, 0, 1, 0, 1, 1, 1]), "changes nothing"),
        (MAGIC + bytes([1, 0, 2, 0, 1, 0, 1, 0, 1, 0, 1]), "should be one"),
        (MAGIC + bytes([2, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1]), "must ascend"),
        (MAGIC + bytes([1, 0, 1, 0, 1, 0, 1, 7]), "after the end"),
        (MAGIC + bytes([0x81, 0x00, 0, 1, 0, 1, 0, 1]), "shortest form"),
        (MAGIC + bytes([0xFF] * 9), "too large"),
        (MAGIC + bytes([1, 0, 1, 0, 0x81, 0x80, 0x01, 0]), "middle of a run"),
    ],
)
def test_malformed_bytes_are_refused_with_a_sentence(payload: bytes, words: str) -> None:
    with pytest.raises(DeltaError, match=words):
        decode_delta(payload, SHAPE)


def test_an_empty_delta_is_refused() -> None:
    with pytest.raises(DeltaError, match="changes nothing"):
        encode_delta([])
    same = np.zeros((5, 7), dtype=np.uint8)
    assert slice_runs(0, same, same) is None


@pytest.mark.parametrize(
    "delta",
    [
        [runs(1, (0, 1, 0, 1)), runs(1, (3, 1, 0, 1))],
        [runs(0, (0, 2, 0, 1), (1, 2, 0, 1))],
        [runs(0, (0, 2, 0, 1), (2, 2, 0, 1))],
        [runs(0, (0, 0, 0, 1))],
        [runs(0, (0, 1, 4, 4))],
    ],
)
def test_what_is_not_canonical_is_not_encoded(delta: list[SliceRuns]) -> None:
    with pytest.raises(DeltaError):
        encode_delta(delta)


def test_a_conflict_changes_nothing() -> None:
    mask = np.zeros((5, 7), dtype=np.uint8)
    mask[0, 1] = 9
    before = mask.copy()
    with pytest.raises(DeltaConflict, match="1 of 3 voxels on slice 1"):
        apply_runs(mask, runs(0, (0, 3, 0, 1)))
    assert np.array_equal(mask, before)
    with pytest.raises(DeltaError):
        apply_runs(mask, runs(0, (34, 2, 0, 1)))


def test_a_whole_delta_is_applied_or_none_of_it() -> None:
    mask = np.zeros(SHAPE, dtype=np.uint8)
    with pytest.raises(DeltaConflict):
        apply_delta(mask, [runs(0, (0, 3, 0, 1)), runs(1, (0, 3, 5, 1))])
    assert not mask.any()
