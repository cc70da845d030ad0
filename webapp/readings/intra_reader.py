"""The same reader twice on one case: pairs of a first reading and its repeats, as statistics take them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from webapp.accounts.models import User
from webapp.campaigns.models import Campaign, Case
from webapp.readings.models import Signature
from webapp.readings.queries import readings_in_campaign_for


@dataclass(frozen=True)
class IntraReaderPair:
    """A signed first reading and a signed repeat of it, by the same reader under the same protocol."""

    first: Signature
    again: Signature

    @property
    def extent_difference(self) -> float | None:
        """Extent of the repeat minus that of the first, in percentage points; None where one is not measured."""
        first, again = (extent_percent_of(one) for one in (self.first, self.again))
        return None if first is None or again is None else again - first


def extent_percent_of(signature: Signature) -> float | None:
    """The measured extent of what was signed; None while a worker has not measured it, and without lung."""
    # Releases, above, keeps the measurements: the query follows the relation.
    measurement = getattr(signature.version, "measurement", None)
    value: float | None = measurement.values.get("extent_percent") if measurement else None
    return value


def independent_signatures(user: User, campaign: Campaign) -> QuerySet[Signature]:
    """The independent values of a campaign that a person may see: what was signed unaware of other readings.

    A first reading and its repeats count each; an amendment takes no place of what it amends, which stays here
    (records.md). Only cases of the study count.
    """
    seen = readings_in_campaign_for(user, campaign).filter(case__kind=Case.STUDY, supersedes=None)
    signatures = Signature.objects.filter(reading__in=seen.values("pk"), independent=True)
    return signatures.select_related("reading__case", "reading__reader", "reading__protocol", "version__measurement")


def intra_reader_pairs(user: User, campaign: Campaign) -> list[IntraReaderPair]:
    """Each repeat that a person may see, with the first reading that it repeats, by case and reader."""
    signatures = independent_signatures(user, campaign)
    repeats = signatures.filter(reading__repeat__gt=0)
    cases = repeats.values("reading__case")
    order = ("reading__case__number", "reading__stage", "reading__reader_id", "reading__repeat")
    firsts = _by_reader(signatures.filter(reading__repeat=0, reading__case__in=cases).order_by("signed_at"))
    pairs = [(firsts.get(_key(again)), again) for again in repeats.order_by(*order)]
    return [IntraReaderPair(first, again) for first, again in pairs if first is not None]


def _key(signature: Signature) -> tuple[Any, ...]:
    reading = signature.reading
    return reading.case_id, reading.stage, reading.reader_id, reading.protocol_id


def _by_reader(signatures: Iterable[Signature]) -> dict[tuple[Any, ...], Signature]:
    return {_key(one): one for one in signatures}
