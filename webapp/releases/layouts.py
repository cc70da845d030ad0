"""How a signed reading is laid out in files: NIfTI volumes and a README. Pure: no database, no request."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.imaging.nifti import write_mask, write_volume
from inference.imaging.volume import Volume
from webapp.releases.bundles import Bundle


@dataclass(frozen=True, eq=False)
class SignedMask:
    """One signed version with what a reader of its files must know.

    `anatomy` and `findings` are uint8 zyx on the volume's grid. `labels` is the label set's list, `facts` the
    columns of the measurements table that say who and what.
    """

    anatomy: NDArray[np.uint8]
    findings: NDArray[np.uint8]
    labels: Sequence[dict[str, Any]]
    lesion_values: Sequence[int]
    facts: dict[str, str]

    @property
    def lesion(self) -> NDArray[np.uint8]:
        """1 where a label that is lesion lies, 0 elsewhere."""
        return np.isin(self.findings, list(self.lesion_values)).astype(np.uint8)


def add_image(bundle: Bundle, folder: str, volume: Volume) -> None:
    """Add the scan itself: `image.nii.gz`, int16 HU."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "image.nii.gz"
        write_volume(path, volume)
        bundle.add_file(f"{folder}image.nii.gz", path)


def add_masks(bundle: Bundle, folder: str, mask: SignedMask, affine_lps: NDArray[np.float64]) -> None:
    """Add `lung.nii.gz` (1 left, 2 right), `lesion.nii.gz` (0, 1) and `findings.nii.gz` (every label), all uint8."""
    layers = {"lung": mask.anatomy, "lesion": mask.lesion, "findings": mask.findings}
    with tempfile.TemporaryDirectory() as scratch:
        for name, layer in layers.items():
            path = Path(scratch) / f"{name}.nii.gz"
            write_mask(path, layer, affine_lps)
            bundle.add_file(f"{folder}{name}.nii.gz", path)


NIFTI_FILES = (
    "image.nii.gz     the scan, int16, Hounsfield units unless measurements.csv leaves its weights empty",
    "lung.nii.gz      anatomy: 0 none, 1 left lung, 2 right lung",
    "lesion.nii.gz    1 where any lesion label lies, 0 elsewhere (exclusion labels are not lesion)",
    "findings.nii.gz  every label of the label set, by the values below",
)
SEG_FILES = (
    "findings.seg.dcm every label of the label set as DICOM Segmentation, one segment a label (tracking id: its value)",
    "anatomy.seg.dcm  left and right lung as DICOM Segmentation",
    "report.sr.dcm    the measurements as DICOM structured report (TID 1500), referring to both",
)


def readme(files: Sequence[str], masks: Sequence[tuple[str, SignedMask]], left_out: Sequence[str] = ()) -> str:
    """The README of a bundle: its kinds of files (NIFTI_FILES, SEG_FILES), label tables, hashes.

    `masks` pairs each mask with its folder in the bundle; `left_out` says in sentences what is not in it.
    """
    lines = [
        "Groundglass export of signed masks",
        "==================================",
        "",
        *files,
        "measurements.csv one line a signed reading; units in the column names",
        "",
        "All masks lie on the scan's own voxel grid; nothing was resampled. Coordinates are the patient's, in mm:",
        "NIfTI RAS+, DICOM LPS. For research, not for diagnosis.",
        "",
    ]
    if left_out:
        lines += ["Left out:", *(f"- {sentence}" for sentence in left_out), ""]
    described: list[str] = []
    for folder, mask in masks:
        facts = mask.facts
        lines += [
            f"{folder or 'This bundle'}",
            f"  campaign {facts['campaign']}, case {facts['case']}, pseudonym {facts['pseudonym']}",
            f"  {facts['stage']} by {facts['reader']}, signed {facts['signed_at']}",
            f"  AI draft: {facts['draft_algorithm'] or 'none'}",
            *([f"  its weights: SHA-256 {facts['draft_weights_sha256']}"] if facts["draft_weights_sha256"] else []),
            f"  imported mask that it began from: {facts['imported_mask'] or 'none'}",
            f"  version SHA-256 {facts['version_sha256']}",
            f"  label set {facts['label_set']}",
            f"  weight biased by: {facts['weight_biased_by'] or 'nothing known'}",
            "",
        ]
        if facts["label_set"] not in described:
            described.append(facts["label_set"])
            lines += [*_label_table(facts["label_set"], mask.labels), ""]
    return "\n".join(lines)


def _label_table(name: str, labels: Sequence[dict[str, Any]]) -> list[str]:
    table = [f"Labels of {name}:", "  value  kind       counts as lung  name (code)"]
    for label in labels:
        kind = "exclusion" if label["is_exclusion"] else "lesion"
        lung = "yes" if label["counts_as_lung"] else "no"
        code = label["code"]
        table.append(
            f"  {label['value']:>5}  {kind:<9}  {lung:<14}  {label['name']} ({code['scheme']} {code['value']})"
        )
    return table
