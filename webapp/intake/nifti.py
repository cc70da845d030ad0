"""One NIfTI volume, from its file to a scan. Its header's texts and its name are never kept."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from inference.imaging.dicom import SeriesVolume
from inference.imaging.findings import Finding, SeriesRefused
from inference.imaging.formats import read_volume
from webapp.archive.filing import NewScan
from webapp.archive.queries import filed_scan
from webapp.campaigns.models import Campaign
from webapp.intake.identity import Identity, new_uid
from webapp.intake.series import Filed, file_with_case, sentence_of
from webapp.intake.sources import Found

# A volume has nothing that options could keep: its UIDs are the same in every campaign.
PROFILE = "groundglass-volume-1"
NO_PATIENT = Finding("no_patient", "NIfTI names no patient: the scan counts as a patient of its own.")


def file_nifti(found: Found, campaign: Campaign, by: Any, advance: Callable[[float], None]) -> Filed:
    """Check and file one NIfTI scan. Raises SeriesRefused, ActionRefused, OSError.

    The voxels name it: the same volume, however compressed, is recognised.
    """
    with tempfile.TemporaryDirectory(prefix="groundglass-") as folder:
        path = Path(folder, f"volume{found.suffix}")
        with found.open() as stream, open(path, "wb") as copy:
            shutil.copyfileobj(stream, copy)
        if path.stat().st_size == 0:
            raise SeriesRefused("empty_file", "It is empty (0 bytes).")
        read = read_volume(path, found.label)
    advance(0.5)
    volume = read.volume
    uid = new_uid(f"nifti {volume.voxels_sha256()} {volume.geometry_sha256()}", PROFILE)
    warnings = [*read.warnings, NO_PATIENT]
    series = SeriesVolume(volume, [], warnings)
    new = NewScan(
        pseudonym=Identity(series_uid=uid).pseudonym,
        study_uid=new_uid(f"study of {uid}", PROFILE),
        series_uid=uid,
        source="nifti",
        warnings=[{"code": w.code, "sentence": w.sentence} for w in warnings],
    )
    known = filed_scan(uid) is not None
    scan, case_number = file_with_case(new, series, iter(()), campaign, by)
    advance(1.0)
    notes = [note.sentence for note in read.notes]
    return Filed(scan, case_number, "NIfTI", sentence_of(scan, case_number, known), notes)
