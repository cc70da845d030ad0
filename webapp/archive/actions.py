"""What happens to scans."""

import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.utils import timezone

from inference.imaging.volume import Volume
from webapp import jobs
from webapp.archive import events, rules, storage
from webapp.archive.derived import write_object
from webapp.archive.filing import NewInstance, NewObject, NewScan, one_at_a_time, scan_of
from webapp.archive.models import DerivedObject, Instance, Patient, Picture, Preview, Scan, Series, Study
from webapp.archive.writing import Begun, Files, begun, known_files, write_files
from webapp.audit.actor import actor_of
from webapp.audit.refusal import require
from webapp.audit.refused import refusals_recorded
from webapp.audit.trail import audited, one_transaction, record


def file_scan(
    *,
    new: NewScan,
    volume: Volume,
    instances: Iterable[NewInstance] | Begun = (),
    by: Any,
    then: Callable[[Scan], object] | None = None,
    advance: Callable[[int], object] = lambda written: None,
) -> Scan:
    """File a checked, de-identified series as a scan: its slabs and instances in storage, then its rows.

    Instances that are being written already go on (`writing.begun`); `advance` is told how many are. `then` is called
    with the scan in the same transaction (to make it a case, say). The very same series again gives the scan that is
    there.

    Raises ActionRefused (a SOP Instance UID known with other pixels, ...), OSError (disk full) and whatever `then`
    raises; nothing stays written then.
    """
    with refusals_recorded("archive.file_scan", by=by):
        return _file_scan(new=new, volume=volume, instances=instances, by=by, then=then, advance=advance)


def _file_scan(
    *,
    new: NewScan,
    volume: Volume,
    instances: Iterable[NewInstance] | Begun,
    by: Any,
    then: Callable[[Scan], object] | None,
    advance: Callable[[int], object],
) -> Scan:
    if isinstance(instances, Begun):
        files, scan_id = write_files(instances, volume, advance), instances.scan_id
    elif Scan.objects.filter(series_uid=new.series_uid).exists():
        files, scan_id = known_files(instances, volume), uuid.uuid4()
    else:
        with begun(instances) as scan_begun:
            return _file_scan(new=new, volume=volume, instances=scan_begun, by=by, then=then, advance=advance)
    with one_transaction():
        scan = _file_rows(scan_id=scan_id, new=new, volume=volume, files=files, by=by)
        if then:
            then(scan)
    return scan


@audited(events.SCAN_FILED)
def _file_rows(*, scan_id: uuid.UUID, new: NewScan, volume: Volume, files: Files, by: Any) -> Scan:
    geometry, voxels, rows = volume.geometry_sha256(), files.voxels_sha256, files.instances
    one_at_a_time()
    require(
        rules.may_file_scan(
            pseudonym=new.pseudonym,
            study_uid=new.study_uid,
            series_uid=new.series_uid,
            geometry_sha256=geometry,
            voxels_sha256=voxels,
            instances={row.sop_uid: row.voxels_sha256 for row in rows},
        )
    )
    scan = Scan.objects.filter(series_uid=new.series_uid).first()
    known = scan is not None
    if scan is None:
        patient, _ = Patient.objects.get_or_create(pseudonym=new.pseudonym)
        study, _ = Study.objects.get_or_create(
            uid=new.study_uid, defaults={"patient": patient, "shifted_date": new.shifted_date}
        )
        scan = scan_of(new, volume, study=study, scan_id=scan_id, slabs=files.slabs, voxels_sha256=voxels)
        scan.save(force_insert=True)
        for row in rows:
            row.scan = scan
        Instance.objects.bulk_create(rows, batch_size=500)
        if files.preview:
            files.preview.save(force_insert=True)
        Picture.objects.bulk_create(files.pictures)
        if rows:
            jobs.enqueue("archive.index_series", scan_id=str(scan.pk))
    record(
        events.SCAN_FILED,
        by=by,
        subject=f"scan:{scan.pk}",
        geometry_sha256=geometry,
        voxels_sha256=voxels,
        instances=len(rows),
        already_there=known,
    )
    return scan


# Promised by _file_rows, whose transaction begins only when the files are written.
file_scan.audited_events = (events.SCAN_FILED,)  # type: ignore[attr-defined]


@audited(events.SCAN_DELETED)
def mark_scan_deleted(*, scan: Scan, reason: str, by: Any) -> Scan:
    """Make a scan its tombstone; a job removes its files after the commit. Part of deleting a scan (releases).

    Whether it may go is asked there, where it is known what was made of it. The row keeps who, when and why, and the
    hashes of what there was; the rows of its files go, so that the same images may be filed anew.
    """
    one_at_a_time()
    scan = Scan.ever.select_for_update(of=("self",)).get(pk=scan.pk)
    require(rules.may_mark_deleted(scan))
    files = len(scan.slabs) + Instance.objects.filter(scan=scan).delete()[0]
    files += Preview.objects.filter(scan=scan).delete()[0] + Picture.objects.filter(scan=scan).delete()[0]
    files += DerivedObject.objects.filter(series__scan=scan).delete()[0]
    Series.objects.filter(scan=scan).delete()
    scan.deleted_at, scan.deleted_by_name, scan.deletion_reason = timezone.now(), actor_of(by).name[:120], reason
    scan.save(update_fields=["deleted_at", "deleted_by_name", "deletion_reason"])
    jobs.enqueue("archive.remove_files", scan_id=str(scan.pk))
    record(
        events.SCAN_DELETED,
        by=by,
        subject=f"scan:{scan.pk}",
        reason=reason,
        geometry_sha256=scan.geometry_sha256,
        voxels_sha256=scan.voxels_sha256,
        files=files,
    )
    return scan


@audited(events.OBJECTS_FILED)
def file_objects(*, scan: Scan, made_from: uuid.UUID, objects: Sequence[NewObject], by: Any) -> list[DerivedObject]:
    """File DICOM objects made from one version of a mask (`made_from`) beside the scan's own images.

    An object of that kind and version that is there already stays: the same version gives the same file.
    Raises ActionRefused where the scan was deleted, OSError (disk full).
    """
    held = Scan.ever.select_for_update(of=("self",)).get(pk=scan.pk)
    require(rules.may_file_objects(held))
    known = set(DerivedObject.objects.filter(made_from=made_from).values_list("kind", flat=True))
    rows = [write_object(held, made_from, new) for new in objects if new.kind not in known]
    storage.sync_folders(held.pk)
    for row in rows:
        row.series.save(force_insert=True)
        row.save(force_insert=True)
    record(
        events.OBJECTS_FILED,
        by=by,
        subject=f"scan:{scan.pk}",
        version=str(made_from),
        objects={row.kind: row.sop_uid for row in rows},
        already_there=sorted(known),
    )
    return rows
