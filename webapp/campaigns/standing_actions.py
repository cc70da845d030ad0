"""A campaign is closed and opened again, archived and taken out of the archive."""

from datetime import datetime
from typing import Any

from django.utils import timezone

from webapp.audit.refusal import Refusal, require
from webapp.audit.trail import audited, record
from webapp.campaigns import events
from webapp.campaigns.actions import chain_of
from webapp.campaigns.models import Campaign
from webapp.campaigns.rules import may_set_protocol

SHORTEST_REASON, LONGEST_REASON = 5, 500


@audited(events.CAMPAIGN_CLOSED)
def close_campaign(*, campaign: Campaign, reason: str, by: Any) -> Campaign:
    """Close a campaign: nothing more is read in it, and blinding that lasts as long as it does ends."""
    require(may_set_protocol(campaign, by))
    campaign = _held(campaign)
    require(Refusal("closed", "This campaign is closed already.") if campaign.closed_at else None)
    return _changed(campaign, events.CAMPAIGN_CLOSED, by, reason, closed_at=timezone.now())


@audited(events.CAMPAIGN_REOPENED)
def reopen_campaign(*, campaign: Campaign, reason: str, by: Any) -> Campaign:
    """Open a closed campaign again, with a reason: what its readers saw meanwhile they have seen."""
    require(may_set_protocol(campaign, by) or _refusal_of_reason(reason))
    campaign = _held(campaign)
    require(None if campaign.closed_at else Refusal("open", "This campaign is open."))
    require(Refusal("archived", "Take the campaign out of the archive first.") if campaign.archived_at else None)
    return _changed(campaign, events.CAMPAIGN_REOPENED, by, reason, closed_at=None)


@audited(events.CAMPAIGN_ARCHIVED)
def archive_campaign(*, campaign: Campaign, reason: str, by: Any) -> Campaign:
    """Take a closed campaign out of the lists. Its address, its readings and its trail stay."""
    require(may_set_protocol(campaign, by))
    campaign = _held(campaign)
    require(Refusal("archived", "This campaign is archived already.") if campaign.archived_at else None)
    require(None if campaign.closed_at else Refusal("open", "Close the campaign first: an open one stays in sight."))
    return _changed(campaign, events.CAMPAIGN_ARCHIVED, by, reason, archived_at=timezone.now())


@audited(events.CAMPAIGN_UNARCHIVED)
def unarchive_campaign(*, campaign: Campaign, reason: str, by: Any) -> Campaign:
    """Put an archived campaign back into the lists."""
    require(may_set_protocol(campaign, by))
    campaign = _held(campaign)
    require(None if campaign.archived_at else Refusal("not_archived", "This campaign is not archived."))
    return _changed(campaign, events.CAMPAIGN_UNARCHIVED, by, reason, archived_at=None)


def _held(campaign: Campaign) -> Campaign:
    return Campaign.objects.select_for_update(of=("self",)).get(pk=campaign.pk)


def _refusal_of_reason(reason: str) -> Refusal | None:
    if SHORTEST_REASON <= len(reason.strip()) <= LONGEST_REASON and "\0" not in reason:
        return None
    return Refusal("no_reason", "Say why, in a few words: the reason stays in the record.")


def _changed(campaign: Campaign, event: str, by: Any, reason: str, **when: datetime | None) -> Campaign:
    for field, moment in when.items():
        setattr(campaign, field, moment)
    campaign.save(update_fields=list(when))
    reason = reason.replace("\0", "").strip()[:LONGEST_REASON]
    record(event, by=by, chain=chain_of(campaign), subject=f"campaign:{campaign.pk}", reason=reason)
    return campaign
