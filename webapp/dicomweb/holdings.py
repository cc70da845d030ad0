"""The DICOM files that an address means, of those that one person may see."""

import io
from dataclasses import dataclass

from pydicom import FileDataset, dcmread

from webapp.archive.derived import object_bytes
from webapp.archive.models import DerivedObject, Instance, Series
from webapp.archive.queries import instance_bytes
from webapp.dicomweb.access import Place
from webapp.dicomweb.faults import NotFound


@dataclass(frozen=True)
class Holding:
    """One DICOM file of the archive: a scan's instance, or an object made from a mask."""

    series: Series
    sop_uid: str
    sha256: str
    stored: Instance | DerivedObject

    @property
    def path(self) -> str:
        """Its address under a DICOMweb root."""
        return f"/studies/{self.series.scan.study.uid}/series/{self.series.uid}/instances/{self.sop_uid}"

    def content(self) -> bytes:
        """The file, verified. Raises storage.DamagedFile. Needs no database."""
        if isinstance(self.stored, Instance):
            return instance_bytes(self.stored)
        return object_bytes(self.stored)

    def dataset(self) -> FileDataset:
        """The file, verified and parsed."""
        return dcmread(io.BytesIO(self.content()))


def series_in(place: Place, study_uid: str, series_uid: str | None = None) -> list[Series]:
    """The series of a study that may be seen, or the one named; raises NotFound. Scans come before what was made."""
    found = place.series.filter(scan__study__uid=study_uid).select_related("scan__study").defer("headers")
    if series_uid is not None:
        found = found.filter(uid=series_uid)
    rows = sorted(found, key=lambda row: (row.made_from is not None, row.number or 0, row.uid))
    if not rows:
        raise NotFound(f"There is no such {'study' if series_uid is None else 'series'} in this campaign.")
    return rows


def holdings_in(rows: list[Series]) -> list[Holding]:
    """Every file of some series, in order."""
    own = {row.scan_id: row for row in rows if row.made_from is None}
    found: dict[int, list[Holding]] = {row.pk: [] for row in rows}
    for instance in Instance.objects.filter(scan__in=list(own)).order_by("scan", "z"):
        row = own[instance.scan_id]
        found[row.pk].append(Holding(row, instance.sop_uid, instance.sha256, instance))
    by_pk = {row.pk: row for row in rows}
    for derived in DerivedObject.objects.filter(series__in=[row.pk for row in rows]):
        row = by_pk[derived.series_id]
        found[row.pk].append(Holding(row, derived.sop_uid, derived.sha256, derived))
    return [holding for row in rows for holding in found[row.pk]]


def holding_in(place: Place, study_uid: str, series_uid: str, sop_uid: str) -> Holding:
    """One file; raises NotFound."""
    (row,) = series_in(place, study_uid, series_uid)
    stored: Instance | DerivedObject | None
    if row.made_from is None:
        stored = Instance.objects.filter(scan=row.scan_id, sop_uid=sop_uid).first()
    else:
        stored = DerivedObject.objects.filter(series=row.pk, sop_uid=sop_uid).first()
    if stored is None:
        raise NotFound("There is no such instance in this series.")
    return Holding(row, sop_uid, stored.sha256, stored)


def middle_of(rows: list[Series]) -> Holding:
    """The image in the middle of the first scan among some series: it stands for them. Raises NotFound."""
    images = holdings_in([row for row in rows if row.made_from is None][:1] or rows[:1])
    if not images:
        raise NotFound("There is no image in it.")
    return images[len(images) // 2]
