"""Work on stored scans that no request waits for."""

import logging
import uuid

from django.db import transaction

from inference.imaging.preview import encoded_preview
from inference.imaging.volume import Volume
from webapp.archive import storage
from webapp.archive.headers import series_of_scan
from webapp.archive.models import Picture, Preview, Scan, Series
from webapp.archive.pictures import write_pictures
from webapp.archive.previews import write_preview
from webapp.archive.queries import volume_of
from webapp.jobs import task

log = logging.getLogger(__name__)


@task("archive.make_preview")
def make_preview(scan_id: str) -> None:
    """Make the preview of a scan that was filed without one; again is harmless."""
    scan = Scan.objects.filter(pk=scan_id, preview=None).first()
    volume = _volume(scan)
    if scan is None or volume is None:
        return
    made, _ = write_preview(scan.pk, volume)
    storage.sync_folders(scan.pk)
    # The same voxels give the same file: whoever comes second finds the row there.
    Preview.objects.bulk_create([made], ignore_conflicts=True)
    _remove_if_deleted(scan.pk)


@task("archive.make_pictures")
def make_pictures(scan_id: str) -> None:
    """Make the pictures of a scan that was filed without them; again is harmless."""
    scan = Scan.objects.filter(pk=scan_id, pictures=None).first()
    volume = _volume(scan)
    if scan is None or volume is None:
        return
    made = write_pictures(scan.pk, volume, encoded_preview(volume)[1])
    storage.sync_folders(scan.pk)
    Picture.objects.bulk_create(made, ignore_conflicts=True)
    _remove_if_deleted(scan.pk)


@task("archive.remove_files")
def remove_files(scan_id: str) -> None:
    """Remove what is stored for a scan that was deleted. Twice does no more than once; a scan that is there is safe."""
    if Scan.objects.filter(pk=scan_id).exists():
        log.error("The files of scan %s stay: it is not deleted.", scan_id)
        return
    storage.remove(uuid.UUID(scan_id))


def _volume(scan: Scan | None) -> Volume | None:
    if scan is None:  # made by someone else, or deleted
        return None
    try:
        return volume_of(scan)
    except storage.DamagedFile as damage:
        log.error("Nothing is drawn of scan %s: %s", scan.pk, damage)
        return None


def _remove_if_deleted(scan_id: uuid.UUID) -> None:
    """A scan may have been deleted while it was drawn: what was just written then goes too."""
    if not Scan.objects.filter(pk=scan_id).exists():
        Picture.objects.filter(scan_id=scan_id).delete()
        Preview.objects.filter(scan_id=scan_id).delete()
        storage.remove(scan_id)


@task("archive.index_series")
def index_series(scan_id: str) -> None:
    """Read what the headers of a scan's files say, so that DICOMweb finds its series; again is harmless."""
    scan = Scan.objects.filter(pk=scan_id).first()
    if scan is None or Series.objects.filter(scan=scan, made_from=None).exists():
        return
    try:
        series = series_of_scan(scan)
    except storage.DamagedFile as damage:
        log.error("Scan %s cannot be found by DICOMweb: %s", scan_id, damage)
        return
    with transaction.atomic():
        # The scan is held, lest it be deleted meanwhile and leave the row behind.
        if Scan.objects.select_for_update().filter(pk=scan.pk).exists():
            # The same files give the same row: whoever comes second finds it there.
            Series.objects.bulk_create([series], ignore_conflicts=True)
