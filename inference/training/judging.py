"""A trained network judged on what it was not trained on: masks of cases, slice labels, a normal chest."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from inference.baseline import Segmentation
from inference.imaging.volume import Volume
from inference.measures.overlap import dice, ppv, sensitivity
from inference.measures.presence import presence
from inference.measures.quantification import measure
from inference.networks.weights import write_whole
from inference.predict import Predictor
from inference.segmenting.quality import quality_picture
from inference.segmenting.scans import read_scan
from inference.training.cases import TrainingCase
from inference.training.public_sets import INFECTED, NORMAL, infected_slices
from inference.training.sheets import sheet

# A slice counts as having lesion from this much on: less is noise.
SLICE_ML = 0.1

Figures = dict[str, Any]


def judge(predictor: Predictor, cases: Sequence[TrainingCase], data: Path | None, sheets: Path) -> Figures:
    """Figures of a network on cases that it has not seen; a picture of each goes into the folder `sheets`.

    `cases`: Dice of lung and lesion (None: undefined), sensitivity, PPV and both extents by area, of each case with
    lesion and drawn lungs. `slices` and `normal` come with the HU scans of the data folder, where they are among the
    cases: how well lesion volume tells the slices of P001 that radiologists called infected, and what is found in a
    normal chest.
    """
    judged = [case for case in cases if case.lung is not None and case.lesion.any()]
    figures: Figures = {"cases": [_of_case(predictor, case, sheets) for case in judged]}
    names = {case.name for case in cases}
    if data is not None and INFECTED in names:
        figures["slices"] = _of_slices(predictor, data, sheets)
    if data is not None and NORMAL in names:
        figures["normal"] = _of_normal(predictor, data, sheets)
    return figures


def _of_case(predictor: Predictor, case: TrainingCase, sheets: Path) -> Figures:
    assert case.lung is not None
    lung, lesion = predictor.masks_of(case.images, case.lung > 0)
    truth = case.lung > 0
    picture = io.BytesIO()
    sheet(case, lung, lesion).save(picture, "PNG")
    write_whole(sheets / f"{case.name}.png", picture.getvalue())
    return {
        "case": case.name,
        "patient": case.patient,
        "slices": len(case),
        "lung_dice": dice(lung, truth) if predictor.draws_lung else None,
        "lesion_dice": dice(lesion, case.lesion),
        "lesion_sensitivity": sensitivity(lesion, case.lesion),
        "lesion_ppv": ppv(lesion, case.lesion),
        "extent_percent": _share(lesion & lung, lung),
        "reference_extent_percent": _share((case.lesion > 0) & truth, truth),
    }


def _of_slices(predictor: Predictor, data: Path, sheets: Path) -> Figures:
    volume, found = _found(predictor, data, INFECTED, sheets)
    findings = found.findings
    slice_ml = findings.sum(axis=(1, 2), dtype=np.float64) * volume.voxel_volume_ml
    truth = np.array(infected_slices(data, len(findings)))
    told = presence(slice_ml, truth, SLICE_ML)
    return {"scan": INFECTED, **vars(told)}


def _of_normal(predictor: Predictor, data: Path, sheets: Path) -> Figures:
    volume, found = _found(predictor, data, NORMAL, sheets)
    measured = measure(volume.hu, found.anatomy, found.findings, volume.voxel_volume_ml, lesion_values=[1])
    return {
        "scan": NORMAL,
        "lesion_volume_ml": measured.lesion_volume_ml,
        "lung_volume_ml": measured.lung_volume_ml,
        "extent_percent": measured.extent_percent,
    }


def _found(predictor: Predictor, data: Path, name: str, sheets: Path) -> tuple[Volume, Segmentation]:
    volume = read_scan(data / "dicom" / name).volume
    found = predictor.segment(volume, lambda fraction, what: None)
    picture = io.BytesIO()
    quality_picture(volume, found, [name]).save(picture, "PNG")
    write_whole(sheets / f"{name}.png", picture.getvalue())
    return volume, found


def _share(part: Any, whole: Any) -> float | None:
    return 100.0 * float(part.sum()) / float(whole.sum()) if whole.any() else None
