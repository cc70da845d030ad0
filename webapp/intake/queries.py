"""What a person may see of intake. Outsiders get Http404, as if it were not there."""

import uuid

from django.db.models import Count, Q, QuerySet
from django.http import Http404

from webapp.accounts.models import User
from webapp.campaigns.models import Campaign
from webapp.intake.models import Batch
from webapp.intake.rules import may_see_batch


def batches_for(user: User) -> QuerySet[Batch]:
    """The batches that a person sent, and those of campaigns they coordinate; newest first."""
    coordinated = Q(campaign__memberships__user_id=user.pk, campaign__memberships__role="coordinator")
    return (
        Batch.objects.filter(pk__in=Batch.objects.filter(Q(by_id=user.pk) | coordinated).values("pk"))
        .select_related("campaign", "by")
        .annotate(
            accepted_count=Count("lines", filter=Q(lines__state="accepted")),
            refused_count=Count("lines", filter=Q(lines__state="refused")),
        )
    )


def batch_for(user: User, batch_id: uuid.UUID) -> Batch:
    """One batch, for its sender and the campaign's coordinators."""
    batch = Batch.objects.filter(pk=batch_id).select_related("campaign", "by").first()
    if batch is None or not may_see_batch(batch, user):
        raise Http404("No such upload.")
    return batch


def may_hear_batch(user: User, batch_id: str) -> bool:
    """Whether a person may hear how a batch goes on."""
    try:
        batch = Batch.objects.filter(pk=uuid.UUID(batch_id)).select_related("campaign").first()
    except ValueError:
        return False
    return batch is not None and may_see_batch(batch, user)


def campaigns_to_send_to(user: User) -> QuerySet[Campaign]:
    """The campaigns that a person may bring scans into."""
    mine = Q(memberships__user_id=user.pk, memberships__role="coordinator")
    return Campaign.objects.filter(mine).distinct().order_by("name")
