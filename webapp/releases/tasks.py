"""Measuring and filing in a worker, so that pages and viewers find numbers and objects soon after a signature."""

import logging

from webapp.archive.actions import file_objects
from webapp.archive.models import DerivedObject
from webapp.archive.storage import DamagedFile
from webapp.audit.actor import SYSTEM
from webapp.audit.refusal import ActionRefused
from webapp.jobs import task
from webapp.masks.models import Version
from webapp.releases.measurements import measured
from webapp.releases.rules import may_export_seg

log = logging.getLogger(__name__)


@task("releases.measure_version")
def measure_version(version_id: str) -> None:
    """Measure one version; again is harmless."""
    measured(Version.objects.select_related("mask__scan", "mask__label_set").get(pk=version_id))


@task("releases.file_version")
def file_version(version_id: str) -> None:
    """File the DICOM objects of one version beside its scan's images; again is harmless.

    A scan that has no DICOM images for them to refer to (it came as other files, or was deleted) gets none.
    """
    version = Version.objects.select_related("mask__scan", "mask__label_set").get(pk=version_id)
    from webapp.releases.objects import KINDS, objects_of  # only where it is used: its libraries are large

    if may_export_seg(version.mask.scan) is not None or not version.mask.scan.instances.exists():
        return
    if DerivedObject.objects.filter(made_from=version.pk).count() == len(KINDS):
        return
    try:
        objects = objects_of(version)
    except DamagedFile as damage:
        log.error("No DICOM objects of version %s: %s", version_id, damage)
        return
    try:
        file_objects(scan=version.mask.scan, made_from=version.pk, objects=objects, by=SYSTEM)
    except ActionRefused as refused:  # its scan was deleted while they were made
        log.warning("No DICOM objects of version %s: %s", version_id, refused)
