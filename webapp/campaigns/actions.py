"""What people do to campaigns."""

from typing import Any

from webapp.accounts.models import User
from webapp.algorithms.actions import request_draft
from webapp.algorithms.models import Algorithm
from webapp.archive.models import Scan
from webapp.audit.refusal import require
from webapp.audit.trail import audited, record
from webapp.campaigns import events
from webapp.campaigns.models import Campaign, Case, Membership, Protocol
from webapp.campaigns.rules import may_add_scans
from webapp.masks.models import LabelSet

# Presets of stages, as product.md's workflows name them.
REVIEW = [{"name": "review", "role": "radiologist", "readers": 1, "ends_with": "sign", "starts_from": "ai_draft"}]
STATEMENT = (
    "I have reviewed this scan and its masks of lung and lesion, slice by slice, and corrected them where needed. "
    "They are my reading."
)


def chain_of(campaign: Campaign) -> str:
    """The audit chain of a campaign."""
    return f"campaign:{campaign.pk}"


@audited(events.CAMPAIGN_CREATED)
def create_campaign(
    *,
    slug: str,
    name: str,
    label_set: LabelSet,
    draft_algorithm: Algorithm | None,
    by: Any,
    stages: list[dict[str, Any]] = REVIEW,
    statement: str = STATEMENT,
) -> Campaign:
    """Make a campaign with the first version of its protocol."""
    campaign = Campaign.objects.create(slug=slug, name=name, label_set=label_set, draft_algorithm=draft_algorithm)
    Protocol.objects.create(campaign=campaign, version=1, stages=stages, statement=statement)
    record(
        events.CAMPAIGN_CREATED,
        by=by,
        chain=chain_of(campaign),
        subject=f"campaign:{campaign.pk}",
        slug=slug,
        name=name,
        label_set=str(label_set),
        draft_algorithm=str(draft_algorithm) if draft_algorithm else None,
        stages=stages,
        statement=statement,
    )
    return campaign


@audited(events.MEMBER_ADDED)
def add_member(*, campaign: Campaign, user: User, role: str, by: Any) -> Membership:
    """Give a person a role in a campaign."""
    membership, _ = Membership.objects.get_or_create(campaign=campaign, user=user, role=role)
    record(
        events.MEMBER_ADDED,
        by=by,
        chain=chain_of(campaign),
        subject=f"person:{user.pk}",
        role=role,
        name=str(user),
    )
    return membership


@audited(events.CASE_ADDED)
def add_case(*, campaign: Campaign, scan: Scan, by: Any) -> Case:
    """Put a scan into a campaign as its next case, and ask for its AI draft. A scan already in stays one case."""
    require(may_add_scans(campaign, by))
    campaign = Campaign.objects.select_for_update(of=("self",)).get(pk=campaign.pk)
    case = Case.objects.filter(campaign=campaign, scan=scan).first()
    known = case is not None
    if case is None:
        last = campaign.cases.order_by("-number").values_list("number", flat=True).first() or 0
        case = Case.objects.create(campaign=campaign, scan=scan, number=last + 1)
        if campaign.draft_algorithm:
            request_draft(scan=scan, algorithm=campaign.draft_algorithm, label_set=campaign.label_set, by=by)
    record(
        events.CASE_ADDED,
        by=by,
        chain=chain_of(campaign),
        subject=f"case:{case.pk}",
        number=case.number,
        scan=str(scan.pk),
        already_there=known,
    )
    return case


@audited(events.DRAFT_REQUESTED_AGAIN)
def request_draft_again(*, case: Case, by: User) -> None:
    """Ask for the AI draft of a case once more, after a failure."""
    require(may_add_scans(case.campaign, by))
    if case.campaign.draft_algorithm:
        request_draft(
            scan=case.scan,
            algorithm=case.campaign.draft_algorithm,
            label_set=case.campaign.label_set,
            by=by,
        )
    record(events.DRAFT_REQUESTED_AGAIN, by=by, chain=chain_of(case.campaign), subject=f"case:{case.pk}")
