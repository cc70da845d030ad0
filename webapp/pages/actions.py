"""What looking at pages leaves in the audit trail."""

from collections.abc import Iterable
from typing import Any

from webapp.archive.models import Patient, Scan
from webapp.audit.trail import SITE_CHAIN, audited, record
from webapp.campaigns.actions import chain_of
from webapp.campaigns.models import Campaign, Case
from webapp.pages import events


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


def _chains(campaigns: Iterable[Campaign]) -> list[str]:
    """Always in one order, so that two who look at once never wait for each other; the site's for an administrator."""
    return sorted({chain_of(campaign) for campaign in campaigns}) or [SITE_CHAIN]
