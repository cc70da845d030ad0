"""What an address is about: the reading, case, scan, patient or campaign that it names, and who may see that."""

from collections.abc import Mapping
from typing import Any

from django.http import Http404

from webapp.accounts.models import User
from webapp.archive.models import Patient, Scan
from webapp.audit.trail import SITE_CHAIN
from webapp.campaigns.actions import chain_of
from webapp.campaigns.models import Campaign, Case
from webapp.campaigns.queries import campaign_for, case_by_id_for, patient_for, scan_for
from webapp.readings.models import Reading
from webapp.readings.queries import reading_for

Thing = Reading | Case | Scan | Patient | Campaign


def thing_of(names: Mapping[str, Any]) -> Thing | None:
    """What the variable parts of an address name, the nearest first; None where nothing of that name exists."""
    found: Thing | None = None
    if "reading_id" in names:
        found = Reading.objects.select_related("case__campaign").filter(pk=names["reading_id"]).first()
    elif "case_id" in names:
        found = Case.objects.select_related("campaign").filter(pk=names["case_id"]).first()
    elif "scan_id" in names:
        found = Scan.objects.filter(pk=names["scan_id"]).first()
    elif "pseudonym" in names:
        found = Patient.objects.filter(pseudonym=names["pseudonym"]).first()
    elif "slug" in names:
        cases = Case.objects.select_related("campaign").filter(campaign__slug=names["slug"])
        found = cases.filter(number=names["number"]).first() if "number" in names else None
        found = found or Campaign.objects.filter(slug=names["slug"]).first()
    return found


def may_see(user: User, thing: Thing) -> bool:
    """Whether a person may see a thing, as its own lookup says."""
    try:
        if isinstance(thing, Reading):
            reading_for(user, thing.pk)
        elif isinstance(thing, Case):
            case_by_id_for(user, thing.pk)
        elif isinstance(thing, Scan):
            scan_for(user, thing.pk)
        elif isinstance(thing, Patient):
            patient_for(user, thing.pseudonym)
        else:
            campaign_for(user, thing.slug)
    except Http404:
        return False
    return True


def subject_of(thing: Thing) -> str:
    """A thing as the subject of an event."""
    return f"{thing._meta.verbose_name}:{thing.pk}"


def campaign_of(thing: Thing) -> Campaign | None:
    """The campaign of a thing; of a scan or a patient, the first that holds it."""
    if isinstance(thing, Campaign):
        return thing
    if isinstance(thing, Reading):
        return thing.case.campaign
    if isinstance(thing, Case):
        return thing.campaign
    held = Case.ever.filter(scan=thing) if isinstance(thing, Scan) else Case.ever.filter(scan__study__patient=thing)
    case = held.select_related("campaign").order_by("added_at", "pk").first()
    return case.campaign if case else None


def chain_for(thing: Thing) -> str:
    """The chain that events about a thing join."""
    campaign = campaign_of(thing)
    return chain_of(campaign) if campaign else SITE_CHAIN
