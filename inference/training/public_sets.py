"""The public sets of a data folder as training cases. The folder's README says where they come from.

None of them has HU together with lesion masks; lesion-free slices come from HU scans through the same look.
"""

import csv
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.baseline import segment
from inference.imaging.formats import read_picture_masks, read_pictures
from inference.imaging.pictures import natural_key
from inference.imaging.volume import Volume
from inference.segmenting.scans import read_scan
from inference.training.cases import TrainingCase, case_of_volume
from inference.transforms import Look

VARIABLE = "GROUNDGLASS_DATA"
COVID20, MEDSEG = "covid20-slices", "medseg-slices"
NORMAL, INFECTED = "covidctmd-normal001", "covidctmd-P001-covid"
LABELS = "covidctmd-P001-slice-labels.csv"
LICENCES = {
    COVID20: "CC BY-NC-SA 4.0 (Zenodo 3757476; Ma 2021)",
    MEDSEG: "non-commercial (medicalsegmentation.com, COVID-SemiSeg)",
    "covid-ct-md": "as published with doi 10.1038/s41597-021-00900-3 (Afshar 2021)",
}


class DataMissing(ValueError):
    """Training data that is not there; the message is a sentence."""


def data_folder() -> Path:
    """The data folder that GROUNDGLASS_DATA names; raises DataMissing."""
    named = os.environ.get(VARIABLE, "")
    if not named:
        raise DataMissing(f"{VARIABLE} is not set: it names the folder of the training data.")
    if not Path(named).is_dir():
        raise DataMissing(f"{VARIABLE} names {named}, which is no folder.")
    return Path(named)


def public_cases(folder: Path, look: Look, tell: Callable[[str], None] = lambda text: None) -> list[TrainingCase]:
    """All cases of the data folder through a look: covid20 and medseg with masks, the normal scan and the lesion-free
    slices of P001 without lesion. Raises DataMissing where one is not there, SeriesRefused where one cannot be read.

    With a look of the lung alone the scans that have no lung mask are left out.
    """
    cases = []
    for path in sorted(_folder(folder / COVID20).iterdir()):
        if path.is_dir():
            tell(f"Reading {path.name}")
            cases.append(covid20_case(path, look))
    if look.lung_alone:
        return cases
    tell(f"Reading {MEDSEG}")
    cases.append(medseg_case(_folder(folder / MEDSEG), look))
    for name in (NORMAL, INFECTED):
        tell(f"Reading {name}")
        cases.append(lesion_free_case(folder, name, look))
    return cases


def covid20_case(folder: Path, look: Look) -> TrainingCase:
    """One case of the 8-bit slices with lung and lesion masks."""
    volume = read_pictures([(path.name, path) for path in _folder(folder / "ct").iterdir()]).volume
    lung, lesion = (
        read_picture_masks([(path.name, path) for path in _folder(folder / layer).iterdir()]).labels
        for layer in ("lung", "lesion")
    )
    return case_of_volume(folder.name, patient_of(folder.name), COVID20, volume, look, lesion=lesion, lung=lung)


def patient_of(name: str) -> str:
    """The patient of a covid20 case: Radiopaedia's cases are called after the patient, then the study."""
    found = re.match(r"radiopaedia_\d+", name)
    return found.group() if found else name


def medseg_case(folder: Path, look: Look) -> TrainingCase:
    """The slices of many patients in a lung window, cropped to the lungs, each as a picture of its own size.

    Each is there as it is, and equalised as covid20 is, when the look is.
    """
    parts = []
    for path in sorted(_folder(folder / "ct").iterdir(), key=lambda path: natural_key(path.name)):
        plane = read_pictures([(path.name, path)]).volume
        lesion = read_picture_masks([("lesion", folder / "lesion" / path.name)]).labels
        parts.append(case_of_volume(MEDSEG, MEDSEG, MEDSEG, _squared(plane), look, lesion=_square(lesion), lung=None))
        if look.kind == "equalised":
            # Stretched grey is what is equalised, HU or not.
            as_hu = Volume(_square(plane.hu), plane.affine_lps)
            parts.append(case_of_volume(MEDSEG, MEDSEG, MEDSEG, as_hu, look, lesion=_square(lesion), lung=None))
    images, lesions = (np.concatenate([getattr(part, layer) for part in parts]) for layer in ("images", "lesion"))
    return TrainingCase(MEDSEG, MEDSEG, MEDSEG, images, lesions, None)


def lesion_free_case(folder: Path, name: str, look: Look) -> TrainingCase:
    """The slices of an HU scan that radiologists found no infection on: of the normal scan, all.

    Their lungs hold air, so the classical baseline draws them well; beyond their ends it says where no lung is, which
    no set of lesion-bearing slices can teach.
    """
    volume = read_scan(_folder(folder / "dicom" / name)).volume
    lung = segment(volume).anatomy
    slices = None
    if name == INFECTED:
        slices = [z for z, infected in enumerate(infected_slices(folder, volume.shape_zyx[0])) if not infected]
    return case_of_volume(name, name, "covid-ct-md", volume, look, lesion=None, lung=lung, slices=slices)


def infected_slices(folder: Path, slice_count: int) -> list[bool]:
    """For each slice of P001, z ascending, whether radiologists saw infection; the file counts from the head."""
    with (_folder(folder / "dicom") / LABELS).open(newline="") as stream:
        rows = {int(row["slice_from_head"]): row["infection"] != "0" for row in csv.DictReader(stream)}
    if sorted(rows) != list(range(slice_count)):
        raise DataMissing(f"{LABELS} has {len(rows)} slices, and the scan {slice_count}.")
    return [rows[slice_count - 1 - z] for z in range(slice_count)]


def _folder(path: Path) -> Path:
    if not path.is_dir():
        raise DataMissing(f"The data folder has no {path.name}.")
    return path


def _squared(volume: Volume) -> Volume:
    return Volume(_square(volume.hu), volume.affine_lps, has_hu=False, has_spacing=False)


def _square(planes: NDArray[Any]) -> NDArray[Any]:
    """Slices (zyx) padded with 0 to squares, so that scaling keeps shapes."""
    _, height, width = planes.shape
    side = max(height, width)
    top, left = (side - height) // 2, (side - width) // 2
    return np.pad(planes, ((0, 0), (top, side - height - top), (left, side - width - left)))
