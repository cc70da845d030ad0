"""Build the files that people take away, from signed versions and nothing else."""

import hashlib
import io
import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import IO, Any

from django.conf import settings

from webapp.accounts.models import User
from webapp.algorithms.models import DraftRun
from webapp.algorithms.training_sets import versions_that_know
from webapp.archive.models import Scan
from webapp.archive.queries import volume_of
from webapp.archive.remarks import weight_remarks_of
from webapp.campaigns.models import Campaign, Case
from webapp.masks.models import Version
from webapp.masks.queries import version_layers
from webapp.readings.around import timeline_of
from webapp.readings.models import Reading
from webapp.readings.scoring import signed_scores_of
from webapp.releases import layouts, tables
from webapp.releases.bundles import Bundle
from webapp.releases.measurements import measured
from webapp.releases.objects import contents_of
from webapp.releases.report_pdf import Moment, report_pdf
from webapp.releases.rules import may_export_seg

ZIP, DICOM, CSV, PDF = "application/zip", "application/dicom", "text/csv; charset=utf-8", "application/pdf"
OBJECT_NAMES = {"findings": "findings.seg.dcm", "anatomy": "anatomy.seg.dcm", "report": "report.sr.dcm"}
BLOCK = 1024 * 1024


@dataclass(frozen=True, eq=False)
class Export:
    """A finished file: its name, its type, and an open file at its beginning that vanishes when closed."""

    name: str
    content_type: str
    file: IO[bytes]
    size_bytes: int
    sha256: str


def case_nifti(reading: Reading) -> Export:
    """The scan and the signed mask of one reading as NIfTI, with README and measurements."""
    mask = signed_mask(reading)
    volume = volume_of(reading.case.scan)
    with _zip_under_way() as (file, bundle):
        layouts.add_image(bundle, "", volume)
        layouts.add_masks(bundle, "", mask, volume.affine_lps)
        bundle.add_text("measurements.csv", tables.measurements_csv([table_row(reading)]))
        bundle.add_text("README.txt", layouts.readme(layouts.NIFTI_FILES, [("", mask)]))
    return _export(f"{case_name(reading.case)}-nifti.zip", ZIP, file)


def campaign_nifti(campaign: Campaign, readings: Sequence[Reading]) -> Export:
    """Every given reading of a campaign as NIfTI: a folder a case, in it the scan and a folder a reading."""
    described = []
    with _zip_under_way() as (file, bundle):
        for case, of_case in groupby(readings, key=lambda reading: reading.case):
            volume = volume_of(case.scan)
            layouts.add_image(bundle, f"{case_folder(case)}/", volume)
            for reading in of_case:
                mask, folder = signed_mask(reading), reading_folder(reading)
                layouts.add_masks(bundle, f"{folder}/", mask, volume.affine_lps)
                described.append((folder, _without_voxels(mask)))
        bundle.add_text("measurements.csv", tables.measurements_csv(table_row(r) for r in readings))
        bundle.add_text("README.txt", layouts.readme(layouts.NIFTI_FILES, described))
    return _export(f"{campaign.slug}-nifti.zip", ZIP, file)


def case_object(reading: Reading, kind: str) -> Export:
    """One layer of a signed mask as a DICOM SEG, or its measurements as an SR ("report"), over the archive's images."""
    content = contents_of(reading.signature.version)[kind]
    return _export(f"{case_name(reading.case)}-{OBJECT_NAMES[kind]}", DICOM, io.BytesIO(content))


def campaign_seg(campaign: Campaign, readings: Sequence[Reading]) -> Export:
    """SEGs and SR of every given reading; scans without DICOM images are named in the README instead."""
    described, left_out = [], []
    with _zip_under_way() as (file, bundle):
        for reading in readings:
            folder = reading_folder(reading)
            refusal = may_export_seg(reading.case.scan)
            if refusal is not None:
                left_out.append(f"{folder}: {refusal.sentence}")
                continue
            for kind, content in contents_of(reading.signature.version).items():
                bundle.add_bytes(f"{folder}/{OBJECT_NAMES[kind]}", content)
            described.append((folder, _without_voxels(signed_mask(reading))))
        bundle.add_text("measurements.csv", tables.measurements_csv(table_row(r) for r in readings))
        bundle.add_text("README.txt", layouts.readme(layouts.SEG_FILES, described, left_out))
    return _export(f"{campaign.slug}-seg.zip", ZIP, file)


def case_report(reading: Reading, user: User) -> Export:
    """One page for people: numbers, pictures, the patient's other scans that a person may know of, who made it."""
    moments = [
        Moment(
            words=f"case {entry.case.number}" + ("" if entry.label == "other" else f", {entry.label}"),
            day=f"{entry.when:%Y-%m-%d}" if entry.when else "not known",
            values=_numbers_of(entry.reading),
        )
        for entry in timeline_of(reading, user)
    ]
    return _export(f"{case_name(reading.case)}-report.pdf", PDF, io.BytesIO(report_pdf(reading, moments)))


def _numbers_of(reading: Reading | None) -> dict[str, Any] | None:
    if reading is None or reading.state != Reading.SIGNED:
        return None
    return measured(reading.signature.version).values


def measurements_table(stem: str, readings: Sequence[Reading]) -> Export:
    """The table of measurements of the given readings."""
    text = tables.measurements_csv(table_row(reading) for reading in readings)
    return _export(f"{stem}-measurements.csv", CSV, io.BytesIO(text.encode()))


def signed_mask(reading: Reading) -> layouts.SignedMask:
    """The signed version of a reading with its layers, labels and facts."""
    version, label_set = reading.signature.version, reading.begun_mask.label_set
    layers = version_layers(version)
    return layouts.SignedMask(
        anatomy=layers["anatomy"],
        findings=layers["findings"],
        labels=label_set.labels,
        lesion_values=label_set.lesion_values,
        facts=facts_of(reading),
    )


def table_row(reading: Reading) -> tables.Row:
    """The line of a signed reading in the table of measurements."""
    names = {label["value"]: label["name"] for label in reading.begun_mask.label_set.labels}
    values = measured(reading.signature.version).values
    return tables.Row(facts_of(reading), values, names, signed_scores_of(reading))


def facts_of(reading: Reading) -> dict[str, str]:
    """Who signed what, as the table's first columns give it."""
    case, signature = reading.case, reading.signature
    return {
        "campaign": case.campaign.slug,
        "case": str(case.number),
        "pseudonym": case.scan.study.patient.pseudonym,
        "reader": str(reading.reader),
        "stage": reading.stage,
        "repeat": str(reading.repeat),
        "independent": "yes" if signature.independent else "no",
        "signed_at": signature.signed_at.isoformat(timespec="seconds"),
        **draft_facts_of(signature.version),
        "in_training_data_of": "; ".join(str(one) for one in versions_that_know(case.scan)),
        "imported_mask": imported_mask_of(signature.version),
        "version_sha256": signature.version_sha256,
        "label_set": str(reading.begun_mask.label_set),
        **scan_facts_of(case.scan),
    }


def scan_facts_of(scan: Scan) -> dict[str, str]:
    """What a weight cannot be read without, as the table gives it; nothing of it can be changed once filed."""
    thickness = scan.slice_thickness_mm
    return {
        "kernel": scan.kernel,
        "slice_thickness_mm": "" if thickness is None else tables.number(thickness),
        "contrast": scan.contrast_agent or ("yes" if scan.contrast else ""),
        "weight_biased_by": "; ".join(remark.short for remark in weight_remarks_of(scan)),
    }


def draft_facts_of(version: Version) -> dict[str, str]:
    """The AI draft that a version descends from, and what it was made with; empty when people began without one."""
    ancestor = _ancestor_by("algorithm", version)
    run = DraftRun.objects.filter(mask=ancestor.mask_id).first() if ancestor else None
    return {
        "draft_algorithm": ancestor.mask.author_name if ancestor else "",
        "draft_weights_sha256": run.weights_sha256 if run else "",
        "draft_options": json.dumps(run.options, sort_keys=True) if run else "",
        "draft_device": run.device if run else "",
        "draft_duration_s": tables.number(run.duration_s) if run else "",
    }


def draft_algorithm_of(version: Version) -> str:
    """The algorithm whose draft a version descends from; empty when people began without one."""
    ancestor = _ancestor_by("algorithm", version)
    return ancestor.mask.author_name if ancestor else ""


def imported_mask_of(version: Version) -> str:
    """The data set whose mask a version descends from; empty when people began without one."""
    ancestor = _ancestor_by("import", version)
    return ancestor.mask.author_name if ancestor else ""


def _ancestor_by(author_kind: str, version: Version) -> Version | None:
    ancestor = version.parent
    while ancestor is not None and ancestor.mask.author_kind != author_kind:
        ancestor = ancestor.parent
    return ancestor


def case_name(case: Case) -> str:
    """The stem of file names of a case."""
    return f"{case.campaign.slug}-{case_folder(case)}"


def case_folder(case: Case) -> str:
    """The folder of a case in a campaign's bundle."""
    return f"case-{case.number:04d}"


def reading_folder(reading: Reading) -> str:
    """The folder of a reading in a campaign's bundle; the id keeps two readers of one name apart."""
    stage, reader = tables.safe_name(reading.stage), tables.safe_name(str(reading.reader))
    return f"{case_folder(reading.case)}/{stage}-{reader}-{reading.pk.hex[:8]}"


def _without_voxels(mask: layouts.SignedMask) -> layouts.SignedMask:
    """What the README needs of a mask, so that a campaign's masks are not all held in memory."""
    none = mask.anatomy[:0].copy()
    return layouts.SignedMask(none, none, mask.labels, mask.lesion_values, mask.facts)


@contextmanager
def _zip_under_way() -> Iterator[tuple[IO[bytes], Bundle]]:
    file = _scratch_file()
    try:
        with Bundle(file) as bundle:
            yield file, bundle
    except BaseException:
        file.close()
        raise


def _scratch_file() -> IO[bytes]:
    """A file without a name in the data folder: large bundles fit there, and nothing is left behind by a crash."""
    folder = Path(settings.GROUNDGLASS_HOME) / "exports"
    folder.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryFile(dir=folder)


def _export(name: str, content_type: str, file: IO[bytes]) -> Export:
    file.seek(0)
    digest, size = hashlib.sha256(), 0
    while block := file.read(BLOCK):
        digest.update(block)
        size += len(block)
    file.seek(0)
    return Export(name, content_type, file, size, digest.hexdigest())
