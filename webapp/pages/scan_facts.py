"""What is known of a scan, in words and units, by heading; and what deleting it would destroy."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Sum

from webapp.accounts.models import User
from webapp.algorithms.models import DraftRun
from webapp.archive.models import Scan
from webapp.archive.upkeep import files_named_by, own_files_of
from webapp.campaigns.models import Case, Membership
from webapp.masks.models import ImportedMask, Mask
from webapp.pages.story import spacing_text
from webapp.readings.models import Reading
from webapp.readings.queries import imports_shown

Facts = list[tuple[str, str]]
SEXES = {"F": "female", "M": "male", "O": "other"}


@dataclass(frozen=True)
class File:
    """One stored file of a scan."""

    what: str
    path: str
    sha256: str


@dataclass(frozen=True)
class Loss:
    """What would be lost with a scan, counted."""

    files: int
    cases: int
    drafts: int
    imports: int
    readings: int
    strokes: int


def facts_of(scan: Scan) -> list[tuple[str, Facts]]:
    """(heading, [(name, value)]) of everything that is known; what is not known is not listed."""
    nz, ny, nx = scan.shape_zyx
    patient = scan.study.patient
    age = "" if scan.patient_age_years is None else f"{scan.patient_age_years} years"
    if scan.patient_age_years is not None and scan.patient_age_years >= 90:
        age = "90 years or more"
    agent = "given" if scan.contrast and not scan.contrast_agent else scan.contrast_agent
    day = scan.study.shifted_date
    groups = [
        ("Patient", [("Pseudonym", patient.pseudonym), ("Age", age), ("Sex", SEXES.get(scan.sex, scan.sex))]),
        (
            "Acquisition",
            [
                ("Site", scan.site),
                ("Scanner", scan.scanner),
                ("Series", scan.description),
                ("Body part", scan.body_part),
                ("Date", f"{day:%Y-%m-%d} (shifted)" if day else ""),
                ("Tube voltage", _figure(scan.kvp, "kVp")),
                ("Tube current, first slice", _figure(scan.tube_current_ma, "mA")),
                ("Exposure, first slice", _figure(scan.exposure_mas, "mAs")),
                ("CTDIvol", _figure(scan.ctdi_vol_mgy, "mGy")),
                ("Kernel", scan.kernel),
                ("Contrast", agent or ("none known" if scan.source == "dicom" else "")),
            ],
        ),
        (
            "Geometry",
            [
                ("Slices", f"{nz:,}"),
                ("Voxels", f"{nx} × {ny} × {nz}"),
                ("Spacing", spacing_text(scan)),
                ("Thickness", _figure(scan.slice_thickness_mm, "mm")),
                ("Values", "Hounsfield units" if scan.has_hu else "not Hounsfield units"),
            ],
        ),
        (
            "Identification",
            [
                ("Came as", scan.came_as),
                ("Filed", f"{scan.filed_at:%Y-%m-%d %H:%M}"),
                ("Scan", str(scan.pk)),
                ("Study UID", scan.study.uid),
                ("Series UID", scan.series_uid),
                ("Voxels, SHA-256", scan.voxels_sha256),
                ("Geometry, SHA-256", scan.geometry_sha256),
            ],
        ),
    ]
    return [(heading, [fact for fact in facts if fact[1]]) for heading, facts in groups]


def imports_of_places(cases: Iterable[Case], user: User) -> list[ImportedMask]:
    """The masks that came with a scan, as far as one of its campaigns lets a person see them; by name of data set."""
    found = {imported.pk: imported for case in cases for imported in imports_shown(user, case)}
    return sorted(found.values(), key=lambda imported: imported.data_set.name)


def files_of_scan(scan: Scan) -> list[File]:
    """Every stored file of a scan with its checksum, but for what was made of masks: that has rights of its own."""
    return [File(*named) for named in own_files_of(scan)]


def loss_of(scan: Scan) -> Loss:
    """What goes with a scan."""
    masks = Mask.objects.filter(scan=scan)
    return Loss(
        files=sum(1 for _ in files_named_by(scan)),
        cases=Case.objects.filter(scan=scan).count(),
        drafts=DraftRun.objects.filter(scan=scan).exclude(mask=None).count(),
        imports=ImportedMask.objects.filter(scan=scan).count(),
        readings=Reading.objects.filter(case__scan=scan).exclude(state=Reading.SUPERSEDED).count(),
        strokes=masks.aggregate(strokes=Sum("stroke_sequence"))["strokes"] or 0,
    )


def sees_losses(user: User, scan: Scan) -> bool:
    """Whether counts of readings may be shown: to who coordinates every campaign of the scan, not to who is blinded."""
    held_by = set(Case.objects.filter(scan=scan).values_list("campaign_id", flat=True))
    mine = Membership.objects.filter(user_id=user.pk, role="coordinator").values_list("campaign_id", flat=True)
    return held_by <= set(mine)


def _figure(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:g} {unit}"
