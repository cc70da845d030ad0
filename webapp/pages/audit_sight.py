"""Who may read which events of the audit trail.

Auditors read everything of their campaign and coordinators too, unless they read cases in it themselves: what others do
with their readings must not reach a blinded reader, so of those events nothing is shown, counted or found.
"""

from django.db.models import Q, QuerySet
from django.http import Http404

from webapp.accounts.models import User
from webapp.audit.models import Event
from webapp.audit.trail import SITE_CHAIN
from webapp.campaigns.actions import chain_of
from webapp.campaigns.models import Campaign, Membership
from webapp.campaigns.queries import campaign_for, roles_of

OVERSEERS = {"coordinator", "auditor"}
READERS = {"technician", "radiologist", "adjudicator"}
# What says nothing of anybody's reading. New events are hidden from blinded readers until they are named here.
SAYS_NOTHING_OF_READINGS = (
    "algorithm.registered",
    "audit.heads_exported",
    "batch.discarded",
    "batch.finished",
    "batch.opened",
    "batch.originals_removed",
    "batch.processed",
    "batch.reopened",
    "batch.tried_again",
    "campaign.created",
    "campaign.default_site_set",
    "campaign.deidentification_set",
    "campaign.guideline_picture_added",
    "campaign.member_added",
    "campaign.protocol_set",
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
    """Whether what others do with their readings is hidden from a person: from readers, and from those of no role."""
    roles = roles_of(user, campaign)
    return bool(roles & READERS) or not roles & OVERSEERS


def shown_to(user: User, campaign: Campaign, events: QuerySet[Event]) -> QuerySet[Event]:
    """Those of a campaign's events that a person may know of."""
    return events.filter(_known_to(user)) if is_kept_blind(user, campaign) else events


def events_of_campaign_for(user: User, campaign: Campaign) -> QuerySet[Event]:
    """The chain of a campaign as a person may read it."""
    return shown_to(user, campaign, Event.objects.filter(chain=chain_of(campaign)))


def events_of_site_for(user: User) -> QuerySet[Event]:
    """Every chain, for administrators; of campaigns that they read cases in, what a blinded reader may know of."""
    if not user.is_superuser:
        raise Http404("No such page.")
    reads = Membership.objects.filter(user_id=user.pk, role__in=READERS).values_list("campaign_id", flat=True)
    chains = [f"campaign:{campaign_id}" for campaign_id in sorted(set(reads))]
    if not chains:
        return Event.objects.all()
    # The site's chain tells of drafts and of objects that were made from signed masks.
    return Event.objects.filter(~Q(chain__in=[*chains, SITE_CHAIN]) | _known_to(user))


def _known_to(user: User) -> Q:
    return Q(actor_id=str(user.pk)) | Q(name__in=SAYS_NOTHING_OF_READINGS)
