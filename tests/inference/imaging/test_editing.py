"""Stored slices edited by a delta: the same as the plain arrays, in few slices and in many side by side."""

import numpy as np
import pytest

from inference.imaging.delta import DeltaConflict, apply_delta, delta_between
from inference.imaging.editing import FEW_SLICES, edit_slices
from inference.imaging.masks import decode_slice, encode_slice, slice_sha256


@pytest.mark.parametrize("slices", [2, 5 * FEW_SLICES])
def test_edited_frames_hold_the_edited_voxels_and_emptied_ones_nothing(slices: int) -> None:
    roll = np.random.default_rng(slices)
    old = roll.integers(0, 3, (slices, 9, 7), dtype=np.uint8)
    new = roll.integers(0, 3, (slices, 9, 7), dtype=np.uint8)
    new[1] = 0
    old[0] = 0
    frames = {z: encode_slice(old[z]) for z in range(slices) if old[z].any()}
    edited = edit_slices(frames, delta_between(old, new), (9, 7))
    assert [one.z for one in edited] == list(range(slices))
    for one in edited:
        if one.z == 1:
            assert (one.sha256, one.data) == ("", b"")
        else:
            assert one.sha256 == slice_sha256(new[one.z])
            np.testing.assert_array_equal(decode_slice(one.data, (9, 7)), new[one.z])


@pytest.mark.parametrize("slices", [2, 5 * FEW_SLICES])
def test_one_voxel_that_is_another_refuses_all(slices: int) -> None:
    old = np.zeros((slices, 4, 4), np.uint8)
    delta = delta_between(old, old + 1)
    frames = {slices - 1: encode_slice(np.eye(4, dtype=np.uint8))}
    with pytest.raises(DeltaConflict, match=f"4 of 16 voxels on slice {slices}"):
        edit_slices(frames, delta, (4, 4))
    apply_delta(old, delta)
