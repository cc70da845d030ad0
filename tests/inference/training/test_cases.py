"""Training cases: phantoms whose truth is known, the public sets where they are here."""

from pathlib import Path

import numpy as np
import pytest

from inference.phantoms import make_phantom
from inference.training.cases import TrainingCase, case_of_volume, phantom_cases
from inference.training.public_sets import (
    COVID20,
    INFECTED,
    MEDSEG,
    NORMAL,
    DataMissing,
    data_folder,
    infected_slices,
    patient_of,
    public_cases,
)
from inference.transforms import Look


def test_a_phantom_becomes_a_case_slice_by_slice() -> None:
    phantom = make_phantom(1, shape_zyx=(8, 64, 64), spacing_zyx_mm=(30.0, 5.0, 5.0))
    look = Look(kind="window", size=64)
    case = case_of_volume(
        "a", "p", "phantoms", phantom.volume, look, lesion=phantom.findings, lung=phantom.anatomy, slices=[5, 2]
    )
    assert np.array_equal(case.lesion, (phantom.findings[[5, 2]] > 0).astype(np.uint8))
    assert np.array_equal(case.lung, (phantom.anatomy[[5, 2]] > 0).astype(np.uint8))
    assert np.array_equal(case.images[1], look.of_hu(phantom.volume.hu[2]))
    assert np.array_equal(case.chosen([1]).images, case.images[1:])


def test_with_the_lung_alone_slices_without_lung_are_dropped() -> None:
    phantom = make_phantom(1, shape_zyx=(8, 64, 64), spacing_zyx_mm=(30.0, 5.0, 5.0))
    anatomy = phantom.anatomy.copy()
    anatomy[[0, 1, 4]] = 0
    look = Look(kind="window", size=64, lung_alone=True)
    case = case_of_volume("a", "p", "s", phantom.volume, look, lesion=phantom.findings, lung=anatomy)
    assert len(case) == anatomy.any(axis=(1, 2)).sum() == 4
    assert not case.images[case.lung == 0].any()
    with pytest.raises(ValueError, match="has no lung mask"):
        case_of_volume("a", "p", "s", phantom.volume, look, lesion=None, lung=None)


def test_layers_of_unlike_shape_are_refused() -> None:
    good = np.zeros((2, 16, 16), np.uint8)
    with pytest.raises(ValueError, match="must be uint8 of one shape"):
        TrainingCase("a", "p", "s", good, good[:1], None)


def test_every_third_phantom_is_healthy() -> None:
    cases = phantom_cases(3, Look(kind="window", size=64), slices=6)
    assert [bool(case.lesion.any()) for case in cases] == [True, True, False]
    assert len({case.patient for case in cases}) == 3


def test_data_that_is_missing_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GROUNDGLASS_DATA", raising=False)
    with pytest.raises(DataMissing, match="GROUNDGLASS_DATA is not set"):
        data_folder()
    monkeypatch.setenv("GROUNDGLASS_DATA", str(tmp_path / "gone"))
    with pytest.raises(DataMissing, match="which is no folder"):
        data_folder()
    with pytest.raises(DataMissing, match="has no covid20-slices"):
        public_cases(tmp_path, Look())


def test_studies_of_one_radiopaedia_patient_are_one_patient() -> None:
    names = ("radiopaedia_10_85902_1", "radiopaedia_10_85902_3", "radiopaedia_1_2_3", "coronacases_001")
    assert [patient_of(name) for name in names] == [
        "radiopaedia_10",
        "radiopaedia_10",
        "radiopaedia_1",
        "coronacases_001",
    ]


@pytest.mark.slow
def test_the_public_sets_are_read_whole(real_data: Path) -> None:
    cases = {case.name: case for case in public_cases(real_data, Look())}
    covid20 = [case for case in cases.values() if case.source == COVID20]
    assert (len(covid20), sum(map(len, covid20))) == (14, 1124)
    assert len({case.patient for case in covid20}) == 12
    # The set's own table gives the share of lung that is lesion.
    worst = cases["coronacases_003"]
    assert worst.lesion[worst.lung > 0].mean() == pytest.approx(0.32, abs=0.04)
    assert len(cases[MEDSEG]) == 100
    assert cases[MEDSEG].lesion.any(axis=(1, 2)).mean() > 0.9
    assert len(cases[NORMAL]) == 154
    infected = infected_slices(real_data, 148)
    assert len(cases[INFECTED]) == 148 - sum(infected)
    assert not cases[NORMAL].lesion.any()
    alone = public_cases(real_data, Look(kind="window", lung_alone=True))
    assert {case.source for case in alone} == {COVID20}
    assert all(case.lung.any(axis=(1, 2)).all() for case in alone)
