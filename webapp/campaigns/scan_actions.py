"""Scans of the archive that another campaign reads too: chosen by a search, or named in a list."""

import uuid
from collections.abc import Sequence
from typing import Any

from webapp.accounts.models import User
from webapp.archive.models import Scan
from webapp.audit.actor import Actor
from webapp.audit.models import Event
from webapp.audit.refusal import ActionRefused, Refusal, require
from webapp.audit.trail import audited
from webapp.campaigns import events
from webapp.campaigns.actions import add_case
from webapp.campaigns.models import Campaign, Case
from webapp.campaigns.queries import scans_coordinated_by
from webapp.campaigns.rules import may_add_scans
from webapp.campaigns.scan_lists import MOST_SCANS_ADDED

# How the trail writes a moment, as far as both say it.
AT = "%Y-%m-%dT%H:%M:%S.%f"


@audited(events.CASE_ADDED)
def add_scans(*, campaign: Campaign, scans: Sequence[Scan], by: Any) -> list[Case]:
    """Put scans of other campaigns into this one, all or none of them; returns the new cases, by number.

    Those that are in it already stay one case. Their files are not copied: a scan is in the archive once.
    """
    # As it is now: its options, and whether it is closed.
    campaign = Campaign.objects.select_for_update(of=("self",)).get(pk=campaign.pk)
    require(may_add_scans(campaign, by) or _refusal_of_scans(campaign, scans, by))
    there = set(Case.objects.filter(campaign=campaign, scan__in=scans).values_list("scan_id", flat=True))
    new = [scan for scan in scans if scan.pk not in there]
    if not new:
        raise ActionRefused(Refusal("unchanged", f"All of these scans are in {campaign} already."))
    return [add_case(campaign=campaign, scan=scan, by=by) for scan in new]


def _refusal_of_scans(campaign: Campaign, scans: Sequence[Scan], by: User | Actor) -> Refusal | None:
    if campaign.closed_at is not None:
        return Refusal("closed", f"{campaign} is closed: nothing more is read in it.")
    if not scans:
        return Refusal("no_scans", "No scan was chosen that you may add: those of campaigns that you coordinate.")
    if len(scans) > MOST_SCANS_ADDED:
        return Refusal("too_many", f"At most {MOST_SCANS_ADDED:,} scans are added at once: narrow the search.")
    ids = {scan.pk for scan in scans}
    theirs = scans_coordinated_by(by) if isinstance(by, User) else Scan.objects.all()
    if theirs.filter(pk__in=ids).count() != len(ids):
        return Refusal("not_coordinator", "Only a coordinator of a campaign that holds a scan may add it to another.")
    return _refusal_of_options(campaign, ids)


def _refusal_of_options(campaign: Campaign, ids: set[uuid.UUID]) -> Refusal | None:
    """Why scans may not be shown to this campaign's people: what is left of their patients is not what it keeps.

    A scan was filed under the options of the campaign that it came in for, as they were then: its first case's.
    """
    cases = (
        Case.ever.filter(scan__in=ids).select_related("campaign", "scan__study__patient").order_by("-added_at", "-pk")
    )
    first = {case.scan_id: case for case in cases}
    wanted, changes = campaign.deidentification_options, _changes({case.campaign_id for case in first.values()})
    for case in first.values():
        came_in = case.campaign.deidentification_options
        for at, before in reversed(changes.get(f"campaign:{case.campaign_id}", [])):
            if at > case.scan.filed_at.strftime(AT):
                came_in = type(wanted).of(before)
        if came_in != wanted:
            return Refusal(
                "other_options",
                f"The scan of {case.scan.study.patient.pseudonym} was de-identified under other options than "
                f"{campaign} asks for. Send its originals to {campaign} instead.",
            )
    return None


def _changes(campaigns: set[uuid.UUID]) -> dict[str, list[tuple[str, dict[str, Any]]]]:
    """When campaigns changed their options, and what these were before, oldest first."""
    subjects = [f"campaign:{campaign}" for campaign in campaigns]
    found: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    rows = Event.objects.filter(name=events.DEIDENTIFICATION_SET, subject__in=subjects).order_by("pk")
    for event in rows:
        found.setdefault(event.subject, []).append((event.at, event.content["details"]["before"]))
    return found
