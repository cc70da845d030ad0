"""A patient's scans in order of time, with what a person may see of the readings of each."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import Any

from webapp.accounts.models import User
from webapp.archive.models import Patient, Picture, Scan
from webapp.archive.queries import pictures_of
from webapp.archive.remarks import Remark, remarks_of
from webapp.campaigns.metadata import shown_to
from webapp.campaigns.models import Campaign, Case
from webapp.campaigns.queries import cases_of_scans_for, scans_for
from webapp.pages.charts import Trend, trend_of
from webapp.readings.models import Reading
from webapp.readings.queries import readings_in_campaign_for
from webapp.releases.measurements import known_measurements


@dataclass(frozen=True)
class SeenReading:
    """A reading that the person may see; its numbers are those of its signed version, once measured."""

    reading: Reading
    extent_percent: float | None
    weight_g: float | None


@dataclass(frozen=True)
class Place:
    """A case that a scan is in, with the readings of it that the person may see."""

    case: Case
    readings: list[SeenReading]


@dataclass(frozen=True)
class ScanInTime:
    """One scan of the patient; `label` says how it lies to the one before."""

    scan: Scan
    when: date | None
    label: str
    pictures: dict[str, Picture]
    remarks: list[Remark]
    places: list[Place]


@dataclass(frozen=True)
class CampaignTrend:
    """Extent and weight over time in one campaign: its label set and its readers are its own."""

    campaign: Campaign
    extent: Trend
    weight: Trend


def patient_story_for(user: User, patient: Patient) -> dict[str, Any]:
    """What the page of a patient shows to a person."""
    scans = list(
        scans_for(user)
        .filter(study__patient=patient)
        .select_related("study__patient")
        .order_by("study__shifted_date", "filed_at", "pk")
    )
    places = _places(user, scans)
    scans = [shown_to(user, scan) for scan in scans]
    entries, before = [], None
    for scan in scans:
        when = scan.study.shifted_date
        entries.append(
            ScanInTime(
                scan=scan,
                when=when,
                label=_label(when, before, first=scan is scans[0]),
                pictures=pictures_of(scan),
                remarks=remarks_of(scan),
                places=places[scan.pk],
            )
        )
        before = when
    return {"patient": patient, "entries": entries, "trends": _trends(entries)}


@dataclass(frozen=True)
class Neighbours:
    """The scans of the same patient next to one in time, and how many there are in all."""

    count: int
    prior: Scan | None
    follow_up: Scan | None


def neighbours_of(user: User, scan: Scan) -> Neighbours:
    """The nearest prior and follow-up of a scan that a person may see; none of the same day, or of one not known."""
    mine = scans_for(user).filter(study__patient_id=scan.study.patient_id).select_related("study")
    day = scan.study.shifted_date
    if day is None:
        return Neighbours(mine.count(), None, None)
    before = mine.filter(study__shifted_date__lt=day).order_by("-study__shifted_date", "pk").first()
    after = mine.filter(study__shifted_date__gt=day).order_by("study__shifted_date", "pk").first()
    return Neighbours(mine.count(), before, after)


def places_of(user: User, scan: Scan) -> list[Place]:
    """Where one scan is used, as a person may see it."""
    return _places(user, [scan])[scan.pk]


def _places(user: User, scans: list[Scan]) -> dict[Any, list[Place]]:
    cases = list(cases_of_scans_for(user, scans))
    readings: dict[Any, list[Reading]] = defaultdict(list)
    for campaign in {case.campaign_id: case.campaign for case in cases}.values():
        # Each campaign's own rule says which readings these are: blinding is its, and ends there.
        seen = readings_in_campaign_for(user, campaign).filter(case__in=cases)
        for reading in seen.exclude(state=Reading.SUPERSEDED).order_by("started_at"):
            readings[reading.case_id].append(reading)
    signed = [r for several in readings.values() for r in several if r.state == Reading.SIGNED]
    numbers = known_measurements(reading.signature.version_id for reading in signed)
    found: dict[Any, list[Place]] = defaultdict(list)
    for case in cases:
        found[case.scan_id].append(Place(case, [_seen(reading, numbers) for reading in readings[case.pk]]))
    return found


def _seen(reading: Reading, numbers: dict[Any, dict[str, Any]]) -> SeenReading:
    values = numbers.get(reading.signature.version_id, {}) if reading.state == Reading.SIGNED else {}
    return SeenReading(reading, values.get("extent_percent"), values.get("weight_g"))


def _label(when: date | None, before: date | None, *, first: bool) -> str:
    """How a scan lies to the one before it. No order is claimed where a date is missing."""
    if first:
        return "first scan" if when else "without a date"
    if when is None or before is None:
        return "without a date" if when is None else ""
    days = (when - before).days
    if days == 0:
        return "the same day"
    return f"follow-up, {days} day{'' if days == 1 else 's'} later"


def _trends(entries: list[ScanInTime]) -> list[CampaignTrend]:
    """A pair of charts for each campaign with two scans measured or more: the last signed reading of each counts."""
    campaigns = {place.case.campaign_id: place.case.campaign for entry in entries for place in entry.places}
    trends = []
    for campaign in campaigns.values():
        shown = [
            (entry.when, signed[-1])
            for entry in entries
            for place in entry.places
            if place.case.campaign_id == campaign.pk
            and (signed := [seen for seen in place.readings if seen.extent_percent is not None])
        ]
        if len(shown) > 1:
            days = [when for when, _ in shown]
            trends.append(
                CampaignTrend(
                    campaign,
                    trend_of(
                        days,
                        [seen.extent_percent for _, seen in shown],
                        [f"{seen.extent_percent:.1f} %" for _, seen in shown],
                    ),
                    trend_of(
                        days,
                        [seen.weight_g for _, seen in shown],
                        ["" if seen.weight_g is None else f"{seen.weight_g:,.0f} g" for _, seen in shown],
                    ),
                )
            )
    return trends
