"""Who may do what in a campaign: None, or the refusal's sentence."""

from webapp.accounts.models import User
from webapp.audit.actor import Actor
from webapp.audit.refusal import Refusal
from webapp.campaigns.models import Campaign
from webapp.campaigns.queries import roles_of


def may_add_scans(campaign: Campaign, by: User | Actor) -> Refusal | None:
    """Only coordinators bring scans in; the system itself (the command line) may too."""
    if isinstance(by, Actor):
        return None if by.kind == "system" else Refusal("not_coordinator", "Only a coordinator may add scans.")
    if "coordinator" not in roles_of(by, campaign):
        return Refusal("not_coordinator", "Only a coordinator of this campaign may add scans.")
    return None


def may_set_protocol(campaign: Campaign, by: User | Actor) -> Refusal | None:
    """Only coordinators change how a campaign reads, its guideline included; the system itself may too."""
    refusal = Refusal("not_coordinator", "Only a coordinator of this campaign may change its guideline.")
    if isinstance(by, Actor):
        return None if by.kind == "system" else refusal
    return None if "coordinator" in roles_of(by, campaign) else refusal


def may_set_deidentification(campaign: Campaign, by: User | Actor) -> Refusal | None:
    """Only coordinators say what is kept of patients; the system itself may too."""
    if may_add_scans(campaign, by) is None:
        return None
    return Refusal("not_coordinator", "Only a coordinator of this campaign may change how its scans are de-identified.")
