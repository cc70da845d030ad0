"""Presence of lesion by slice: areas under the curve by hand."""

import numpy as np
import pytest

from inference.measures.presence import presence


def test_the_area_counts_pairs_and_halves_ties() -> None:
    # Pairs (positive, negative): 3>1, 3>2, 2>1, 2=2: 3.5 of 4.
    found = presence(np.array([1.0, 2.0, 2.0, 3.0]), np.array([False, False, True, True]), threshold=1.5)
    assert found.auc == pytest.approx(3.5 / 4)
    assert (found.sensitivity, found.specificity) == (1.0, 0.5)
    assert (found.positive, found.negative) == (2, 2)


def test_what_one_kind_alone_cannot_tell_is_undefined() -> None:
    healthy = presence(np.array([0.0, 1.0]), np.array([False, False]))
    assert (healthy.auc, healthy.sensitivity, healthy.specificity) == (None, None, 0.5)
    with pytest.raises(ValueError, match="one score and one truth"):
        presence(np.zeros(2), np.zeros(3, bool))
