"""Uncertainty of a draft: by hand, at its ends, and in its order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from inference.measures.uncertainty import dice_uncertainty, smoothing_voxels


def test_it_is_what_the_formula_says_by_hand() -> None:
    probability = np.array([[0.9, 0.8, 0.4, 0.0]], np.float32)
    # sum(p m) = 1.7, sum(p) = 2.1, sum(m) = 2, s = 1: 1 - 4.4 / 5.1
    assert dice_uncertainty(probability, probability > 0.5, 1.0) == pytest.approx(1 - 4.4 / 5.1)


def test_certain_and_empty_scans_are_sure() -> None:
    certain = np.array([1.0, 1.0, 0.0])
    assert dice_uncertainty(certain, certain > 0.5, 10) == 0.0
    assert dice_uncertainty(np.zeros(5), np.zeros(5, bool), 10) == 0.0


def test_doubt_far_from_any_mask_counts_less_than_a_millilitre_of_it() -> None:
    faint = np.full(100, 0.01, np.float16)
    assert dice_uncertainty(faint, faint > 0.5, 1000) < 0.01
    wide = np.full(1_000_000, 0.3, np.float16)
    assert dice_uncertainty(wide, wide > 0.5, 1000) > 0.99


def test_half_precision_is_summed_in_full() -> None:
    many = np.full(100_000, 0.75, np.float16)
    assert dice_uncertainty(many, many > 0.5, 1e-9) == pytest.approx(1 - 2 * 0.75 / 1.75, abs=1e-6)


@given(arrays(np.float32, (3, 4, 5), elements=st.floats(0, 1, width=32)), st.floats(0.001, 1e6))
def test_it_lies_between_sure_and_unsure(probability: np.ndarray, smoothing: float) -> None:
    assert 0 <= dice_uncertainty(probability, probability > 0.5, smoothing) < 1


def test_a_millilitre_is_as_many_voxels_as_it_holds() -> None:
    assert smoothing_voxels(0.004) == pytest.approx(250)
    assert smoothing_voxels(None) == 10


def test_unlike_grids_and_senseless_smoothing_are_refused() -> None:
    with pytest.raises(ValueError, match="different grids"):
        dice_uncertainty(np.zeros(3), np.zeros(4, bool), 1)
    with pytest.raises(ValueError, match="above 0"):
        dice_uncertainty(np.zeros(3), np.zeros(3, bool), 0)
