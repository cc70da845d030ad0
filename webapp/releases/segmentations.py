"""DICOM Segmentations of versions, over the de-identified instances of the archive."""

import io
import uuid
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, dcmread

from inference.imaging.seg import ANATOMY_SEGMENTS, Author, Segment, write_seg
from webapp.archive.models import Scan
from webapp.archive.queries import files_of
from webapp.masks.models import LabelSet, Version
from webapp.masks.queries import version_layers

# Drafts stand before signed masks in a viewer's list.
SERIES_NUMBERS = {"findings": 901, "anatomy": 902, "report": 903}
DRAFT_OFFSET = -100
CONTENTS = {"findings": "Findings", "anatomy": "Lungs", "report": "Measurements"}


def write_layer_seg(
    path: Path,
    version: Version,
    layer: str,
    sources: Sequence[Dataset] | None = None,
    mask_zyx: NDArray[np.uint8] | None = None,
) -> None:
    """Write one layer ("findings" or "anatomy") of a version as a DICOM SEG; the same version, the same UIDs.

    `sources` (the scan's headers) and `mask_zyx` (the layer) spare reading them again.
    """
    scan = version.mask.scan
    write_seg(
        path,
        version_layers(version)[layer] if mask_zyx is None else mask_zyx,
        np.asarray(scan.affine_lps, dtype=np.float64).reshape(4, 4),
        source_headers(scan) if sources is None else sources,
        findings_segments(version.mask.label_set) if layer == "findings" else ANATOMY_SEGMENTS,
        author=author_of(version),
        series_description=description_of(version, layer),
        series_number=series_number_of(version, layer),
        series_instance_uid=stable_uid(version, layer, "series"),
        sop_instance_uid=stable_uid(version, layer, "instance"),
        created=version.cut_at,
    )
    _settle(path, version, layer)


def source_headers(scan: Scan) -> list[Dataset]:
    """The headers of a scan's de-identified instances, in z order."""
    return [dcmread(io.BytesIO(content), stop_before_pixels=True) for content in files_of(scan)]


def findings_segments(label_set: LabelSet) -> list[Segment]:
    """How DICOM describes the labels of a label set."""
    return [
        Segment(
            value=label["value"],
            name=label["name"],
            code=(label["code"]["scheme"], label["code"]["value"], label["code"]["meaning"]),
            colour=label["colour"],
        )
        for label in label_set.labels
    ]


def author_of(version: Version) -> Author:
    """Who made a version, as DICOM names them: an algorithm with its version, or a person."""
    if version.mask.author_kind != "algorithm":  # a person's, or a data set's
        return Author(person=person_name(version.author_name))
    run = version.mask.draft_run
    made_with = {"weights_sha256": run.weights_sha256, "device": run.device}
    made_with |= {name: str(value) for name, value in run.options.items()}
    return Author(
        algorithm=run.algorithm.title[:64],
        algorithm_version=run.algorithm.version[:64],
        algorithm_parameters={name: value for name, value in made_with.items() if value},
    )


def is_draft(version: Version) -> bool:
    """Whether a version is an algorithm's, which nobody has looked at."""
    return version.mask.author_kind == "algorithm"


def description_of(version: Version, kind: str) -> str:
    """The series description of an object of a version, by which people tell it from others in a viewer's list."""
    whose = f"AI draft by {version.author_name}" if is_draft(version) else f"signed by {version.author_name}"
    return "".join(c if c.isprintable() and c != "\\" else " " for c in f"{CONTENTS[kind]}, {whose}")[:64]


def series_number_of(version: Version, kind: str) -> int:
    """The series number of an object of a version."""
    return SERIES_NUMBERS[kind] + (DRAFT_OFFSET if is_draft(version) else 0)


def person_name(name: str) -> str:
    """A name as DICOM's PN holds it: one family-name component, without the characters that PN gives a meaning."""
    plain = "".join(" " if c in "^=\\" or not c.isprintable() else c for c in name).strip()
    return f"{plain[:62]}^"


def stable_uid(version: Version, layer: str, kind: str) -> str:
    """A UID under 2.25 that follows from the version's id, so that a second export is the same object."""
    return f"2.25.{uuid.uuid5(version.pk, f'{layer} {kind}').int}"


def _settle(path: Path, version: Version, layer: str) -> None:
    """Give what the writer drew at random or took from the clock values that follow from the version.

    Otherwise one SOP Instance UID would stand for two contents when a version is exported twice.
    """
    dataset = dcmread(path)
    for item in dataset.SegmentSequence:
        item.TrackingUID = stable_uid(version, layer, f"segment {item.TrackingID}")
    for item in (*dataset.DimensionOrganizationSequence, *dataset.DimensionIndexSequence):
        item.DimensionOrganizationUID = stable_uid(version, layer, "dimensions")
    # The last contributor is the library that wrote the file just now.
    dataset.ContributingEquipmentSequence[-1].ContributionDateTime = version.cut_at.strftime("%Y%m%d%H%M%S.%f")
    dataset.save_as(path, enforce_file_format=True)
