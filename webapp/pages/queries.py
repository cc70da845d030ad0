"""What the pages show to one person: home, the way of a case, which mask a picture may show."""

from dataclasses import dataclass

from django.db.models import Exists, OuterRef

from webapp.accounts.models import User
from webapp.algorithms.models import DraftRun
from webapp.algorithms.queries import finished_draft, latest_draft
from webapp.algorithms.training_sets import refusal_for_validation
from webapp.audit.refusal import Refusal
from webapp.campaigns.models import Campaign, Case
from webapp.campaigns.queries import listed_campaigns_for, protocol_of
from webapp.masks.models import Mask, Version
from webapp.readings.around import LOOK_AHEAD, NextCase, cases_with_room_for, drafts_pending, first_to_begin
from webapp.readings.models import Reading
from webapp.readings.queries import (
    draft_is_shown,
    import_to_begin_from,
    imports_shown,
    readings_of_case_for,
)
from webapp.readings.serialisers import slabs_data

RECENT, FETCHED_AHEAD = 6, 4


def next_case_for(user: User, campaign: Campaign | None = None) -> NextCase | None:
    """The reading that a person began last and has not ended, or else the first case that they may begin."""
    campaigns = [campaign] if campaign else list(listed_campaigns_for(user))
    mine = Reading.objects.filter(
        reader_id=user.pk,
        state__in=(Reading.IN_PROGRESS, Reading.RETURNED),
        case__campaign__in=campaigns,
        case__scan__deleted_at=None,
    ).select_related("case__campaign", "case__scan__study__patient")
    reading = mine.order_by("-started_at").first()
    if reading is not None:
        return NextCase(reading.case, reading)
    for place in campaigns:
        ready = cases_with_room_for(user, place).exclude(drafts_pending(place))
        case = first_to_begin(user, ready[:LOOK_AHEAD])
        if case:
            return NextCase(case, None)
    return None


def recent_readings_for(user: User) -> list[Reading]:
    """The readings that a person began last and may open: a case that is to be read again shows nothing of before."""
    again = Reading.objects.filter(
        case=OuterRef("case"), reader_id=user.pk, repeat__gt=OuterRef("repeat"), state__in=Reading.OPEN_STATES
    )
    readings = Reading.objects.filter(
        ~Exists(again), reader_id=user.pk, case__campaign__in=listed_campaigns_for(user), case__scan__deleted_at=None
    )
    recent = readings.exclude(mask=None).exclude(state__in=Reading.PAST_STATES).select_related("case__campaign")
    return list(recent.order_by("-started_at")[:RECENT])


def first_slabs_of(following: NextCase | None) -> list[str]:
    """Where the slabs are that are shown first of what is read next: those in its middle, to be fetched ahead."""
    if following is None:
        return []
    slabs = slabs_data(following.case)
    middle = len(slabs) // 2
    return [slab["url"] for slab in sorted(slabs, key=lambda slab: abs(slabs.index(slab) - middle))[:FETCHED_AHEAD]]


@dataclass(frozen=True)
class DraftView:
    """The AI draft of a case: its run and, once finished, the version that it cut.

    `not_validated` says why what drafted it is not validated on this scan: it learned from it.
    """

    run: DraftRun
    version: Version | None
    not_validated: Refusal | None = None


def draft_for(user: User, case: Case) -> DraftView | None:
    """The AI draft of a case, where a person may know of it."""
    campaign = case.campaign
    if not draft_is_shown(user, case):
        return None
    run = latest_draft(case.scan, campaign.draft_algorithm, campaign.label_set)
    if run is None:
        return None
    version = run.mask.versions.order_by("number").first() if run.mask else None
    return DraftView(run, version, refusal_for_validation(run.algorithm, case.scan))


def visible_mask_for(user: User, case: Case) -> Mask | None:
    """The mask that a picture of a case may show to a person: of the last reading they may see, of repeats only where
    they see nothing else, else of what readings begin from, else the AI draft.
    """
    readings = readings_of_case_for(user, case).exclude(state=Reading.SUPERSEDED).exclude(mask=None)
    reading = readings.order_by("-repeat", "started_at").last()
    if reading is not None:
        return reading.mask
    imported = import_to_begin_from(case, protocol_of(case).stage_list[0])
    if imported is not None and imported in imports_shown(user, case):
        return imported.mask
    if not draft_is_shown(user, case):
        return None
    run = finished_draft(case.scan, case.campaign.draft_algorithm, case.campaign.label_set)
    return run.mask if run else None
