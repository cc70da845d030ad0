"""A person leaves a role of a campaign, and what becomes of their open readings."""

from typing import Any

from webapp.accounts.models import User
from webapp.audit.refusal import ActionRefused, Refusal, require
from webapp.audit.trail import audited, record
from webapp.campaigns import events
from webapp.campaigns.actions import chain_of
from webapp.campaigns.models import Campaign, Membership
from webapp.campaigns.rules import may_manage_team
from webapp.readings.assigning_queries import open_readings_of_role
from webapp.readings.assignment_actions import release_reading


@audited(events.MEMBER_REMOVED)
def remove_member(*, campaign: Campaign, user: User, role: str, by: Any) -> int:
    """Take a role from a person; their open readings in it are released and their places free. Return how many.

    What they submitted or signed stays. A campaign keeps a coordinator.
    """
    require(may_manage_team(campaign, by))
    campaign = Campaign.objects.select_for_update(of=("self",)).get(pk=campaign.pk)
    membership = Membership.objects.filter(campaign=campaign, user=user, role=role).first()
    if membership is None:
        raise ActionRefused(Refusal("no_such_member", f"{user} is no {role} of this campaign."))
    others = Membership.objects.filter(campaign=campaign, role="coordinator").exclude(user=user)
    if role == "coordinator" and not others.exists():
        raise ActionRefused(Refusal("last_coordinator", "A campaign needs a coordinator: name another one first."))
    released = [
        release_reading(reading=reading, reason=f"{user} is no {role} any more", by=by)
        for reading in open_readings_of_role(campaign, user, role)
    ]
    membership.delete()
    record(
        events.MEMBER_REMOVED,
        by=by,
        chain=chain_of(campaign),
        subject=f"person:{user.pk}",
        role=role,
        name=str(user),
        released=[reading.case.number for reading in released],
    )
    return len(released)
