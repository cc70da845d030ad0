"""Contours filled at voxel centres: against geometry, against scikit-image, with holes and keyholes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.measure import grid_points_in_poly

from inference.imaging.polygons import ON_OUTLINE, filled

SHAPE = (40, 50)
Y, X = np.mgrid[: SHAPE[0], : SHAPE[1]].astype(float)


def circle(x: float, y: float, radius: float, corners: int = 720, turn: float = 0.0) -> np.ndarray:
    angles = np.linspace(0, 2 * np.pi, corners, endpoint=False) + turn
    return np.column_stack((x + radius * np.cos(angles), y + radius * np.sin(angles)))


def square(low: float, high: float) -> np.ndarray:
    return np.array([(low, low), (high, low), (high, high), (low, high)])


def distance(x: float, y: float) -> np.ndarray:
    return np.hypot(X - x, Y - y)


def test_a_disc_is_the_voxels_whose_centres_lie_in_it() -> None:
    for x, y, radius in ((20.3, 18.6, 11.37), (25.0, 20.0, 7.0), (24.5, 19.5, 0.9)):
        beyond = distance(x, y) - radius
        disc = filled([circle(x, y, radius, 20_000)], SHAPE)
        assert disc[beyond <= 1e-4].all()
        assert not disc[beyond > ON_OUTLINE].any()


def test_an_ellipse_turned_the_other_way_round_is_the_same() -> None:
    points = circle(0, 0, 1, 20_000) * (15.2, 7.7) + (22.4, 19.1)
    beyond = ((X - 22.4) / 15.2) ** 2 + ((Y - 19.1) / 7.7) ** 2 - 1
    for drawn in (points, points[::-1]):
        ellipse = filled([drawn], SHAPE)
        assert ellipse[beyond <= 0].all()
        assert not ellipse[beyond > 2 * ON_OUTLINE / 7.7].any()


def test_a_square_between_the_centres_has_its_area() -> None:
    assert filled([square(4.5, 14.5)], SHAPE).sum() == 100


def test_a_square_through_the_centres_owns_them() -> None:
    expected = (X >= 4) & (X <= 14) & (Y >= 4) & (Y <= 14)
    assert np.array_equal(filled([square(4, 14)], SHAPE), expected)


def test_a_contour_in_a_contour_is_a_hole_and_in_that_an_island() -> None:
    rings = [circle(25, 20, r, 20_000) for r in (15.3, 10.2, 4.1)]
    d = distance(25, 20)
    clear = np.min([np.abs(d - radius) for radius in (15.3, 10.2, 4.1)], axis=0) > ON_OUTLINE
    expected = ((d <= 15.3) & (d > 10.2)) | (d <= 4.1)
    assert clear.mean() > 0.99
    assert np.array_equal(filled(rings, SHAPE)[clear], expected[clear])


def test_a_keyhole_is_a_hole() -> None:
    outer, inner = circle(25, 20, 15.3, 2000), circle(25, 20, 7.2, 2000)[::-1]
    keyhole = np.vstack((outer, outer[:1], inner[-1:], inner[:-1], inner[-1:]))
    apart = filled([outer, inner], SHAPE)
    one = filled([keyhole], SHAPE)
    channel = (Y == 20) & (X >= 25 + 7)
    assert np.array_equal(one | channel, apart | channel)
    assert not one[20, 25]


def test_two_overlapping_contours_are_joined_by_even_and_odd() -> None:
    one, other = square(4.5, 14.5), square(9.5, 19.5)
    assert filled([one, other], SHAPE).sum() == 100 + 100 - 2 * 25


def test_what_lies_outside_the_slice_is_cut_off() -> None:
    assert np.array_equal(filled([circle(0, 0, 10.52, 20_000)], SHAPE), distance(0, 0) <= 10.52)
    assert filled([square(-100.5, 200.5)], SHAPE).all()
    assert not filled([square(60, 70)], SHAPE).any()


def test_a_line_without_area_owns_the_centres_that_it_passes() -> None:
    line = filled([np.array([(3.0, 5.0), (9.0, 5.0), (6.0, 5.0)])], SHAPE)
    assert np.array_equal(np.argwhere(line), [(5, x) for x in range(3, 10)])


coordinates = st.floats(-5, 55, allow_nan=False)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(coordinates, coordinates), min_size=3, max_size=12))
def test_any_polygon_is_filled_as_scikit_image_fills_it(points: list[tuple[float, float]]) -> None:
    polygon = np.array(points)
    theirs = grid_points_in_poly(SHAPE, polygon[:, ::-1], binarize=False)
    ours = filled([polygon], SHAPE)
    # Where a centre lies on the outline or very near, both may say what they like.
    following = np.roll(polygon, -1, axis=0)
    near = np.zeros(SHAPE, dtype=bool)
    for (x0, y0), (x1, y1) in zip(polygon, following, strict=True):
        length = max((x1 - x0) ** 2 + (y1 - y0) ** 2, 1e-12)
        along = np.clip(((X - x0) * (x1 - x0) + (Y - y0) * (y1 - y0)) / length, 0, 1)
        near |= np.hypot(X - x0 - along * (x1 - x0), Y - y0 - along * (y1 - y0)) < 0.02
    assert np.array_equal(ours[~near], (theirs == 1)[~near])


@pytest.mark.parametrize("seed", range(20))
def test_outlines_drawn_through_the_outermost_voxels_give_the_mask_back(seed: int) -> None:
    """A convex mask and its outline through voxel centres, as structure sets are often made from masks."""
    from scipy.spatial import ConvexHull

    random = np.random.default_rng(seed)
    corners = random.integers(3, 37, (12, 2)).astype(float)
    hull = ConvexHull(corners)
    outline = corners[hull.vertices]
    inside = np.all(hull.equations[:, :2] @ np.stack((X.ravel(), Y.ravel())) + hull.equations[:, 2:] <= 1e-9, axis=0)
    # A centre up to 0.01 voxels outside counts as on the outline.
    near = np.all(hull.equations[:, :2] @ np.stack((X.ravel(), Y.ravel())) + hull.equations[:, 2:] <= 0.011, axis=0)
    ours = filled([outline], SHAPE)
    assert ours[inside.reshape(SHAPE)].all()
    assert not ours[~near.reshape(SHAPE)].any()


def test_many_edges_are_filled_within_bounded_memory() -> None:
    zigzag = np.column_stack((np.linspace(0, 49, 40_001), np.tile((0.25, 39.75), 20_001)[:40_001]))
    assert filled([zigzag], SHAPE).shape == SHAPE
