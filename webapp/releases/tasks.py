"""Measuring in a worker, so that the worklist shows extents soon after a signature."""

from webapp.jobs import task
from webapp.masks.models import Version
from webapp.releases.measurements import measured


@task("releases.measure_version")
def measure_version(version_id: str) -> None:
    """Measure one version; again is harmless."""
    measured(Version.objects.select_related("mask__scan", "mask__label_set").get(pk=version_id))
