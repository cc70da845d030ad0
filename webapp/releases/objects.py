"""A version of a mask as DICOM objects beside its scan's images: two segmentations and a report of their numbers."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydicom import Dataset, dcmread

from inference.imaging.report import MeasuredMask, write_report
from webapp.archive.derived import object_bytes
from webapp.archive.filing import NewObject
from webapp.archive.models import DerivedObject
from webapp.archive.remarks import weight_remarks_of
from webapp.masks.models import Version
from webapp.masks.queries import version_layers
from webapp.releases.measurements import measured
from webapp.releases.segmentations import (
    author_of,
    description_of,
    findings_segments,
    series_number_of,
    source_headers,
    stable_uid,
    write_layer_seg,
)

LAYERS = ("findings", "anatomy")
KINDS = (*LAYERS, "report")


def objects_of(version: Version) -> list[NewObject]:
    """The findings SEG, the anatomy SEG and the report of a version. Raises storage.DamagedFile."""
    with tempfile.TemporaryDirectory() as scratch:
        return [NewObject(kind, path.read_bytes()) for kind, path in _written(version, Path(scratch)).items()]


def contents_of(version: Version) -> dict[str, bytes]:
    """The DICOM files of a version by kind: as the archive has them, or made now where it has not (the same bytes).

    Raises storage.DamagedFile.
    """
    filed = DerivedObject.objects.filter(made_from=version.pk)
    found = {row.kind: object_bytes(row) for row in filed}
    return found if set(found) == set(KINDS) else {new.kind: new.content for new in objects_of(version)}


def _written(version: Version, folder: Path) -> dict[str, Path]:
    sources, layers = source_headers(version.mask.scan), version_layers(version)
    paths = {kind: folder / f"{kind}.dcm" for kind in KINDS}
    for layer in LAYERS:
        write_layer_seg(paths[layer], version, layer, sources, layers[layer])
    segs = {layer: dcmread(paths[layer], stop_before_pixels=True) for layer in LAYERS}
    _write_report(paths["report"], version, sources, segs)
    return paths


def _write_report(path: Path, version: Version, sources: Sequence[Dataset], segs: Mapping[str, Dataset]) -> None:
    label_set = version.mask.label_set
    values = measured(version).values
    mask = MeasuredMask(
        values=values,
        findings=segs["findings"],
        anatomy=segs["anatomy"],
        segments=findings_segments(label_set),
        lesion_values=label_set.lesion_values,
        parameters=[
            f"version_sha256={version.sha256}",
            f"label_set={label_set}",
            *(f"{name}={json.dumps(value)}" for name, value in sorted(values["options"].items())),
            *(f"weight_biased_by={remark.short}" for remark in weight_remarks_of(version.mask.scan)),
        ],
    )
    write_report(
        path,
        mask,
        sources,
        author=author_of(version),
        series_description=description_of(version, "report"),
        series_number=series_number_of(version, "report"),
        uid=lambda name: stable_uid(version, "report", name),
        created=version.cut_at,
    )
