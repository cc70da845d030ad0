"""What looking at pages leaves in the audit trail."""

from collections.abc import Iterable
from typing import Any

from webapp.archive.models import Patient, Scan
from webapp.audit.events import ACCESS_REFUSED, EVENTS_DOWNLOADED
from webapp.audit.trail import SITE_CHAIN, audited, record
from webapp.campaigns.actions import chain_of
from webapp.campaigns.models import Campaign, Case
from webapp.pages import events
from webapp.pages.things import Thing, chain_for, subject_of
from webapp.readings.models import Reading


@audited(events.SCAN_VIEWED)
def view_scan(*, case: Case, by: Any) -> None:
    """Note that a person opened the page of a case, with its scan's picture."""
    record(
        events.SCAN_VIEWED,
        by=by,
        chain=chain_of(case.campaign),
        subject=f"scan:{case.scan_id}",
        case=case.number,
    )


@audited(events.SCAN_VIEWED)
def view_scan_page(*, scan: Scan, campaigns: Iterable[Campaign], by: Any) -> None:
    """Note that a person opened the page of a scan, in the trail of each campaign by which they may."""
    for chain in _chains(campaigns):
        record(events.SCAN_VIEWED, by=by, chain=chain, subject=f"scan:{scan.pk}")


@audited(events.PATIENT_VIEWED)
def view_patient(*, patient: Patient, campaigns: Iterable[Campaign], by: Any) -> None:
    """Note that a person opened the page of a patient, in the trail of each campaign by which they may."""
    for chain in _chains(campaigns):
        record(events.PATIENT_VIEWED, by=by, chain=chain, subject=f"patient:{patient.pk}")


@audited(events.SCAN_VIEWED)
def look_at_pixels(*, case: Case, by: Any) -> None:
    """Note that the pixels of a case were read, by the viewer or by a program."""
    record(
        events.SCAN_VIEWED,
        by=by,
        chain=chain_of(case.campaign),
        subject=f"scan:{case.scan_id}",
        case=case.number,
        shown="pixels",
    )


@audited(events.PICTURES_VIEWED)
def look_at_pictures(*, campaign: Campaign | None, thing: Thing, by: Any) -> None:
    """Note that small pictures of a campaign's cases were looked at, on a list or alone; `thing` is the first."""
    record(
        events.PICTURES_VIEWED,
        by=by,
        chain=chain_of(campaign) if campaign else SITE_CHAIN,
        subject=subject_of(campaign or thing),
        first=subject_of(thing),
    )


@audited(events.READING_VIEWED)
def look_at_reading(*, reading: Reading, by: Any) -> None:
    """Note that a reading's mask was read outside of the viewer's page."""
    record(
        events.READING_VIEWED,
        by=by,
        chain=chain_of(reading.case.campaign),
        subject=f"reading:{reading.pk}",
        case=reading.case.number,
        shown="mask",
    )


@audited(ACCESS_REFUSED)
def refuse_access(*, thing: Thing, method: str, path: str, by: Any) -> None:
    """Note that somebody asked for what is there and was told that it is not, since they may not see it."""
    record(ACCESS_REFUSED, by=by, chain=chain_for(thing), subject=subject_of(thing), method=method, path=path)


@audited(EVENTS_DOWNLOADED)
def download_events(*, chain: str, kind: str, asked: dict[str, str], subject: str = "audit", by: Any) -> None:
    """Note that somebody takes events of a chain away, or of all chains where it is the site's."""
    record(EVENTS_DOWNLOADED, by=by, chain=chain, subject=subject, format=kind, asked=asked)


def _chains(campaigns: Iterable[Campaign]) -> list[str]:
    """Always in one order, so that two who look at once never wait for each other; the site's for an administrator."""
    return sorted({chain_of(campaign) for campaign in campaigns}) or [SITE_CHAIN]
