"""What the audit trail asks of campaigns: who is what in the campaign of a chain, and whose chain a row joins."""

import uuid
from typing import Any

from webapp.campaigns.models import Campaign, Membership

PREFIX = "campaign:"


def campaign_id_of(chain: str) -> uuid.UUID | None:
    """The campaign that a chain is of; None for the site's."""
    if not chain.startswith(PREFIX):
        return None
    try:
        return uuid.UUID(chain.removeprefix(PREFIX))
    except ValueError:
        return None


def roles_in_chain(person_id: str, chain: str) -> list[str]:
    """The roles of a person, at this moment, in the campaign that a chain is of."""
    campaign_id = campaign_id_of(chain)
    if campaign_id is None:
        return []
    held = Membership.objects.filter(campaign_id=campaign_id, user_id=person_id)
    return list(held.values_list("role", flat=True))


def chain_of_row(row: Any) -> str | None:
    """The chain of the campaign that a row belongs to by its case, its reading or itself; None where it has none."""
    campaign_id = row.pk if isinstance(row, Campaign) else getattr(row, "campaign_id", None)
    if campaign_id:
        return f"{PREFIX}{campaign_id}"
    for step in ("case", "reading"):
        # A mask without a reading raises a subclass of AttributeError here: it has none.
        nearer = getattr(row, step, None)
        if nearer is not None:
            return chain_of_row(nearer)
    return None
