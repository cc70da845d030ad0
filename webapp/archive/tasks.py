"""Work on stored scans that no request waits for."""

import logging

from webapp.archive.models import Preview, Scan
from webapp.archive.previews import write_preview
from webapp.archive.queries import volume_of
from webapp.archive.storage import DamagedFile, sync_folders
from webapp.jobs import task

log = logging.getLogger(__name__)


@task("archive.make_preview")
def make_preview(scan_id: str) -> None:
    """Make the preview of a scan that was filed without one; again is harmless."""
    scan = Scan.objects.get(pk=scan_id)
    if Preview.objects.filter(scan=scan).exists():
        return
    try:
        volume = volume_of(scan)
    except DamagedFile as damage:
        log.error("No preview of scan %s: %s", scan_id, damage)
        return
    made = write_preview(scan.pk, volume)
    sync_folders(scan.pk)
    # The same voxels give the same file: whoever comes second finds the row there.
    Preview.objects.bulk_create([made], ignore_conflicts=True)
