"""What may be exported, and which scan may be deleted: None, or the sentence that button and page give."""

from collections.abc import Sized

from webapp.accounts.models import User
from webapp.archive.models import Scan
from webapp.archive.rules import may_mark_deleted
from webapp.audit.actor import Actor
from webapp.audit.refusal import Refusal
from webapp.campaigns.metadata import HIDDEN_FROM_DICOM, hides_metadata_from
from webapp.campaigns.models import Campaign, Case, Membership
from webapp.readings.models import Signature

SHORTEST_REASON = 5


def may_export(readings: Sized) -> Refusal | None:
    """Whether there is anything to take away: signed readings that the asker may see."""
    if len(readings) == 0:
        return Refusal(
            "nothing_signed",
            "Nothing to take away yet: only signed masks are exported, and of those only the ones that you may see.",
        )
    return None


def may_export_seg(scan: Scan) -> Refusal | None:
    """Whether a scan's masks can be a DICOM SEG, which refers to the DICOM images that it was drawn on."""
    if scan.source != "dicom":
        return Refusal(
            "no_dicom_images",
            f"This scan came as {scan.came_as}: there are no DICOM images for a SEG or SR to refer to. Take the NIfTI "
            "export.",
        )
    return None


def may_export_dicom(campaign: Campaign, user: User) -> Refusal | None:
    """Whether a person may have DICOM of a campaign: not where that would say what it hides from them."""
    return Refusal("hidden", HIDDEN_FROM_DICOM) if hides_metadata_from(user, campaign) else None


def may_delete_scan(scan: Scan, by: User | Actor) -> Refusal | None:
    """Whether someone may delete a scan: nothing signed or released needs it, and it is theirs to delete."""
    if refusal := may_mark_deleted(scan) or _refusal_of_role(scan, by):
        return refusal
    signed = Signature.objects.filter(version__mask__scan=scan).select_related("reading__case__campaign")
    first = signed.order_by("signed_at").first()
    if first is None:
        # What a release holds was signed before, so that a signature stands for every release of the scan too.
        return None
    count, case = signed.count(), first.reading.case
    needs = "A signed reading needs it" if count == 1 else f"{count} signed readings need it, the first of them"
    where = f" (case {case.number} of {case.campaign})" if _sees_readings(case, by) else ""
    sentence = f"{needs}{where}: what was signed, and any release of it, can be checked only against its scan."
    return Refusal("signed", sentence)


def _refusal_of_role(scan: Scan, by: User | Actor) -> Refusal | None:
    refusal = Refusal(
        "not_coordinator",
        "Only a coordinator of every campaign that holds this scan may delete it, or an administrator.",
    )
    if isinstance(by, Actor):
        return None if by.kind == "system" else refusal
    if by.is_superuser:
        return None
    held_by = set(Case.objects.filter(scan=scan).values_list("campaign_id", flat=True))
    mine = Membership.objects.filter(user_id=by.pk, role="coordinator", campaign_id__in=held_by)
    return None if held_by and held_by == set(mine.values_list("campaign_id", flat=True)) else refusal


def _sees_readings(case: Case, by: User | Actor) -> bool:
    """Whether the sentence may say whose reading: not to an administrator who reads blinded in that campaign."""
    return (
        isinstance(by, Actor)
        or Membership.objects.filter(user_id=by.pk, role="coordinator", campaign_id=case.campaign_id).exists()
    )


def refusal_of_reason(reason: str) -> Refusal | None:
    """Whether a reason says anything."""
    if len(reason) < SHORTEST_REASON:
        return Refusal("no_reason", "Say why the scan is deleted: the reason stays in the record.")
    return None
