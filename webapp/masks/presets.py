"""The study's label set: COVID-19 lesion, and what was seen and is not lesion (docs/reference/label-sets.md)."""

import hashlib
import json
from typing import Any

from webapp.masks.models import LabelSet

NAME, VERSION = "COVID-19 pneumonia", 2


def _label(
    value: int,
    name: str,
    colour: str,
    code: tuple[str, str, str],
    *,
    exclusion: bool = True,
    lung: bool = True,
) -> dict[str, Any]:
    scheme, code_value, meaning = code
    return {
        "value": value,
        "name": name,
        "colour": colour,
        "code": {"scheme": scheme, "value": code_value, "meaning": meaning},
        "is_exclusion": exclusion,
        "counts_as_lung": lung,
    }


LABELS = [
    _label(
        1,
        "COVID-19",
        "#E69F00",
        ("SCT", "882784691000119100", "Pneumonia caused by SARS-CoV-2"),
        exclusion=False,
    ),
    _label(2, "Reticulation", "#CC79A7", ("DCM", "112113", "Reticular pattern")),
    _label(3, "Honeycombing", "#F0E442", ("DCM", "112106", "Honeycomb pattern")),
    _label(4, "Dependent density", "#8F8FE0", ("DCM", "112119", "Dependent opacity")),
    _label(5, "Pleural effusion", "#B0895B", ("SCT", "60046008", "Pleural effusion"), lung=False),
    _label(6, "Calcified nodule", "#D3FDE8", ("99GROUNDGLASS", "CALCNOD", "Calcified nodule")),
    _label(7, "Tuberculous sequelae", "#6A55BE", ("99GROUNDGLASS", "TBSEQ", "Tuberculous sequelae")),
    _label(8, "Motion artefact", "#D3D3FD", ("99GROUNDGLASS", "MOTION", "Motion artefact")),
]


def label_set_sha256(name: str, version: int, labels: list[dict[str, Any]]) -> str:
    """Return the content hash of a label set."""
    content = {"name": name, "version": version, "labels": labels}
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def study_label_set() -> LabelSet:
    """The study's label set, made where it is not there yet."""
    made, _ = LabelSet.objects.get_or_create(
        name=NAME,
        version=VERSION,
        defaults={"labels": LABELS, "sha256": label_set_sha256(NAME, VERSION, LABELS)},
    )
    return made
