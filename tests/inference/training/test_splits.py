"""Splits: patients stay together, every case validates once, epochs follow from their seed."""

import numpy as np
import pytest

from inference.training.augment import NONE, Augmentation, augmented
from inference.training.cases import TrainingCase
from inference.training.sampling import Sampler, steps_of
from inference.training.splits import LEAK, cross_validation, folds_of, whole


def case(name: str, patient: str, slices: int, bearing: int) -> TrainingCase:
    lesion = np.zeros((slices, 16, 16), np.uint8)
    lesion[:bearing, 4, 4] = 1
    return TrainingCase(name, patient, "made", np.zeros_like(lesion), lesion, None)


CASES = [case(f"a{n}", f"a{n}", 20 + 3 * n, 10) for n in range(8)] + [
    case("b1", "b", 5, 5),
    case("b2", "b", 30, 20),
    case("healthy", "healthy", 40, 0),
    case("mixed", "mixed", 15, 15),
]


@pytest.mark.parametrize("seed", range(5))
def test_every_patient_validates_in_one_fold_and_trains_in_no_split_that_it_judges(seed: int) -> None:
    splits = cross_validation(CASES, 4, seed, always=["mixed"])
    patients = {one.name: one.patient for one in CASES}
    validated = [name for split in splits for name in split.validate]
    assert sorted(validated) == sorted(set(patients) - {"mixed"})
    for split in splits:
        sides = [{patients[name] for name in side} for side in (split.train, split.tune, split.validate)]
        assert all(sides)
        assert not sides[0] & sides[1] | sides[0] & sides[2] | sides[1] & sides[2]
        assert sorted((*split.train, *split.tune, *split.validate)) == sorted(patients)
        assert "mixed" in split.train
        assert split.tune != ("healthy",)


def test_without_a_tuning_set_all_others_train() -> None:
    for split in (*cross_validation(CASES, 4, 0, tuning_share=0), whole(CASES, 0, tuning_share=0)):
        assert split.tune == ()
        assert sorted((*split.train, *split.validate)) == sorted(one.name for one in CASES)


def test_folds_are_of_about_one_size_and_follow_from_the_seed() -> None:
    folds = folds_of(CASES, 4, 0)
    slices = {one.name: len(one) for one in CASES}
    sizes = [sum(slices[name] for name in fold) for fold in folds]
    assert max(sizes) - min(sizes) <= max(slices.values())
    assert folds == folds_of(CASES, 4, 0)
    alike = [case(f"a{n}", f"a{n}", 10, 5) for n in range(8)]
    assert len({str(folds_of(alike, 4, seed)) for seed in range(5)}) > 1


def test_a_split_by_scan_may_part_a_patient_and_says_so() -> None:
    splits = [split for seed in range(6) for split in cross_validation(CASES, 4, seed, by="scan")]
    assert all(split.warnings == (LEAK,) for split in splits)
    assert any(("b1" in split.validate) != ("b2" in split.validate) for split in splits)


def test_what_cannot_be_split_is_refused_in_a_sentence() -> None:
    with pytest.raises(ValueError, match="1 patients cannot be split into 2 folds"):
        folds_of(CASES[8:10], 2, 0)
    with pytest.raises(ValueError, match="too few patients"):
        whole(CASES[:1], 0)
    with pytest.raises(ValueError, match="No case to tune on has lesion"):
        whole([case("x", "x", 4, 0), case("y", "y", 4, 0)], 0)
    assert whole(CASES, 0).validate == ()


def test_an_epoch_has_every_positive_and_as_many_negatives() -> None:
    sampler = Sampler(CASES, seed=3)
    epochs = [sampler.epoch(n) for n in range(3)]
    positives = {(n, z) for n, one in enumerate(CASES) for z in np.flatnonzero(one.lesion.any(axis=(1, 2)))}
    for epoch in epochs:
        places = {tuple(place) for place in epoch.places.tolist()}
        assert len(places) == len(epoch.places) == 2 * len(positives)
        assert positives <= places
        assert epoch.remark == ""
    assert not np.array_equal(epochs[0].places, epochs[1].places)
    assert np.array_equal(epochs[1].places, Sampler(CASES, seed=3).epoch(1).places)
    assert not np.array_equal(epochs[1].places, Sampler(CASES, seed=4).epoch(1).places)


def test_too_few_negatives_are_all_taken_and_it_is_said() -> None:
    epoch = Sampler([case("x", "x", 10, 8)], seed=0).epoch(0)
    assert len(epoch.places) == 10
    assert epoch.remark == "8 slices without lesion were wanted and there are 2: all were taken."


def test_processes_together_hold_what_one_alone_would() -> None:
    places = np.stack([np.arange(10), np.arange(10)], axis=1)
    alone = steps_of(places, 0, 1, 4)
    assert [len(step) for step in alone] == [4, 4, 4]
    assert alone[2].tolist() == [[8, 8], [9, 9], [0, 0], [1, 1]]
    shares = [steps_of(places, rank, 2, 4) for rank in range(2)]
    for step, one, two in zip(alone, *shares, strict=True):
        assert len(one) == len(two) == 2
        assert sorted(np.concatenate([one, two]).tolist()) == sorted(step.tolist())
    assert [len(step) for step in steps_of(places[:1], 0, 1, 4)] == [4]
    assert steps_of(places[:0], 0, 1, 4) == []
    with pytest.raises(ValueError, match="cannot be shared evenly"):
        steps_of(places, 0, 3, 4)


def test_augmentation_moves_slice_and_masks_alike_and_repeats_itself() -> None:
    y, x = np.ogrid[:64, :64]
    disc = ((y - 26) ** 2 + (x - 40) ** 2 < 100).astype(np.uint8)
    shape = Augmentation(gamma=0, contrast=0, brightness=0, noise=0, blur_px=0, sharpen=0)
    moved = []
    for seed in range(20):
        image, (mask,) = augmented(disc * 255, (disc,), shape, np.random.default_rng(seed))
        assert ((image > 127) == (mask > 0)).mean() > 0.99
        assert set(np.unique(mask)) <= {0, 1}
        moved.append(np.argwhere(mask).mean(axis=0))
        again, _ = augmented(disc * 255, (disc,), shape, np.random.default_rng(seed))
        assert np.array_equal(again, image)
    assert np.std(moved, axis=0).min() > 1


def test_augmentation_of_grey_alone_leaves_masks_be() -> None:
    image, mask = np.full((32, 32), 120, np.uint8), np.eye(32, dtype=np.uint8)
    grey = Augmentation(mirror=0, rotation_degrees=0, scale=0, shift=0)
    changed, (same,) = augmented(image, (mask,), grey, np.random.default_rng(1))
    assert np.array_equal(same, mask)
    assert not np.array_equal(changed, image)
    assert augmented(image, (mask,), NONE, np.random.default_rng(1))[0] is image
