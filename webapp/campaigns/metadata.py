"""Blinding to metadata: whose age, sex, site and scanner a campaign hides, and scans as they are shown then."""

from typing import Any

from inference.imaging.acquisition import is_sharp
from webapp.accounts.models import User
from webapp.archive.models import Scan
from webapp.archive.remarks import SHARP_KERNEL
from webapp.campaigns.models import OVERSEERS, Campaign, Case
from webapp.campaigns.queries import campaigns_for, current_protocol, roles_of, scans_for

# A kernel's name tells whose scanner it was; a description often names both.
HIDDEN_TEXTS = ("site", "manufacturer", "model_name", "kernel", "sex", "description")
HIDDEN_FROM_DICOM = (
    "This campaign hides age, sex, site and scanner from its readers, and DICOM carries them: read in the viewer."
)


def hides_metadata_from(user: User, campaign: Campaign) -> bool:
    """Whether a campaign hides metadata from a person: from all who read in it, until it is closed.

    Coordinators and auditors who do not read see them.
    """
    if campaign.closed_at is not None:
        return False
    protocol = current_protocol(campaign)
    roles = roles_of(user, campaign)
    reads = any(stage.role in roles for stage in protocol.stage_list)
    return protocol.said.hides_metadata and (reads or not roles & OVERSEERS)


def campaigns_hiding_from(user: User) -> list[Campaign]:
    """The campaigns of a person that hide metadata from them."""
    hiding = campaigns_for(user).filter(closed_at=None, protocols__terms__hides_metadata=True)
    return [campaign for campaign in hiding if hides_metadata_from(user, campaign)]


def listed_scans_for(user: User) -> Any:
    """The scans that a person may search by what is known of them: without those whose metadata is hidden from them.

    To filter by sex, or to sort by site, would tell.
    """
    hiding = campaigns_hiding_from(user)
    scans = scans_for(user)
    return scans.exclude(pk__in=Case.objects.filter(campaign__in=hiding).values("scan")) if hiding else scans


def is_hidden_from(user: User, scan: Scan) -> bool:
    """Whether any campaign of a person that holds a scan hides its metadata from them."""
    hiding = campaigns_hiding_from(user)
    return bool(hiding) and Case.objects.filter(scan=scan, campaign__in=hiding).exists()


def shown_to(user: User, scan: Scan) -> Scan:
    """The scan as a person may see it: the same row, without what is hidden from them."""
    return without_metadata(scan) if is_hidden_from(user, scan) else scan


def without_metadata(scan: Scan) -> Scan:
    """A scan without age, sex, site and scanner, in its remarks neither. For showing: it is never saved."""
    names = [name for name in (scan.kernel, scan.manufacturer, scan.model_name, scan.site) if name]
    warnings = [{**warning, "sentence": _without(warning["sentence"], names)} for warning in scan.warnings]
    if is_sharp(scan.kernel) and not any("kernel" in warning["code"] for warning in warnings):
        warnings.append({"code": SHARP_KERNEL, "sentence": "Reconstructed with a sharp kernel."})
    scan.warnings = warnings
    for name in HIDDEN_TEXTS:
        setattr(scan, name, "")
    scan.patient_age_years = None
    return scan


def _without(sentence: str, names: list[str]) -> str:
    for name in names:
        sentence = sentence.replace(name, "…")
    return sentence
