"""The command line: `groundglass segment SCAN --out DIR`."""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from inference import baseline
from inference.imaging.dicom import SeriesRefused, read_header_group, volume_from_files
from inference.imaging.formats import VOLUME_ENDINGS, read_volume
from inference.imaging.nifti import write_mask
from inference.imaging.volume import Volume
from inference.measures.quantification import Measurements, measure


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status (0 done, 1 refused, 2 wrong use)."""
    parser = argparse.ArgumentParser(prog="groundglass", description="Quantify pneumonia on chest CT.")
    commands = parser.add_subparsers(dest="command", required=True)
    segment = commands.add_parser("segment", help="draw lungs and lesion of one scan and measure them")
    segment.add_argument("scan", type=Path, help="a folder of DICOM files, or a NIfTI, NRRD or MetaImage file")
    segment.add_argument("--out", type=Path, required=True, help="folder for the masks and measurements")
    segment.add_argument("--algorithm", choices=[baseline.NAME], default=baseline.NAME)
    chosen = parser.parse_args(arguments)
    try:
        run_segment(chosen.scan, chosen.out)
    except SeriesRefused as refusal:
        print(f"Refused ({refusal.code}): {refusal.sentence}", file=sys.stderr)
        for detail in refusal.details[1:]:
            print(f"  {detail.sentence}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"Cannot write the results: {error.strerror or error}.", file=sys.stderr)
        return 1
    return 0


def run_segment(scan: Path, out: Path) -> None:
    """Segment one scan into `out`: lung.nii.gz (1 left, 2 right), lesion.nii.gz, measurements.json."""
    started = time.monotonic()
    volume, warnings = read_scan(scan)
    found = baseline.segment(volume, _show)
    measurements = measure(
        volume.hu,
        found.anatomy,
        found.findings,
        volume.voxel_volume_ml if volume.has_spacing else None,
        lesion_values=[1],
        has_hu=volume.has_hu,
    )
    out.mkdir(parents=True, exist_ok=True)
    write_mask(out / "lung.nii.gz", found.anatomy, volume.affine_lps)
    write_mask(out / "lesion.nii.gz", found.findings, volume.affine_lps)
    report: dict[str, Any] = {
        "algorithm": {"name": baseline.NAME, "version": baseline.VERSION},
        "scan": {"shape_zyx": volume.shape_zyx, "spacing_zyx_mm": volume.spacing_zyx_mm},
        "warnings": warnings,
        "measurements": measurements.as_dict(),
        "seconds": round(time.monotonic() - started, 2),
    }
    (out / "measurements.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(_summary(measurements))
    # What biases a weight stands wherever a weight does.
    for sentence in warnings:
        print(f"Warning: {sentence}")


def read_scan(scan: Path) -> tuple[Volume, list[str]]:
    """The volume of a DICOM folder or a volume file, and its warnings; raises SeriesRefused."""
    if scan.name.lower().endswith(VOLUME_ENDINGS):
        read = read_volume(scan)
        return read.volume, [finding.sentence for finding in read.warnings]
    if not scan.is_dir():
        raise SeriesRefused("no_scan", f"{scan} is neither a folder of DICOM files nor a volume file (NIfTI, ...).")
    group = read_header_group(sorted(path for path in scan.rglob("*") if path.is_file()))
    if not group.series:
        first = f" {group.refused[0][1].sentence}" if group.refused else ""
        raise SeriesRefused("no_scan", f"{scan} holds no DICOM images.{first}")
    if len(group.series) > 1:
        raise SeriesRefused("two_series", f"{scan} holds {len(group.series)} series; give one of them.")
    [datasets] = group.series.values()
    series = volume_from_files([Path(str(dataset.filename)) for dataset in datasets])
    skipped = [finding.sentence for _, finding in group.refused]
    return series.volume, [finding.sentence for finding in series.warnings] + skipped


def _show(fraction: float, text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{fraction:4.0%} {text:<24}", end="\n" if fraction >= 1 else "", file=sys.stderr, flush=True)


def _summary(measurements: Measurements) -> str:
    if measurements.extent_percent is None:
        return "No lung was found."
    weight = "unknown" if measurements.weight_g is None else f"{measurements.weight_g:.1f} g"
    if measurements.lesion_volume_ml is None or measurements.lung_volume_ml is None:
        return f"Extent {measurements.extent_percent:.1f} % by area; nothing is known of size."
    return (
        f"Extent {measurements.extent_percent:.1f} %, weight {weight}, lesion "
        f"{measurements.lesion_volume_ml:.1f} mL in {measurements.lung_volume_ml:.0f} mL of lung."
    )


if __name__ == "__main__":
    sys.exit(main())
