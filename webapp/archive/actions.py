"""What happens to scans."""

import contextlib
import hashlib
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils import timezone

from inference.imaging.slabs import encode_slab, slab_ranges
from inference.imaging.volume import Volume
from webapp import jobs
from webapp.archive import events, rules, storage
from webapp.archive.derived import write_object
from webapp.archive.filing import NewInstance, NewObject, NewScan, one_at_a_time, scan_of
from webapp.archive.models import DerivedObject, Instance, Patient, Picture, Preview, Scan, Series, Study
from webapp.archive.pictures import write_pictures
from webapp.archive.previews import write_preview
from webapp.archive.second_process import is_possible, made_in_second_process
from webapp.audit.actor import actor_of
from webapp.audit.refusal import require
from webapp.audit.trail import audited, record

# zstd, hashing and the disk release the interpreter, so they run beside whoever makes the instances.
WRITERS = 4
ENCODERS = 2
MOST_WAITING = 16


@dataclass(frozen=True)
class Files:
    """What was written for a scan, rows unsaved: a known one has its slabs, preview and pictures already."""

    voxels_sha256: str
    instances: list[Instance]
    slabs: list[dict[str, Any]] = field(default_factory=list)
    preview: Preview | None = None
    pictures: list[Picture] = field(default_factory=list)


def file_scan(
    *,
    new: NewScan,
    volume: Volume,
    instances: Iterable[NewInstance] = (),
    by: Any,
    then: Callable[[Scan], object] | None = None,
    in_second_process: bool = False,
    advance: Callable[[int], object] = lambda written: None,
) -> Scan:
    """File a checked, de-identified series as a scan: its slabs and instances in storage, then its rows.

    `then` is called with the scan in the same transaction (to make it a case, say). With `in_second_process` the
    instances are made and written by a fork of this process, where that is possible: making them may not ask the
    database. `advance` is told how many are written. The very same series again gives the scan that is there.

    Raises ActionRefused (a SOP Instance UID known with other pixels, ...), OSError (disk full) and whatever `then`
    raises; nothing stays written then.
    """
    scan_id = uuid.uuid4()
    known = Scan.objects.filter(series_uid=new.series_uid).exists()
    with storage.removed_on_failure(scan_id):
        if known:
            rows = [_row(instance, volume) for instance in instances]
            files = Files(volume.voxels_sha256(), rows)
        else:
            files = _write_files(scan_id, volume, instances, in_second_process, advance)
        with transaction.atomic():
            scan = _file_rows(scan_id=scan_id, new=new, volume=volume, files=files, by=by)
            if then:
                then(scan)
    if scan.pk != scan_id:  # someone else filed the same series meanwhile
        storage.remove(scan_id)
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


def _write_files(
    scan_id: uuid.UUID,
    volume: Volume,
    instances: Iterable[NewInstance],
    in_second_process: bool,
    advance: Callable[[int], object],
) -> Files:
    """Write slabs, preview, pictures and instances side by side; the slabs are in z order."""

    def write_slab(place: tuple[int, int]) -> dict[str, Any]:
        start, count = place
        content = encode_slab(volume.hu[start : start + count])
        path, sha256 = storage.write(scan_id, storage.SLABS, content, ".slab")
        return {"z_start": start, "z_count": count, "path": path, "sha256": sha256, "bytes": len(content)}

    def draw() -> tuple[Preview, list[Picture]]:
        preview, small = write_preview(scan_id, volume)
        return preview, write_pictures(scan_id, volume, small)

    # The fork comes before there are threads.
    with (
        _instances_written(scan_id, volume, instances, in_second_process) as written,
        ThreadPoolExecutor(ENCODERS) as encoder,
    ):
        try:
            slabs = [encoder.submit(write_slab, place) for place in slab_ranges(volume.shape_zyx[0])]
            drawn = encoder.submit(draw)
            voxels = encoder.submit(volume.voxels_sha256)
            rows = []
            for row in written:
                rows.append(row)
                advance(len(rows))
            files = Files(voxels.result(), rows, [slab.result() for slab in slabs], *drawn.result())
        except BaseException:
            # Nothing may be written any more when the folder is removed.
            encoder.shutdown(cancel_futures=True)
            raise
    storage.sync_folders(scan_id)
    return files


def _instances_written(
    scan_id: uuid.UUID, volume: Volume, instances: Iterable[NewInstance], in_second_process: bool
) -> contextlib.AbstractContextManager[Iterator[Instance]]:
    """The rows of instances, in their order, each when its file is written."""

    def write(instance: NewInstance) -> Instance:
        row = _row(instance, volume)
        row.path, row.sha256 = storage.write(scan_id, storage.INSTANCES, instance.content, ".dcm")
        return row

    # The connections of an object store cannot be shared by two processes.
    if in_second_process and is_possible() and storage.is_file_system():
        return made_in_second_process(map(write, instances))
    return _made_in_threads(write, instances)


@contextlib.contextmanager
def _made_in_threads(
    write: Callable[[NewInstance], Instance], instances: Iterable[NewInstance]
) -> Iterator[Iterator[Instance]]:
    def made() -> Iterator[Instance]:
        waiting: deque[Future[Instance]] = deque()
        for instance in instances:
            waiting.append(writers.submit(write, instance))
            if len(waiting) > MOST_WAITING:
                yield waiting.popleft().result()  # memory holds a few files, never all
        while waiting:
            yield waiting.popleft().result()

    with ThreadPoolExecutor(WRITERS) as writers:
        try:
            yield made()
        except BaseException:
            writers.shutdown(cancel_futures=True)
            raise


def _row(instance: NewInstance, volume: Volume) -> Instance:
    voxels = hashlib.sha256()
    for z in instance.slices:
        voxels.update(volume.hu[z].data)
    return Instance(
        z=min(instance.slices),
        sop_class_uid=instance.sop_class_uid,
        sop_uid=instance.sop_uid,
        voxels_sha256=voxels.hexdigest(),
    )


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
