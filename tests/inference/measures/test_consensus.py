"""Several masks made one, voxel by voxel."""

import numpy as np
import pytest

from inference.measures.consensus import combine, patterns, staple


def of(*voxels: int) -> np.ndarray:
    return np.array([voxels], dtype=np.uint8)


A, B, C = of(0, 1, 1, 2, 0, 3), of(0, 1, 0, 1, 2, 3), of(0, 0, 0, 1, 0, 1)


@pytest.mark.parametrize(
    ("masks", "rule", "expected"),
    [
        ([A, B], "intersection", (0, 1, 0, 2, 0, 3)),  # where labels differ, the first one's
        ([B, A], "intersection", (0, 1, 0, 1, 0, 3)),
        ([A, B], "union", (0, 1, 1, 2, 2, 3)),
        ([A, B, C], "majority", (0, 1, 0, 1, 0, 3)),  # 2 1 1 is 1: most gave it
        ([A, B, C], "intersection", (0, 0, 0, 1, 0, 3)),
        ([A, B, C], "union", (0, 1, 1, 1, 2, 3)),
        ([A], "union", (0, 1, 1, 2, 0, 3)),
    ],
)
def test_consensus_by_hand(masks, rule, expected):
    np.testing.assert_array_equal(combine(masks, rule), of(*expected))


def test_what_is_no_consensus_is_refused():
    wrong = [([A, B], "majority"), ([A, B], "staple"), ([], "union"), ([A, of(1)], "union"), ([A, B], "mean"),
             ([A, B, C], "staple")]  # fmt: skip
    for masks, rule in wrong:
        with pytest.raises(ValueError, match=r"consensus|majority"):
            combine(masks, rule)


def readers_of(truth: np.ndarray, errors: list[tuple[float, float]], seed: int) -> list[np.ndarray]:
    """Readers who miss and add voxels at given rates."""
    rng = np.random.default_rng(seed)
    drawn = []
    for missed, added in errors:
        chance = rng.random(truth.shape)
        drawn.append(np.where(truth, chance >= missed, chance < added).astype(np.uint8))
    return drawn


@pytest.mark.parametrize("errors", [[(0.05, 0.01)] * 3, [(0.4, 0.001), (0.02, 0.02), (0.03, 0.05), (0.1, 0.01)]])
def test_staple_is_that_of_simpleitk(errors):
    import SimpleITK

    truth = np.zeros((12, 40, 40), bool)
    truth[3:9, 8:30, 10:28] = True
    drawn = readers_of(truth, errors, seed=len(errors))
    theirs = SimpleITK.GetArrayFromImage(SimpleITK.STAPLE([SimpleITK.GetImageFromArray(one) for one in drawn], 1.0))
    counts = np.bincount(patterns(drawn).ravel(), minlength=1 << len(drawn))
    ours = staple(counts)[patterns(drawn)]
    np.testing.assert_allclose(ours, theirs, atol=1e-4)
    found = combine(drawn, "staple", staple(counts))
    assert 2 * (found.astype(bool) & truth).sum() / (found.sum() + truth.sum()) > 0.97


def test_staple_of_nothing_and_of_everything():
    assert staple(np.array([10, 0, 0, 0])).tolist() == [0] * 4
    assert staple(np.array([0, 0, 0, 10])).tolist() == [1] * 4
    for wrong in (np.array([1, 2]), np.array([1, 2, 3])):
        with pytest.raises(ValueError, match="two readers"):
            staple(wrong)
