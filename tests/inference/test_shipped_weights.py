"""The weights that ship: they fit their cards, say what they are, and hold on phantoms and on volumes of any kind."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inference.imaging.volume import Volume
from inference.measures.overlap import dice
from inference.networks.weights import load_weights
from inference.phantoms import make_phantom
from inference.phantoms.chest import CONSOLIDATION, Lesion, dense_lesions
from inference.predict import Predictor
from inference.segmenting.algorithms import DEFAULT, SHIPPED, names

LARGEST_BYTES = 16 * 1000 * 1000
CARDS = sorted(SHIPPED.glob("*.json"))


def silent(fraction: float, what: str) -> None:
    pass


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return Predictor(SHIPPED / f"{DEFAULT}.json", "cpu")


def test_the_algorithm_that_is_taken_where_none_is_named_ships() -> None:
    assert DEFAULT in names()
    assert [path.stem for path in CARDS] == [name for name in names() if name != "classical-baseline"]
    assert sum(path.stat().st_size for path in SHIPPED.glob("*.safetensors")) <= LARGEST_BYTES


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.stem)
def test_shipped_weights_fit_their_card_and_say_what_they_are(path: Path) -> None:
    card, _ = load_weights(path)
    assert card.name == path.stem
    assert "non-commercial" in card.licence, "the sets that they were trained on are"
    figures = card.metrics["cross_validation"]
    validated = [case["case"] for case in figures["cases"]]
    assert len(validated) == len(set(validated))
    assert figures["lesion_dice"]["cases"] == len(validated)
    trained = {one["case"] for one in card.training["scans"]}
    assert set(validated) <= trained, "what ships was trained on all of them, and a site must know its scans again"
    for name in ("curves", "cross-validation", "patterns"):
        with Image.open(path.with_name(f"{path.stem}-{name}.png")) as picture:
            picture.verify()


def test_the_model_card_in_words_has_the_figures_of_the_card() -> None:
    words = (SHIPPED / "README.md").read_text(encoding="utf-8")
    for path in CARDS:
        card = json.loads(path.read_text(encoding="utf-8"))
        for name in ("lung_dice", "lesion_dice"):
            figure = card["metrics"]["cross_validation"][name]
            assert f"{figure['mean']:.3f} ± {figure['sd']:.3f}" in words, f"{path.stem}: {name}"
        for case in card["metrics"]["cross_validation"]["cases"]:
            assert re.search(rf"{re.escape(case['case'])} .*{case['lesion_dice']:.3f}", words), case["case"]


def test_lungs_and_lesions_of_a_phantom_are_found(predictor: Predictor) -> None:
    phantom = make_phantom(101, shape_zyx=(40, 192, 192), spacing_zyx_mm=(7.0, 1.87, 1.87), padding_hu=-3024)
    found = predictor.segment(phantom.volume, silent)
    assert dice(found.anatomy == 1, phantom.anatomy == 1) > 0.95
    assert dice(found.anatomy == 2, phantom.anatomy == 2) > 0.95
    assert dice(found.findings > 0, phantom.findings > 0) > 0.6


def test_dense_lung_stays_in_the_lung(predictor: Predictor) -> None:
    phantom = make_phantom(
        102,
        shape_zyx=(40, 192, 192),
        spacing_zyx_mm=(7.0, 1.87, 1.87),
        lesions=dense_lesions(np.random.default_rng(102)),
    )
    found = predictor.segment(phantom.volume, silent)
    dense = phantom.findings == CONSOLIDATION
    assert dense.sum() > 1000
    assert (found.anatomy[dense] > 0).mean() > 0.85
    assert dice(found.anatomy > 0, phantom.anatomy > 0) > 0.95


@pytest.mark.parametrize("hu", [-1000, 0], ids=["air", "water"])
@pytest.mark.parametrize("shape", [(3, 64, 64), (1, 512, 512), (20, 40, 90)])
def test_scans_without_a_chest_give_empty_masks(predictor: Predictor, hu: int, shape: tuple[int, int, int]) -> None:
    found = predictor.segment(Volume(np.full(shape, hu, np.int16), np.diag([1.0, 1.0, 1.0, 1.0])), silent)
    assert found.anatomy.shape == shape
    assert not found.anatomy.any()
    assert not found.findings.any()


@pytest.mark.parametrize(
    ("shape", "spacing"),
    [((1, 192, 192), (280.0, 1.87, 1.87)), ((12, 160, 256), (23.0, 2.25, 1.4))],
    ids=["one slice", "oblong pixels, thick slices"],
)
def test_odd_volumes_are_segmented(
    predictor: Predictor, shape: tuple[int, int, int], spacing: tuple[float, float, float]
) -> None:
    lesions = [Lesion((0.0, 0.2, side * 0.45), (0.4, 0.16, 0.14), -550, 1) for side in (1, -1)]
    phantom = make_phantom(103, shape_zyx=shape, spacing_zyx_mm=spacing, lesions=lesions, padding_hu=-3024)
    found = predictor.segment(phantom.volume, silent)
    assert dice(found.anatomy > 0, phantom.anatomy > 0) > 0.93
    assert dice(found.findings > 0, phantom.findings > 0) > 0.5
    again = predictor.segment(phantom.volume, silent)
    assert np.array_equal(found.anatomy, again.anatomy)
    assert np.array_equal(found.findings, again.findings)


@pytest.mark.slow
def test_1500_slices_give_the_lungs_of_150(predictor: Predictor) -> None:
    tall, short = (
        make_phantom(104, shape_zyx=(slices, 96, 96), spacing_zyx_mm=(280 / slices, 3.75, 3.75))
        for slices in (1500, 150)
    )
    volumes = [
        float((predictor.segment(phantom.volume, silent).anatomy > 0).sum()) * phantom.volume.voxel_volume_ml
        for phantom in (tall, short)
    ]
    assert volumes[0] == pytest.approx(volumes[1], rel=0.02)


@pytest.mark.slow
def test_a_normal_chest_and_a_diseased_one_are_told_apart(predictor: Predictor, real_data: Path) -> None:
    """They were trained on, so that this says that the weights are the right ones, and not how good they are."""
    from inference.segmenting.scans import read_scan

    extents = {}
    for name in ("covidctmd-normal001", "covidctmd-P001-covid", "ricord-001012-covid"):
        found = predictor.segment(read_scan(real_data / "dicom" / name).volume, silent)
        extents[name] = 100 * (found.findings > 0).sum() / (found.anatomy > 0).sum()
    assert extents["covidctmd-normal001"] < 0.5
    assert extents["covidctmd-P001-covid"] > 1
    assert extents["ricord-001012-covid"] > 3
