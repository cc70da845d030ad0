"""The masks of a scan that came as DICOM, as two DICOM Segmentations and a structured report of their numbers."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.uid import generate_uid

from inference.baseline import Segmentation
from inference.imaging.report import MeasuredMask, write_report
from inference.imaging.seg import ANATOMY_SEGMENTS, Author, Segment, write_seg
from inference.segmenting.algorithms import Algorithm
from inference.segmenting.scans import OpenedScan

LESION_SEGMENTS = (Segment(1, "COVID-19", ("SCT", "882784691000119100", "Pneumonia caused by SARS-CoV-2"), "#E69F00"),)
SERIES_NUMBERS = {"lesion": 801, "lung": 802, "report": 803}
DESCRIPTIONS = {"lesion": "Lesion", "lung": "Lungs", "report": "Measurements"}


def write_objects(
    folder: Path, scan: OpenedScan, found: Segmentation, measured: Mapping[str, Any], algorithm: Algorithm
) -> None:
    """Write lung.seg.dcm, lesion.seg.dcm and report.sr.dcm; the same masks of the same series get the same UIDs.

    Raises what pydicom and highdicom raise where the scan's headers are too poor to be referred to.
    """
    author = Author(algorithm=algorithm.name, algorithm_version=algorithm.version)
    created = datetime.now()
    masks = {"lung": found.anatomy, "lesion": found.findings}
    segments = {"lung": ANATOMY_SEGMENTS, "lesion": LESION_SEGMENTS}
    identity = _identity(scan, masks, algorithm)

    def uid(layer: str, name: str) -> str:
        return str(generate_uid(entropy_srcs=[*identity, layer, name]))

    for layer, mask in masks.items():
        write_seg(
            folder / f"{layer}.seg.dcm",
            mask,
            scan.volume.affine_lps,
            scan.headers,
            segments[layer],
            author=author,
            series_description=f"{DESCRIPTIONS[layer]}, {algorithm.name} {algorithm.version}",
            series_number=SERIES_NUMBERS[layer],
            series_instance_uid=uid(layer, "series"),
            sop_instance_uid=uid(layer, "instance"),
            created=created,
        )
    options = {**measured["options"], **algorithm.identity()}
    write_report(
        folder / "report.sr.dcm",
        MeasuredMask(
            values=measured,
            findings=dcmread(folder / "lesion.seg.dcm", stop_before_pixels=True),
            anatomy=dcmread(folder / "lung.seg.dcm", stop_before_pixels=True),
            segments=LESION_SEGMENTS,
            lesion_values=[1],
            parameters=[f"{name}={json.dumps(value)}" for name, value in sorted(options.items())],
        ),
        scan.headers,
        author=author,
        series_description=f"{DESCRIPTIONS['report']}, {algorithm.name} {algorithm.version}",
        series_number=SERIES_NUMBERS["report"],
        uid=lambda name: uid("report", name),
        created=created,
    )


def _identity(scan: OpenedScan, masks: Mapping[str, NDArray[np.uint8]], algorithm: Algorithm) -> list[str]:
    voxels = [hashlib.sha256(np.ascontiguousarray(mask).data).hexdigest() for mask in masks.values()]
    series = str(scan.headers[0].SeriesInstanceUID)
    return [series, *voxels, json.dumps(algorithm.identity(), sort_keys=True)]
