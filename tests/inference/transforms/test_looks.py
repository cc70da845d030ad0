"""Looks: equalisation as OpenCV defines it, windows in HU, masks to and fro."""

import math
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from inference.baseline import segment
from inference.imaging.formats import read_picture_masks, read_pictures
from inference.imaging.volume import Volume
from inference.segmenting.scans import read_scan
from inference.transforms import Look, LookRefused
from inference.transforms.clahe import equalise
from inference.transforms.looks import resized


def pixel_by_pixel(plane: np.ndarray, clip_limit: float, tiles: int) -> np.ndarray:
    """OpenCV's algorithm (modules/imgproc/src/clahe.cpp) in plain loops, before it rounds."""
    height, width = plane.shape[0] // tiles, plane.shape[1] // tiles
    total = height * width
    limit = max(int(clip_limit * total / 256), 1)
    tables = {}
    for ty in range(tiles):
        for tx in range(tiles):
            counts = [0] * 256
            for value in plane[ty * height : (ty + 1) * height, tx * width : (tx + 1) * width].ravel():
                counts[value] += 1
            clipped = sum(max(count - limit, 0) for count in counts)
            counts = [min(count, limit) + clipped // 256 for count in counts]
            residual, at = clipped % 256, 0
            step = max(256 // residual, 1) if residual else 1
            while residual and at < 256:
                counts[at] += 1
                at, residual = at + step, residual - 1
            sums = np.cumsum(counts)
            tables[ty, tx] = [min(int(np.rint(np.float32(s) * np.float32(255 / total))), 255) for s in sums]
    out = np.zeros(plane.shape)
    for y in range(plane.shape[0]):
        for x in range(plane.shape[1]):
            fy, fx = y / height - 0.5, x / width - 0.5
            y1, x1 = math.floor(fy), math.floor(fx)
            ya, xa = fy - y1, fx - x1
            ys, xs = (max(y1, 0), min(y1 + 1, tiles - 1)), (max(x1, 0), min(x1 + 1, tiles - 1))
            v = plane[y, x]
            upper = tables[ys[0], xs[0]][v] * (1 - xa) + tables[ys[0], xs[1]][v] * xa
            lower = tables[ys[1], xs[0]][v] * (1 - xa) + tables[ys[1], xs[1]][v] * xa
            out[y, x] = upper * (1 - ya) + lower * ya
    return out


@pytest.mark.parametrize(("clip_limit", "tiles"), [(7.0, 4), (2.0, 2), (40.0, 8)])
def test_equalisation_is_opencvs_pixel_by_pixel(clip_limit: float, tiles: int) -> None:
    random = np.random.default_rng(1)
    plane = np.clip(random.normal(90, 40, (64, 48)), 0, 255).astype(np.uint8)
    plane[:20] = 3
    # Halves may round either way in single precision.
    assert np.abs(equalise(plane, clip_limit, tiles) - pixel_by_pixel(plane, clip_limit, tiles)).max() <= 0.5001


def test_a_flat_slice_becomes_what_the_clipped_histogram_says() -> None:
    # 16 pixels a tile, limit 1: 15 are spread one each over every 17th grey, the 1st to the 15th of them. Grey 100
    # holds its own 1; below and at it lie the extras of 0, 17, 34, 51, 68, 85: 7 of 16, so 7 x 255 / 16 = 111.6.
    assert (equalise(np.full((8, 8), 100, np.uint8), 1.0, 2) == 112).all()


def test_the_lung_window_is_linear_in_hu_and_ends_at_its_edges() -> None:
    look = Look(kind="window", size=16)
    hu = np.array([-3024, -1350, -600, 0, 150, 3000], np.int16)
    grey = [int(look.of_hu(np.full((16, 16), value, np.int16))[0, 0]) for value in hu]
    assert grey == [0, 0, 128, 230, 255, 255]


def test_outside_the_lung_is_black_where_the_look_shows_the_lung_alone() -> None:
    look, lung = Look(kind="window", size=16, lung_alone=True), np.zeros((16, 16), bool)
    lung[4:8, 4:8] = True
    plane = np.full((16, 16), -600, np.int16)
    assert np.array_equal(look.of_hu(plane, lung) > 0, lung)
    assert np.array_equal(look.of_picture(np.full((16, 16), 90), lung) > 0, lung)
    with pytest.raises(ValueError, match="needs a lung mask"):
        look.of_hu(plane)


def test_padding_changes_nothing_of_the_equalised_look() -> None:
    random = np.random.default_rng(0)
    plane = random.integers(-1024, 400, (256, 256)).astype(np.int16)
    plane[:40] = -1024
    padded = plane.copy()
    padded[:40] = -3024
    assert np.array_equal(Look().of_hu(plane), Look().of_hu(padded))
    assert not Look().of_hu(np.full((64, 64), -3024, np.int16)).astype(int).std()


def test_masks_keep_their_area_on_the_way_there_and_back() -> None:
    y, x = np.ogrid[:512, :512]
    disc = (y - 200) ** 2 + (x - 300) ** 2 < 80**2
    small = Look().of_mask(disc)
    assert small.sum() * 4 == pytest.approx(disc.sum(), rel=0.01)
    back = resized(small.astype(np.float32), (512, 512)) > 0.5
    assert back.sum() == pytest.approx(disc.sum(), rel=0.01)
    assert (back & disc).sum() > 0.99 * disc.sum()


def test_other_shapes_are_shrunk_and_stretched_about_the_same_edges() -> None:
    ramp = np.broadcast_to(np.arange(100, dtype=np.float32), (20, 100))
    wide = resized(ramp, (40, 50))
    assert wide.shape == (40, 50)
    assert np.allclose(wide[7], np.arange(50) * 2 + 0.5)


def test_a_look_goes_through_its_card_and_unknown_ones_are_refused() -> None:
    look = Look(kind="window", size=512, lung_alone=True)
    assert Look.from_card(look.as_card()) == look
    for card, words in (
        ({"kind": "sepia"}, "no look 'sepia'"),
        ({"gamma": 2}, "does not know: 'gamma'"),
        ({"size": 100}, "multiple of 16"),
        ({"size": "256"}, "is none|wrong kind"),
        ({"width_hu": 0}, "make no sense"),
        ({"level_hu": math.nan}, "is none"),
    ):
        with pytest.raises(LookRefused, match=words):
            Look.from_card(card)


@pytest.mark.slow
def test_hu_scans_get_the_greys_of_the_public_slices(real_data: Path) -> None:
    """Deciles of grey in the lung and in the wall around it lie among those of the 8-bit cases, within 12 of 255."""
    theirs = []
    for case in sorted((real_data / "covid20-slices").glob("coronacases*")):
        pictures = read_pictures([(path.name, path) for path in (case / "ct").iterdir()]).volume
        lung = read_picture_masks([(path.name, path) for path in (case / "lung").iterdir()]).labels > 0
        theirs.append(greys(pictures.hu, lung))
    for name in ("ricord-001012-covid", "covidctmd-P001-covid", "covidctmd-normal001"):
        volume = read_scan(real_data / "dicom" / name).volume
        thin = Volume(volume.hu[::4].copy(), volume.affine_lps @ np.diag([1, 1, 4, 1]))
        lung = segment(thin).anatomy > 0
        slices = [z for z in range(len(lung)) if lung[z].sum() > 10000]
        look = Look()
        ours = greys(
            np.stack([look.of_hu(thin.hu[z]) for z in slices]), np.stack([look.of_mask(lung[z]) for z in slices])
        )
        low, high = np.min(theirs, axis=0), np.max(theirs, axis=0)
        assert (ours > low - 12).all(), name
        assert (ours < high + 12).all(), name


def greys(pictures: np.ndarray, lung: np.ndarray) -> np.ndarray:
    deciles = np.arange(10, 100, 20)
    wall = ndimage.binary_dilation(lung, np.ones((1, 3, 3)), iterations=8) & ~lung
    return np.concatenate([np.percentile(pictures[where], deciles) for where in (lung, wall)])
