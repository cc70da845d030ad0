"""Who may read which events of the audit trail.

Auditors and coordinators read everything of their campaign, unless they read blinded in it themselves: what others do
with their readings must not reach a blinded reader, so of those events nothing is shown, counted or found. Who that is,
and which readings they may know of by now, the rules of readings say (webapp.readings.queries).
"""

import uuid

from django.db.models import Q, QuerySet
from django.http import Http404

from webapp.accounts.models import User
from webapp.audit.events import ACCESS_REFUSED
from webapp.audit.models import Event
from webapp.audit.trail import SITE_CHAIN
from webapp.campaigns.actions import chain_of
from webapp.campaigns.models import OVERSEERS, Campaign, Case
from webapp.campaigns.queries import campaign_for, campaigns_for, current_protocol, roles_of
from webapp.pages.audit_lines import subjects_of_case, subjects_of_readings
from webapp.readings.comments import kept_apart
from webapp.readings.events import READINGS_COMPARED
from webapp.readings.models import Signature
from webapp.readings.queries import readings_of_case_for, sees_all_readings

# What says nothing of anybody's reading. New events are hidden from blinded readers until they are named here.
SAYS_NOTHING_OF_READINGS = (
    "algorithm.patient_marked",
    "algorithm.patient_unmarked",
    "algorithm.registered",
    "algorithm.retired",
    "audit.heads_exported",
    "batch.discarded",
    "batch.finished",
    "batch.opened",
    "batch.originals_removed",
    "batch.processed",
    "batch.reopened",
    "batch.tried_again",
    "campaign.algorithm_disabled",
    "campaign.algorithm_enabled",
    "campaign.created",
    "campaign.default_site_set",
    "campaign.deidentification_set",
    "campaign.draft_algorithm_set",
    "campaign.guideline_picture_added",
    "campaign.member_added",
    "campaign.protocol_set",
    "campaign.cases_scheduled",
    "case.added",
    "case.draft_requested_again",
    "data_set.named",
    "scan.filed",
    "scan.site_named",
)


def audited_campaign_for(user: User, slug: str) -> Campaign:
    """The campaign called `slug`, for its coordinators and auditors; Http404 for everybody else."""
    campaign = campaign_for(user, slug)
    if not roles_of(user, campaign) & OVERSEERS:
        raise Http404("No such page.")
    return campaign


def may_read_audit(user: User, campaign: Campaign) -> bool:
    """Whether a person may read the audit trail of a campaign."""
    return bool(roles_of(user, campaign) & OVERSEERS)


def is_kept_blind(user: User, campaign: Campaign) -> bool:
    """Whether what others do with their readings is hidden from a person until they may know of it."""
    return not sees_all_readings(roles_of(user, campaign), campaign)


def shown_to(user: User, campaign: Campaign, events: QuerySet[Event]) -> QuerySet[Event]:
    """Those of a campaign's events that a person may know of."""
    return events.filter(_known_to(user)) if is_kept_blind(user, campaign) else events


def story_for(user: User, case: Case) -> QuerySet[Event]:
    """The events of a case, its scan, its readings and their masks that a person may know of, in no order."""
    chains = [chain_of(case.campaign), SITE_CHAIN]
    events = Event.objects.filter(subject__in=subjects_of_case(case), chain__in=chains)
    if not is_kept_blind(user, case.campaign):
        return events
    seen = list(readings_of_case_for(user, case))
    known = _known_to(user) | Q(subject__in=subjects_of_readings((reading.pk, reading.mask_id) for reading in seen))
    # What was found between readings is told to whom each of them is shown.
    if _compared_in(case) <= {reading.pk for reading in seen}:
        known |= Q(name=READINGS_COMPARED)
    # What readers beside them do with a draft that both may see (comment on it) would tell that they read the case.
    apart = [str(pk) for pk in kept_apart(user, case)]
    return events.filter(known).exclude(actor_id__in=apart)


def _compared_in(case: Case) -> set[uuid.UUID]:
    """The ids of the readings of a case that were ever compared."""
    compared = [pk for of in case.comparisons.values_list("signatures", flat=True) for pk in of]
    return set(Signature.objects.filter(pk__in=compared).values_list("reading_id", flat=True))


def events_of_campaign_for(user: User, campaign: Campaign) -> QuerySet[Event]:
    """The chain of a campaign as a person may read it."""
    return shown_to(user, campaign, Event.objects.filter(chain=chain_of(campaign)))


def events_of_site_for(user: User) -> QuerySet[Event]:
    """Every chain, for administrators; of campaigns that they read blinded in, what a blinded reader may know of."""
    if not user.is_superuser:
        raise Http404("No such page.")
    mine = [campaign for campaign in campaigns_for(user) if _reads(user, campaign) and is_kept_blind(user, campaign)]
    if not mine:
        return Event.objects.all()
    # The site's chain tells of drafts and of objects that were made from signed masks.
    chains = [SITE_CHAIN, *(chain_of(campaign) for campaign in mine)]
    return Event.objects.filter(~Q(chain__in=chains) | _known_to(user))


def _reads(user: User, campaign: Campaign) -> bool:
    roles = roles_of(user, campaign)
    return any(stage.blinded and stage.role in roles for stage in current_protocol(campaign).stage_list)


def _known_to(user: User) -> Q:
    """What a person did themselves, and what says nothing of readings. Not where they were sent away from: that such an
    event is there would tell them that there is something.
    """
    own = Q(actor_id=str(user.pk)) & ~Q(name=ACCESS_REFUSED)
    return own | Q(name__in=SAYS_NOTHING_OF_READINGS)
