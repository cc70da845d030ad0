"""Who may do what in a campaign: None, or the refusal's sentence."""

import re
from collections.abc import Sequence

from webapp.accounts.models import User
from webapp.algorithms.models import Algorithm
from webapp.algorithms.rules import may_run
from webapp.archive.models import Scan
from webapp.audit.actor import Actor
from webapp.audit.refusal import Refusal
from webapp.campaigns.models import OVERSEERS, Campaign
from webapp.campaigns.queries import algorithms_of, roles_of, scans_coordinated_by, scans_to_mark_for

MOST_SCANS_NAMED = 1000
# Words that stand where a campaign's name stands in addresses.
RESERVED_SLUGS = {"new", "import", "archived"}


def may_create_campaign(by: User | Actor) -> Refusal | None:
    """Administrators and those whom one gave the right make campaigns; the system itself may too."""
    allowed = by.kind == "system" if isinstance(by, Actor) else by.is_superuser or by.may_create_campaigns
    sentence = "Only an administrator, or somebody whom one gave the right, may make campaigns."
    return None if allowed else Refusal("not_allowed", sentence)


def refusal_of_names(slug: str, name: str) -> Refusal | None:
    """Why a campaign may not be called so."""
    if not name.strip() or not name.isprintable() or len(name) > 120:
        return Refusal("malformed", "A campaign needs a name of 1 to 120 letters.")
    if not re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", slug) or len(slug) > 60 or slug in RESERVED_SLUGS:
        sentence = (
            "Its name in addresses has 1 to 60 small letters, digits and hyphens, and none of a few words of ours."
        )
        return Refusal("malformed", sentence)
    if Campaign.objects.filter(slug=slug).exists():
        return Refusal(
            "exists", f"There is a campaign at /campaigns/{slug}/ already: choose another name for addresses."
        )
    return None


def may_add_scans(campaign: Campaign, by: User | Actor) -> Refusal | None:
    """Only coordinators bring scans in; the system itself (the command line) may too."""
    if isinstance(by, Actor):
        return None if by.kind == "system" else Refusal("not_coordinator", "Only a coordinator may add scans.")
    if "coordinator" not in roles_of(by, campaign):
        return Refusal("not_coordinator", "Only a coordinator of this campaign may add scans.")
    return None


def may_set_protocol(campaign: Campaign, by: User | Actor) -> Refusal | None:
    """Only coordinators change how a campaign reads, its guideline included; the system itself may too."""
    refusal = Refusal("not_coordinator", "Only a coordinator of this campaign may change how it reads.")
    if isinstance(by, Actor):
        return None if by.kind == "system" else refusal
    return None if "coordinator" in roles_of(by, campaign) else refusal


def may_choose_algorithms(campaign: Campaign, by: User | Actor) -> Refusal | None:
    """Coordinators of an open campaign say which algorithms it uses and which one drafts; the system itself may too."""
    allowed = by.kind == "system" if isinstance(by, Actor) else "coordinator" in roles_of(by, campaign)
    if not allowed:
        return Refusal("not_coordinator", "Only a coordinator of this campaign may choose its algorithms.")
    closed = Refusal("closed", "This campaign is closed: its algorithms stay as they are.")
    return closed if campaign.closed_at else None


def may_mark_patient(scan: Scan, by: User | Actor) -> Refusal | None:
    """Administrators mark any patient as known to an algorithm, coordinators those of their campaigns' scans."""
    sentence = "Only a coordinator of a campaign that holds a scan, or an administrator, may mark its patient."
    refusal = Refusal("not_coordinator", sentence)
    if isinstance(by, Actor):
        return None if by.kind == "system" else refusal
    return None if scans_to_mark_for(by).filter(pk=scan.pk).exists() else refusal


def may_see_settings(campaign: Campaign, user: User) -> Refusal | None:
    """Coordinators and auditors read how a campaign works; a reader who knew the draw could tell arms apart."""
    if roles_of(user, campaign) & OVERSEERS:
        return None
    return Refusal("not_overseer", "Only coordinators and auditors of this campaign read its settings.")


def may_manage_team(campaign: Campaign, by: User | Actor) -> Refusal | None:
    """Only coordinators say who is in a campaign and as what; the system itself may too."""
    if may_add_scans(campaign, by) is None:
        return None
    return Refusal("not_coordinator", "Only a coordinator of this campaign may change its team.")


def may_assign(campaign: Campaign, by: User | Actor) -> Refusal | None:
    """Only coordinators say who reads what, and which cases leave; the system itself may too."""
    if may_add_scans(campaign, by) is None:
        return None
    return Refusal("not_coordinator", "Only a coordinator of this campaign may say who reads what.")


def may_draft(campaign: Campaign, by: User | Actor) -> Refusal | None:
    """Only coordinators cancel drafts, and ask for them; the system itself may too."""
    if may_add_scans(campaign, by) is None:
        return None
    return Refusal("not_coordinator", "Only a coordinator of this campaign may ask for AI drafts, or cancel them.")


def may_ask_for_drafts(campaign: Campaign, algorithm: Algorithm, by: User | Actor) -> Refusal | None:
    """Whether someone may have cases of a campaign drafted by an algorithm."""
    if refusal := may_draft(campaign, by):
        return refusal
    # As it is now: whoever asks may hold a campaign that was closed meanwhile.
    if Campaign.objects.filter(pk=campaign.pk).exclude(closed_at=None).exists():
        return Refusal("closed", f"{campaign} is closed: nothing more is drafted in it.")
    if not algorithms_of(campaign).filter(pk=algorithm.pk).exists():
        return Refusal("no_such_algorithm", f"This campaign may not use {algorithm}.")
    return may_run(Algorithm.objects.get(pk=algorithm.pk))


def may_name_site(scans: Sequence[Scan], by: User | Actor) -> Refusal | None:
    """Whether someone may say which site scans came from: a coordinator of a campaign that holds them."""
    refusal = Refusal("not_coordinator", "Only a coordinator of a campaign that holds a scan may name its site.")
    if isinstance(by, Actor):
        return None if by.kind == "system" else refusal
    if not scans:
        return Refusal("no_scans", "No scan was chosen that you may name a site for.")
    if len(scans) > MOST_SCANS_NAMED:
        return Refusal("too_many", f"At most {MOST_SCANS_NAMED:,} scans are named at once: narrow the search.")
    theirs = scans_coordinated_by(by).filter(pk__in=[scan.pk for scan in scans]).count()
    return None if theirs == len({scan.pk for scan in scans}) else refusal


def may_set_deidentification(campaign: Campaign, by: User | Actor) -> Refusal | None:
    """Only coordinators say what is kept of patients; the system itself may too."""
    if may_add_scans(campaign, by) is None:
        return None
    return Refusal("not_coordinator", "Only a coordinator of this campaign may change how its scans are de-identified.")
