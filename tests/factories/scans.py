"""Many scans' records at once, without files: enough to search, sort and count by."""

import random
import uuid
from datetime import date, timedelta

from webapp.archive.filing import fill_search
from webapp.archive.models import Patient, Scan, Study
from webapp.campaigns.models import Campaign, Case

SCANNERS = (
    ("SIEMENS", "SOMATOM Definition", ("B60f", "Br40")),
    ("GE MEDICAL SYSTEMS", "LightSpeed VCT", ("LUNG", "STANDARD")),
    ("TOSHIBA", "Aquilion ONE", ("FC51", "FC18")),
)
AFFINE = [[0.7, 0, 0, 0], [0, 0.7, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]


def a_scan_record(campaign: Campaign | None = None, patient: Patient | None = None, **fields) -> Scan:
    """One scan, in a campaign where one is given; `fields` are its columns, and `pseudonym`, `shifted_date`."""
    pseudonym = fields.pop("pseudonym", f"GG-{uuid.uuid4().hex[:12].upper()}")
    patient = patient or Patient.objects.create(pseudonym=pseudonym)
    study = Study.objects.create(
        patient=patient, uid=f"2.25.{uuid.uuid4().int}", shifted_date=fields.pop("shifted_date", date(2019, 5, 1))
    )
    scan = _scan(study, **{"sex": "F", **fields})
    scan.save()
    if campaign is not None:
        number = Case.ever.filter(campaign=campaign).count() + 1
        Case.objects.create(campaign=campaign, scan=scan, number=number)
    return scan


def many_scans(campaign: Campaign, count: int, seed: int = 1) -> None:
    """`count` scans of as many patients in a campaign, of all sorts."""
    chance = random.Random(seed)
    patients = [Patient(pseudonym=f"GG-{chance.getrandbits(64):016X}") for _ in range(count)]
    studies = [
        Study(
            patient=patient,
            uid=f"2.25.{chance.getrandbits(96)}",
            shifted_date=date(2010, 1, 1) + timedelta(days=chance.randrange(4000)),
        )
        for patient in patients
    ]
    scans = []
    for study in studies:
        manufacturer, model_name, kernels = chance.choice(SCANNERS)
        scans.append(
            _scan(
                study,
                manufacturer=manufacturer,
                model_name=model_name,
                kernel=chance.choice(kernels),
                slice_thickness_mm=chance.choice([0.625, 1.0, 1.25, 2.0, 5.0]),
                kvp=chance.choice([100.0, 120.0]),
                patient_age_years=chance.randrange(18, 91),
                sex=chance.choice(["F", "M"]),
                site=f"Hospital {chance.randrange(13):02d}",
                contrast=chance.random() < 0.2,
            )
        )
    Patient.objects.bulk_create(patients, batch_size=2000)
    Study.objects.bulk_create(studies, batch_size=2000)
    Scan.objects.bulk_create(scans, batch_size=1000)
    first = Case.ever.filter(campaign=campaign).count() + 1
    Case.objects.bulk_create(
        (Case(campaign=campaign, scan=scan, number=first + n) for n, scan in enumerate(scans)), batch_size=2000
    )


def _scan(study: Study, **fields) -> Scan:
    known = {
        "series_uid": f"2.25.{uuid.uuid4().int}",
        "source": "dicom",
        "shape_zyx": [300, 512, 512],
        "affine_lps": AFFINE,
        "geometry_sha256": "0" * 64,
        "voxels_sha256": "0" * 64,
        "slabs": [],
        "description": "Chest",
        "slice_count": 300,
        "spacing_z_mm": 1.0,
        "spacing_xy_mm": 0.7,
    }
    scan = Scan(study=study, **{**known, **fields})
    fill_search(scan)
    return scan
