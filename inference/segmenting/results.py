"""Everything that is written of one segmented scan. `measurements.json` comes last: where it stands, all else does."""

import json
import os
import shutil
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from inference.baseline import Segmentation
from inference.imaging.findings import SeriesRefused
from inference.imaging.nifti import write_mask
from inference.measures.quantification import measure
from inference.segmenting.algorithms import Algorithm, Progress
from inference.segmenting.objects import write_objects
from inference.segmenting.quality import quality_picture
from inference.segmenting.scans import OpenedScan, fingerprint, read_scan
from inference.segmenting.tables import measurements_csv

REPORT = "measurements.json"
UNFINISHED = ".unfinished"
MASKS = ("lung.nii.gz", "lesion.nii.gz")
OBJECTS = ("lung.seg.dcm", "lesion.seg.dcm", "report.sr.dcm")


def segment_scan(scan: Path, out: Path, algorithm: Algorithm, progress: Progress) -> dict[str, Any]:
    """Segment one scan and write its results into `out`; returns what measurements.json holds.

    lung.nii.gz (1 left, 2 right), lesion.nii.gz, measurements.json and .csv, quality.png, and for DICOM two
    Segmentations and a report. Files of an earlier run are replaced one by one, others in `out` stay. Raises
    SeriesRefused, and OSError where nothing can be written; then `out` is as it was.
    """
    stages, clock = {}, _Clock()
    began = fingerprint(scan)
    opened = read_scan(scan)
    stages["read"] = clock.lap()
    if algorithm.needs_hu and not opened.volume.has_hu:
        raise SeriesRefused("no_hu", f"{scan.name} has no Hounsfield units, and {algorithm.name} works by them alone.")
    found = algorithm.segment(opened.volume, progress)
    stages["segment"] = clock.lap()
    report = report_of(scan, began, opened, found, algorithm)
    stages["measure"] = clock.lap()
    unfinished = out / UNFINISHED
    made = not out.exists()
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        _write(unfinished, opened, found, report, algorithm)
        stages["write"] = clock.lap()
        report["stage_seconds"] = stages
        report["seconds"] = round(sum(stages.values()), 2)
        (unfinished / "measurements.csv").write_text(measurements_csv([report]), encoding="utf-8", newline="")
        (unfinished / REPORT).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
        _move(unfinished, out)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
        if made and out.is_dir() and not any(out.iterdir()):
            out.rmdir()
    return report


def finished(out: Path, scan: Path, algorithm: Algorithm) -> dict[str, Any] | None:
    """The report of an earlier run in `out`, if it was of this very scan by this very algorithm; else None."""
    try:
        report: dict[str, Any] = json.loads((out / REPORT).read_text(encoding="utf-8"))
        algorithm_was = {name: report["algorithm"][name] for name in algorithm.identity()}
        same = report["scan"]["fingerprint"] == fingerprint(scan) and algorithm_was == algorithm.identity()
    except (OSError, ValueError, KeyError, TypeError):
        return None
    whole = all((out / name).is_file() for name in MASKS)
    return report if same and whole else None


def report_of(
    scan: Path, scan_fingerprint: str, opened: OpenedScan, found: Segmentation, algorithm: Algorithm
) -> dict[str, Any]:
    """Measurements of a segmented scan with all that explains them, as plain values for JSON."""
    volume = opened.volume
    measured = measure(
        volume.hu,
        found.anatomy,
        found.findings,
        volume.voxel_volume_ml if volume.has_spacing else None,
        lesion_values=[1],
        has_hu=volume.has_hu,
    )
    remarks = list(opened.warnings)
    if measured.extent_percent is None:
        remarks.append("No lung was found: extent is undefined.")
    return {
        "algorithm": {**algorithm.identity(), "device": algorithm.device},
        "scan": {
            "name": scan.name,
            "fingerprint": scan_fingerprint,
            "voxels_sha256": volume.voxels_sha256(),
            "geometry_sha256": volume.geometry_sha256(),
            "shape_zyx": volume.shape_zyx,
            "spacing_zyx_mm": volume.spacing_zyx_mm if volume.has_spacing else None,
        },
        "warnings": remarks,
        "measurements": measured.as_dict(),
    }


def summary_of(report: Mapping[str, Any]) -> str:
    """The numbers of a report in one sentence."""
    values = report["measurements"]
    if values["extent_percent"] is None:
        return "No lung was found."
    if values["lesion_volume_ml"] is None or values["lung_volume_ml"] is None:
        return f"Extent {values['extent_percent']:.1f} % by area; nothing is known of size."
    weight = "unknown" if values["weight_g"] is None else f"{values['weight_g']:.1f} g"
    return (
        f"Extent {values['extent_percent']:.1f} %, weight {weight}, lesion "
        f"{values['lesion_volume_ml']:.1f} mL in {values['lung_volume_ml']:.0f} mL of lung."
    )


class _Clock:
    def __init__(self) -> None:
        self._at = time.monotonic()

    def lap(self) -> float:
        """Seconds since the last lap."""
        before, self._at = self._at, time.monotonic()
        return round(self._at - before, 3)


def _write(folder: Path, opened: OpenedScan, found: Segmentation, report: dict[str, Any], algorithm: Algorithm) -> None:
    write_mask(folder / "lung.nii.gz", found.anatomy, opened.volume.affine_lps)
    write_mask(folder / "lesion.nii.gz", found.findings, opened.volume.affine_lps)
    if opened.headers:
        try:
            with warnings.catch_warnings():
                # The library comments on names of patients, and repeats them.
                warnings.simplefilter("ignore", UserWarning)
                write_objects(folder, opened, found, report["measurements"], algorithm)
        except OSError:
            raise
        except Exception as error:  # many kinds, on headers that lack what a derived object must copy
            for name in OBJECTS:
                (folder / name).unlink(missing_ok=True)
            report["warnings"].append(
                f"No DICOM Segmentation and report were written: the scan's headers do not allow them ({error})."
            )
    quality_picture(opened.volume, found, _lines(report)).save(folder / "quality.png")


def _lines(report: Mapping[str, Any]) -> Sequence[str]:
    """The numbers that stand on the quality picture."""
    values, algorithm = report["measurements"], report["algorithm"]
    lines = [str(report["scan"]["name"]), f"{algorithm['name']} {algorithm['version']}", "", summary_of(report)]
    for side in ("left", "right"):
        one = values[side]
        if one["extent_percent"] is not None:
            size = "" if one["lung_volume_ml"] is None else f", lung {one['lung_volume_ml']:.0f} mL"
            lines.append(f"{side.capitalize()}: extent {one['extent_percent']:.1f} %{size}")
    if values["lesion_mean_hu"] is not None:
        lines.append(f"Lesion {values['lesion_mean_hu']:.0f} ± {values['lesion_sd_hu']:.0f} HU")
    if values["lesion_outside_lung_ml"]:
        lines.append(f"Lesion outside lung: {values['lesion_outside_lung_ml']:.1f} mL")
    return [*lines, "", "Blue: lung. Orange: lesion.", *(f"Warning: {sentence}" for sentence in report["warnings"])]


def _move(unfinished: Path, out: Path) -> None:
    """Put finished files in place; an older report goes first, so that it never stands beside newer masks."""
    (out / REPORT).unlink(missing_ok=True)
    for name in OBJECTS:
        if not (unfinished / name).exists():
            (out / name).unlink(missing_ok=True)
    files = sorted(unfinished.iterdir(), key=lambda path: path.name == REPORT)
    for path in files:
        os.replace(path, out / path.name)
