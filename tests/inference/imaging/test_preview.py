"""Previews: means of blocks, on the right place, small enough."""

import itertools

import numpy as np
import pytest

from inference.imaging.preview import encoded_preview, preview_of
from inference.imaging.slabs import decode_slab
from inference.imaging.volume import Volume
from inference.phantoms import make_phantom

OBLIQUE = np.array([[0.7, 0.1, 0, -50], [-0.1, 0.7, 0, 20], [0, 0, 5, 300], [0, 0, 0, 1]], dtype=np.float64)


@pytest.mark.parametrize("block", [(1, 1, 1), (2, 3, 4), (3, 2, 5), (20, 20, 20)])
def test_each_voxel_is_the_mean_of_its_block(block):
    hu = np.random.default_rng(1).integers(-1024, 3000, (7, 9, 11)).astype(np.int16)
    preview = preview_of(Volume(hu, OBLIQUE), block)
    assert preview.hu.dtype == np.int16
    assert preview.hu.shape == tuple(-(-n // b) for n, b in zip(hu.shape, block, strict=True))
    for place in itertools.product(*map(range, preview.hu.shape)):
        box = tuple(slice(at * b, at * b + b) for at, b in zip(place, block, strict=True))
        assert preview.hu[place] == np.rint(hu[box].astype(np.float64).mean())


def test_a_whole_block_lies_at_the_mean_position_of_its_voxels():
    volume = Volume(np.zeros((6, 6, 8), np.int16), OBLIQUE)
    preview = preview_of(volume, (2, 3, 4))
    corners = [OBLIQUE @ np.array([i, j, k, 1.0]) for i in range(4, 8) for j in range(3, 6) for k in range(2, 4)]
    np.testing.assert_allclose(preview.affine_lps @ np.array([1, 1, 1, 1.0]), np.mean(corners, axis=0))


def test_a_large_noisy_scan_fits_and_thick_slices_are_kept():
    phantom = make_phantom(2, shape_zyx=(60, 320, 320), spacing_zyx_mm=(5.0, 1.0, 1.0), noise_hu=60)
    content, preview = encoded_preview(phantom.volume)
    assert len(content) <= 1_500_000
    assert preview.hu.shape[0] == 60
    np.testing.assert_array_equal(decode_slab(content, preview.hu.shape), preview.hu)


def test_what_does_not_fit_is_made_coarser():
    phantom = make_phantom(2, shape_zyx=(40, 64, 64), spacing_zyx_mm=(5.0, 5.0, 5.0))
    content, preview = encoded_preview(phantom.volume, largest_bytes=4000)
    assert len(content) <= 4000
    assert preview.hu.size < phantom.volume.hu.size / 8
    whole, same = encoded_preview(phantom.volume)
    np.testing.assert_array_equal(same.hu, phantom.volume.hu)
    assert len(whole) <= 1_500_000
