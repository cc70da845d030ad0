"""Overlap of two masks, by hand."""

import numpy as np
import pytest

from inference.measures.overlap import dice, ppv, sensitivity


def test_overlap_counted_by_hand() -> None:
    mask = np.array([1, 1, 1, 0, 0, 0])
    reference = np.array([0, 2, 2, 2, 2, 0])
    assert dice(mask, reference) == pytest.approx(4 / 7)
    assert sensitivity(mask, reference) == pytest.approx(2 / 4)
    assert ppv(mask, reference) == pytest.approx(2 / 3)


def test_empty_masks_are_undefined_never_perfect() -> None:
    empty, some = np.zeros(3, dtype=bool), np.array([True, False, False])
    assert dice(empty, empty) is None
    assert dice(empty, some) == 0.0
    assert sensitivity(some, empty) is None
    assert ppv(empty, some) is None


def test_masks_of_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError):
        dice(np.zeros(3), np.zeros(4))
