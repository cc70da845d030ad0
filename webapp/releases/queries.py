"""Which DICOM series a person may see: those of a campaign's scans, and those made from masks that they may see."""

from django.db.models import Q, QuerySet

from webapp.accounts.models import User
from webapp.algorithms.models import DraftRun
from webapp.archive.models import Series
from webapp.campaigns.models import Campaign, Case
from webapp.campaigns.queries import roles_of
from webapp.masks.models import Version
from webapp.readings.models import Signature
from webapp.readings.queries import cases_with_draft_shown, exportable_readings_for


def series_for(user: User, campaign: Campaign) -> QuerySet[Series]:
    """The series of a campaign as one person may know of them; everything that DICOMweb says is said from these.

    A reader who is blinded to another's reading gets nothing that was made from it, and with it no count, no modality
    and no UID. A member of no role gets nothing at all.
    """
    roles = roles_of(user, campaign)
    if not roles:
        return Series.objects.none()
    signed = Signature.objects.filter(reading__in=exportable_readings_for(user, campaign).order_by().values("pk"))
    seen = Q(made_from=None) | Q(made_from__in=signed.values("version_id"))
    shown = cases_with_draft_shown(user, campaign)
    if shown.exists():
        drafts = Version.objects.filter(
            mask__scan__in=shown.values("scan_id"),
            reason="draft",
            mask__draft_run__state=DraftRun.FINISHED,
            mask__draft_run__algorithm=campaign.draft_algorithm,
            mask__draft_run__label_set=campaign.label_set,
        )
        seen |= Q(made_from__in=drafts.values("pk"))
    return Series.objects.filter(seen, scan__in=Case.objects.filter(campaign=campaign).values("scan_id"))
