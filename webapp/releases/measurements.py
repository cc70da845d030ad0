"""Measure signed versions, once each."""

from collections.abc import Iterable
from typing import Any

from webapp.archive.queries import volume_of
from webapp.masks.models import Version
from webapp.masks.queries import version_layers
from webapp.readings.queries import measurements_of
from webapp.releases.models import Measurement


def measured(version: Version) -> Measurement:
    """The numbers of a version, computed now if they never were (a second or two for a large scan)."""
    known = Measurement.objects.filter(version=version).first()
    if known is not None:
        return known
    mask = version.mask
    numbers = measurements_of(volume_of(mask.scan), version_layers(version), mask.label_set)
    # Two requests at once compute the same numbers: the first one's row stands.
    return Measurement.objects.get_or_create(version=version, defaults={"values": numbers.as_dict()})[0]


def known_measurements(version_ids: Iterable[Any]) -> dict[Any, dict[str, Any]]:
    """The numbers of those versions that were measured already, by version id."""
    rows = Measurement.objects.filter(version_id__in=list(version_ids))
    return dict(rows.values_list("version_id", "values"))
