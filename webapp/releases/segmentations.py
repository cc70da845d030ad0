"""DICOM Segmentations of signed versions, over the de-identified instances of the archive."""

import io
import uuid
from pathlib import Path

import numpy as np
from pydicom import Dataset, dcmread

from inference.imaging.seg import ANATOMY_SEGMENTS, Author, Segment, write_seg
from webapp.archive.models import Scan
from webapp.archive.queries import files_of
from webapp.masks.models import LabelSet, Version
from webapp.masks.queries import version_layers

SERIES_NUMBERS = {"findings": 901, "anatomy": 902}
DESCRIPTIONS = {"findings": "Findings, signed", "anatomy": "Lungs, signed"}


def write_layer_seg(path: Path, version: Version, layer: str) -> None:
    """Write one layer ("findings" or "anatomy") of a signed version as a DICOM SEG; the same version, the same UIDs."""
    scan = version.mask.scan
    write_seg(
        path,
        version_layers(version)[layer],
        np.asarray(scan.affine_lps, dtype=np.float64).reshape(4, 4),
        source_headers(scan),
        findings_segments(version.mask.label_set) if layer == "findings" else ANATOMY_SEGMENTS,
        author=Author(person=person_name(version.author_name)),
        series_description=DESCRIPTIONS[layer],
        series_number=SERIES_NUMBERS[layer],
        series_instance_uid=_uid(version, layer, "series"),
        sop_instance_uid=_uid(version, layer, "instance"),
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


def person_name(name: str) -> str:
    """A name as DICOM's PN holds it: one family-name component, without the characters that PN gives a meaning."""
    plain = "".join(" " if c in "^=\\" or not c.isprintable() else c for c in name).strip()
    return f"{plain[:62]}^"


def _settle(path: Path, version: Version, layer: str) -> None:
    """Give what the writer drew at random or took from the clock values that follow from the version.

    Otherwise one SOP Instance UID would stand for two contents when a version is exported twice.
    """
    dataset = dcmread(path)
    for item in dataset.SegmentSequence:
        item.TrackingUID = _uid(version, layer, f"segment {item.TrackingID}")
    for item in (*dataset.DimensionOrganizationSequence, *dataset.DimensionIndexSequence):
        item.DimensionOrganizationUID = _uid(version, layer, "dimensions")
    # The last contributor is the library that wrote the file just now.
    dataset.ContributingEquipmentSequence[-1].ContributionDateTime = version.cut_at.strftime("%Y%m%d%H%M%S.%f")
    dataset.save_as(path, enforce_file_format=True)


def _uid(version: Version, layer: str, kind: str) -> str:
    """A UID under 2.25 that follows from the version's id, so that a second export is the same object."""
    return f"2.25.{uuid.uuid5(version.pk, f'{layer} {kind}').int}"
