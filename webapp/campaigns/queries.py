"""What a person may see of campaigns. Outsiders get Http404, as if it were not there."""

import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404
from django.urls import reverse

from webapp.accounts.models import User
from webapp.algorithms.models import Algorithm
from webapp.archive.models import Patient, Scan
from webapp.campaigns.guidelines import ShownPicture, render_guideline
from webapp.campaigns.models import Campaign, Case, GuidelinePicture, Invitation, Membership, Protocol
from webapp.masks.models import DataSet, ImportedMask


def campaigns_for(user: User) -> QuerySet[Campaign]:
    """The campaigns that a person is a member of, by name."""
    return Campaign.objects.filter(memberships__user_id=user.pk).distinct().order_by("name")


def personal_slug(user: User) -> str:
    """The name in addresses of a person's own campaign of case reviews."""
    return f"reviews-{user.pk.hex[:12]}"


def personal_campaign_of(user: User) -> Campaign | None:
    """A person's own campaign of case reviews, once it is made."""
    return Campaign.objects.filter(slug=personal_slug(user)).first()


def listed_campaigns_for(user: User) -> QuerySet[Campaign]:
    """Those campaigns of a person that are not archived, by name."""
    return campaigns_for(user).filter(archived_at=None)


def campaign_for(user: User, slug: str) -> Campaign:
    """The campaign called `slug`, for its members."""
    campaign = campaigns_for(user).filter(slug=slug).first()
    if campaign is None:
        raise Http404("No such campaign.")
    return campaign


def case_for(user: User, slug: str, number: int) -> Case:
    """The numbered case of a campaign, for the campaign's members."""
    case = (
        Case.objects.filter(campaign=campaign_for(user, slug), number=number)
        .select_related("scan__study__patient", "campaign__label_set", "campaign__draft_algorithm")
        .first()
    )
    if case is None:
        raise Http404("No such case.")
    return case


def case_by_id_for(user: User, case_id: uuid.UUID) -> Case:
    """A case by its id, for the members of its campaign."""
    cases = Case.objects.filter(pk=case_id, campaign__memberships__user_id=user.pk)
    case = cases.select_related("scan", "campaign").first()
    if case is None:
        raise Http404("No such case.")
    return case


LONGEST_ADDRESS = 500
CASE_NAMED = re.compile(r"(?:^|/campaigns/)(?P<slug>[a-z0-9-]{1,60})/(?:cases/)?(?P<number>[0-9]{1,9})/?$")
SCAN_NAMED = re.compile(r"(?:^|/scans/)([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/?$")


@dataclass(frozen=True)
class Held:
    """What a page that only looks has read of a campaign, once: one person's roles, the protocol."""

    user_id: Any
    roles: frozenset[str]
    protocol: Protocol


HELD = "_held"


def hold(campaign: Campaign, user: User) -> None:
    """Read a person's roles and the present protocol for as long as this one object of a campaign lives.

    For pages that change nothing. An action gets its campaign anew from the database.
    """
    setattr(campaign, HELD, Held(user.pk, frozenset(roles_of(user, campaign)), _last_protocol(campaign)))


def roles_of(user: User, campaign: Campaign) -> set[str]:
    """The roles of a person in a campaign."""
    held = getattr(campaign, HELD, None)
    if held is not None and held.user_id == user.pk:
        return set(held.roles)
    return set(Membership.objects.filter(campaign=campaign, user_id=user.pk).values_list("role", flat=True))


def current_protocol(campaign: Campaign) -> Protocol:
    """The protocol that new readings begin under."""
    held = getattr(campaign, HELD, None)
    return held.protocol if held is not None else _last_protocol(campaign)


def _last_protocol(campaign: Campaign) -> Protocol:
    return campaign.protocols.order_by("-version")[0]


def protocol_of(case: Case) -> Protocol:
    """The protocol of a case: the version that its readings began under, the current one before the first."""
    return case.protocol or current_protocol(case.campaign)


def algorithms_of(campaign: Campaign) -> QuerySet[Algorithm]:
    """The algorithm versions that a campaign may use, by name, the younger version first."""
    return Algorithm.objects.filter(enabled_in__campaign=campaign).order_by("name", "-pk")


def sees_algorithms(user: User) -> bool:
    """Whether a person may look at the algorithms of this site: administrators, and who coordinates a campaign."""
    return user.is_superuser or Membership.objects.filter(user_id=user.pk, role="coordinator").exists()


def algorithms_for(user: User) -> QuerySet[Algorithm]:
    """Every version that this site knows, for those who may look at them; Http404 for everybody else."""
    if not sees_algorithms(user):
        raise Http404("No such page.")
    return Algorithm.objects.order_by("name", "-pk")


def algorithm_for(user: User, name: str, version: str) -> Algorithm:
    """The version of a name, for those who may look at algorithms."""
    found = algorithms_for(user).filter(name=name, version=version).first()
    if found is None:
        raise Http404("No such algorithm.")
    return found


def scans_to_mark_for(user: User) -> QuerySet[Scan]:
    """The scans whose patient a person may mark as known to an algorithm."""
    return Scan.objects.all() if user.is_superuser else scans_coordinated_by(user)


def scan_named(scans: QuerySet[Scan], text: str) -> Scan | None:
    """The scan that a text names, of some: by the address of a case or of a scan, `campaign/number`, or a scan's id."""
    text = text.strip()[:LONGEST_ADDRESS].replace("\0", "")
    if case := CASE_NAMED.search(text):
        slug, number = case["slug"], int(case["number"])
        found = Case.objects.filter(campaign__slug=slug, number=number).values("scan")
        return scans.filter(pk__in=found).select_related("study__patient").first()
    if scan := SCAN_NAMED.search(text):
        return scans.filter(pk=uuid.UUID(scan[1])).select_related("study__patient").first()
    return None


def data_sets_in(campaign: Campaign) -> QuerySet[DataSet]:
    """The data sets of which a case of a campaign has a mask under the campaign's label set, by name."""
    scans = Case.objects.filter(campaign=campaign).values("scan")
    imported = ImportedMask.objects.filter(scan__in=scans, mask__label_set=campaign.label_set)
    return DataSet.objects.filter(pk__in=imported.values("data_set")).order_by("name")


def shown_pictures(campaign: Campaign) -> dict[str, ShownPicture]:
    """The pictures that guidelines of a campaign may show, by name, in the order in which they came."""
    rows = GuidelinePicture.objects.filter(campaign=campaign).values_list("name", "sha256", "width_px", "height_px")
    return {
        name: ShownPicture(reverse("api-guideline-picture", args=[campaign.slug, sha256]), width_px, height_px)
        for name, sha256, width_px, height_px in rows
    }


def open_invitations(campaign: Campaign, now: datetime) -> QuerySet[Invitation]:
    """The invitations of a campaign that still open the door, the youngest first."""
    kept = Invitation.objects.filter(campaign=campaign, used_at=None, revoked_at=None, expires_at__gt=now)
    return kept.select_related("made_by").order_by("-made_at")


def guideline_html(protocol: Protocol) -> str:
    """The guideline of a protocol as HTML that may be shown as it is; empty where there is none."""
    return render_guideline(protocol.guideline, shown_pictures(protocol.campaign)).html


def may_hear_scan(user: User, scan_id: str) -> bool:
    """Whether a person may hear what happens to a scan: some campaign of theirs holds it."""
    try:
        identifier = uuid.UUID(scan_id)
    except ValueError:
        return False
    return Case.objects.filter(scan_id=identifier, campaign__memberships__user_id=user.pk).exists()


def may_hear_campaign(user: User, slug: str) -> bool:
    """Whether a person may hear what happens in a campaign."""
    return campaigns_for(user).filter(slug=slug).exists()


def scans_for(user: User) -> QuerySet[Scan]:
    """The scans that a person may see: those of the campaigns that they are in. An administrator sees every scan.

    Nothing of readings follows from it: those have rights of their own.
    """
    scans = Scan.objects.all()
    if user.is_superuser:
        return scans
    # Asked for first: with the campaigns named, the database knows how many scans to expect and plans accordingly.
    mine = list(Membership.objects.filter(user_id=user.pk).values_list("campaign_id", flat=True).distinct())
    return scans.filter(pk__in=Case.ever.filter(campaign__in=mine).values("scan"))


def scan_for(user: User, scan_id: uuid.UUID) -> Scan:
    """One scan, for whoever may see it."""
    scan = scans_for(user).filter(pk=scan_id).select_related("study__patient").first()
    if scan is None:
        raise Http404("No such scan.")
    return scan


def deleted_scan_for(user: User, scan_id: uuid.UUID) -> Scan | None:
    """The tombstone of a scan, for those who might see the scan while it was there."""
    scans = Scan.ever.filter(pk=scan_id).exclude(deleted_at=None).select_related("study__patient")
    if not user.is_superuser:
        held = Case.ever.filter(scan=OuterRef("pk"), campaign__memberships__user_id=user.pk)
        scans = scans.filter(Exists(held))
    return scans.first()


def cases_of_scans_for(user: User, scans: Iterable[Scan]) -> QuerySet[Case]:
    """The cases that scans are in the campaigns of a person, by campaign and number."""
    cases = Case.objects.filter(scan__in=list(scans), campaign__in=campaigns_for(user))
    return cases.select_related("campaign", "scan__study__patient").order_by("campaign__name", "number")


def scans_coordinated_by(user: User) -> QuerySet[Scan]:
    """The scans of the campaigns that a person coordinates."""
    mine = Case.objects.filter(
        scan=OuterRef("pk"), campaign__memberships__user_id=user.pk, campaign__memberships__role="coordinator"
    )
    return Scan.objects.filter(Exists(mine))


def patient_for(user: User, pseudonym: str) -> Patient:
    """A patient of whom a person may see a scan."""
    patient = Patient.objects.filter(pseudonym=pseudonym).first()
    if patient is None or not scans_for(user).filter(study__patient=patient).exists():
        raise Http404("No such patient.")
    return patient
