"""Cross-validation: figures with known answers, folds judged once, nothing lost by a kill."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from inference.cli import main
from inference.networks.cards import read_card
from inference.phantoms import make_phantom, write_dicom_series
from inference.phantoms.patterns import PATTERNS
from inference.segmenting.quality import LESION_COLOUR
from inference.training.cases import TrainingCase
from inference.training.crossvalidation import results_of, table_of
from inference.training.gallery import PATTERN_COLOUR, gallery
from inference.training.judging import SLICE_ML, judge
from inference.training.plots import cross_validation_picture
from inference.training.public_sets import INFECTED, LABELS, NORMAL
from inference.training.recipes import DEFAULT
from inference.training.sheets import DRAWN_COLOUR, FOUND_COLOUR, GAP_PX, TILE_PX, worst_slices
from inference.transforms import Look

ARGUMENTS = ["crossvalidate", "--phantoms", "5", "--folds", "2", "--width", "2", "--size", "32", "--epochs", "1"]


def square(name: str, columns: slice, *, drawn: bool = True) -> TrainingCase:
    """Ten slices, lung in the middle, lesion in some of its columns."""
    lung, lesion = np.zeros((10, 32, 32), np.uint8), np.zeros((10, 32, 32), np.uint8)
    lung[:, 8:24, 8:24] = 1
    lesion[:, 8:24, columns] = 1
    return TrainingCase(name, name, "made", np.zeros_like(lung), lesion, lung if drawn else None)


def predictor(lesion: slice, findings: Any = None) -> Any:
    """One that draws the lung as it is and lesion in the columns given; of scans, what is given."""

    def masks_of(pictures: np.ndarray, lung: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found = np.zeros_like(lung)
        found[:, 8:24, lesion] = True
        return lung, found

    def segment(volume: Any, tell: Any) -> Any:
        return SimpleNamespace(findings=findings, anatomy=np.ones_like(findings))

    return SimpleNamespace(masks_of=masks_of, segment=segment, draws_lung=True)


def test_figures_of_a_case_are_those_of_geometry(tmp_path: Path) -> None:
    cases = [square("a", slice(8, 16)), square("healthy", slice(8, 8)), square("b", slice(8, 16), drawn=False)]
    [figures] = judge(predictor(slice(12, 20)), cases, None, tmp_path)["cases"]
    assert figures["case"] == "a"
    assert figures["lung_dice"] == 1.0
    assert figures["lesion_dice"] == figures["lesion_sensitivity"] == figures["lesion_ppv"] == 0.5
    assert figures["extent_percent"] == figures["reference_extent_percent"] == 50.0
    picture = np.asarray(Image.open(tmp_path / "a.png").convert("RGB"))
    side, scale = TILE_PX + GAP_PX, TILE_PX // 32
    assert picture.shape == (2 * side + GAP_PX, 4 * side + GAP_PX, 3)
    # The left edges of what was drawn and of what was found, in the first slice.
    first = picture[GAP_PX : GAP_PX + TILE_PX, GAP_PX : GAP_PX + TILE_PX]
    assert tuple(first[16 * scale, 8 * scale]) == DRAWN_COLOUR
    assert tuple(first[16 * scale, 12 * scale]) == FOUND_COLOUR


def test_the_worst_slices_are_shown_and_not_only_neighbours() -> None:
    wrong = np.zeros((40, 4, 4), bool)
    for z, many in zip((0, 1, 2, 10, 20, 39), (9, 8, 7, 3, 2, 1), strict=True):
        wrong[z].flat[:many] = True
    assert {0, 2, 10, 20, 39} <= set(worst_slices(wrong))
    assert 1 not in worst_slices(wrong)
    assert worst_slices(wrong) == sorted(worst_slices(wrong))
    assert worst_slices(wrong[:3]) == [0, 1, 2]


def test_hu_scans_are_judged_by_the_fold_that_did_not_train_on_them(tmp_path: Path) -> None:
    phantom = make_phantom(1, shape_zyx=(8, 32, 32), spacing_zyx_mm=(40.0, 11.0, 11.0))
    for name in (INFECTED, NORMAL):
        write_dicom_series(phantom, tmp_path / "dicom" / name)
    labels = [f"{place},{int(place < 4)}" for place in range(8)]
    (tmp_path / "dicom" / LABELS).write_text("\n".join(["slice_from_head,infection", *labels]))
    findings = np.zeros((8, 32, 32), np.uint8)
    # The head is the last slice: four to seven are infected, and one too many is found.
    findings[3:8, 4:8, 4:8] = 1
    cases = [square(INFECTED, slice(8, 8)), square(NORMAL, slice(8, 8))]
    figures = judge(predictor(slice(8, 8), findings), cases, tmp_path, tmp_path / "sheets")
    slices = figures["slices"]
    assert (slices["positive"], slices["negative"], slices["threshold"]) == (4, 4, SLICE_ML)
    assert (slices["sensitivity"], slices["specificity"]) == (1.0, 0.75)
    assert slices["auc"] == pytest.approx((12 + 4 * 0.5) / 16)
    assert figures["normal"]["extent_percent"] == pytest.approx(100 * 5 * 16 / (8 * 32 * 32))
    assert figures["normal"]["lesion_volume_ml"] == pytest.approx(5 * 16 * phantom.volume.voxel_volume_ml)
    assert set(judge(predictor(slice(8, 8)), cases[:0], tmp_path, tmp_path / "sheets")) == {"cases"}


def test_means_and_deviations_count_what_is_defined() -> None:
    def case(dice: float | None) -> dict[str, Any]:
        return {
            "case": "x",
            "slices": 3,
            "lung_dice": None,
            "lesion_dice": dice,
            "lesion_sensitivity": 1.0,
            "lesion_ppv": 1.0,
            "extent_percent": 1.0,
            "reference_extent_percent": 1.0,
        }

    folds = [
        {"fold": "fold-1", "cases": [case(0.6), case(0.8)]},
        {
            "fold": "fold-2",
            "cases": [case(None)],
            "normal": {"scan": "n", "lesion_volume_ml": 1.5, "extent_percent": 0.2},
        },
    ]
    results = results_of(folds, DEFAULT, 0)
    lesion = results["summary"]["lesion_dice"]
    assert (lesion["mean"], lesion["cases"], lesion["undefined"]) == (pytest.approx(0.7), 2, 1)
    assert lesion["sd"] == pytest.approx(0.02**0.5)
    assert results["summary"]["lung_dice"]["mean"] is None
    table = table_of(results)
    assert "undefined ± undefined | 0.700 ± 0.141" in table
    assert "lung_dice 3, lesion_dice 1." in table
    assert "1.5 mL of lesion, extent 0.20 %" in table


def test_every_fold_is_judged_once_and_one_that_is_lost_again(tmp_path: Path) -> None:
    arguments = [*ARGUMENTS, "--then-all", "--device", "cpu", "--out", str(tmp_path)]
    assert main(arguments) == 0
    results = json.loads((tmp_path / "crossvalidation.json").read_text())
    assert [fold["fold"] for fold in results["folds"]] == ["fold-1", "fold-2"]
    judged = [case["patient"] for fold in results["folds"] for case in fold["cases"]]
    assert len(judged) == len(set(judged)) == 4
    for fold in results["folds"]:
        assert {case["case"] for case in fold["cases"]} <= set(fold["split"]["validate"])
        assert not {case["case"] for case in fold["cases"]} & {*fold["split"]["train"], *fold["split"]["tune"]}
    card = read_card(tmp_path / "all" / "groundglass-default.json")
    assert not card.training["split"]["validate"]
    assert not card.training["split"]["tune"]
    assert card.notes[-1].startswith("Each of those networks set patients aside for tuning")
    on_card = card.metrics["cross_validation"]
    assert (on_card["folds"], on_card["lesion_dice"]) == (2, results["summary"]["lesion_dice"])
    assert [case["lesion_dice"] for case in on_card["cases"]] == [
        case["lesion_dice"] for fold in results["folds"] for case in fold["cases"]
    ]
    assert {one["pattern"] for one in card.metrics["patterns"]} == set(PATTERNS)
    beside = sorted(path.name for path in (tmp_path / "all").glob("groundglass-default*"))
    assert beside == [
        f"groundglass-default{ending}"
        for ending in ("-cross-validation.png", "-curves.png", "-patterns.png", ".curves.csv", ".json", ".safetensors")
    ]
    kept = (tmp_path / "fold-1" / "result.json").stat().st_mtime_ns
    (tmp_path / "fold-2" / "result.json").write_text("{")
    (tmp_path / "crossvalidation.json").unlink()
    assert main(arguments) == 0
    assert (tmp_path / "fold-1" / "result.json").stat().st_mtime_ns == kept
    assert json.loads((tmp_path / "crossvalidation.json").read_text()) == results
    assert read_card(tmp_path / "all" / "groundglass-default.json") == card


def test_the_study_recipe_is_judged_by_lesion_alone(tmp_path: Path) -> None:
    assert main([*ARGUMENTS, "--recipe", "study", "--device", "cpu", "--out", str(tmp_path)]) == 0
    summary = json.loads((tmp_path / "crossvalidation.json").read_text())["summary"]
    assert (summary["lung_dice"]["cases"], summary["lung_dice"]["undefined"]) == (0, 4)
    assert summary["lesion_dice"]["cases"] == 4


def test_the_gallery_says_how_much_of_each_pattern_was_taken_for_lesion() -> None:
    """A network that draws what is denser than air and less dense than muscle: ground glass, and never fluid."""

    def masks_of(pictures: np.ndarray, lung: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        hu = pictures * (1500 / 255) - 1350
        return lung, lung & (hu > -800) & (hu < -300)

    look = Look(kind="window", size=256)
    picture, rows = gallery(SimpleNamespace(card=SimpleNamespace(look=look), masks_of=masks_of))
    found = {row["pattern"]: row for row in rows}
    assert found["ground-glass"]["percent_found"] > 80
    assert found["pleural-effusion"]["percent_found"] < 10
    assert [name for name, row in found.items() if row["is_lesion"]] == ["ground-glass", "consolidation"]
    assert picture.width > picture.height / 2
    colours = {tuple(colour) for colour in np.asarray(picture).reshape(-1, 3).tolist()}
    assert {LESION_COLOUR, PATTERN_COLOUR} <= colours


def test_the_picture_of_a_cross_validation_has_a_point_for_each_figure() -> None:
    def points(cases: list[dict[str, Any]]) -> int:
        picture = np.asarray(cross_validation_picture(cases, {"lesion": 0.77}))
        return int((picture == np.array([0xD9, 0x5F, 0x02])).all(axis=2).sum())

    case = {"lung_dice": 0.9, "lesion_dice": 0.5, "extent_percent": 10.0, "reference_extent_percent": 20.0}
    undefined = {**case, "extent_percent": None}
    none, one, half = points([]), points([case]), points([undefined])
    assert one - none == 2 * (half - none) > 0
