"""Readings: one reader's work on one case at one stage, and the signature that ends it."""

import uuid

from django.conf import settings
from django.db import models

from webapp.campaigns.models import Case, Protocol
from webapp.masks.models import Mask, Version


class Reading(models.Model):
    """One reader's work on one case at one stage. It owns its mask; nobody else ever edits it."""

    ASSIGNED, IN_PROGRESS, SUBMITTED = "assigned", "in progress", "submitted"
    RETURNED, SIGNED, SUPERSEDED = "returned", "signed", "superseded"
    STATES = (ASSIGNED, IN_PROGRESS, SUBMITTED, RETURNED, SIGNED, SUPERSEDED)
    OPEN_STATES = (ASSIGNED, IN_PROGRESS, RETURNED)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="readings")
    protocol = models.ForeignKey(Protocol, on_delete=models.PROTECT)
    stage = models.CharField(max_length=40)
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="readings")
    state = models.CharField(max_length=12, choices=[(s, s) for s in STATES], default=IN_PROGRESS)
    mask = models.OneToOneField(Mask, on_delete=models.PROTECT, related_name="reading")
    started_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["case", "stage", "reader"],
                condition=~models.Q(state="superseded"),
                name="one_reading_per_reader_and_stage",
            )
        ]

    def __str__(self) -> str:
        return f"{self.case} {self.stage} by {self.reader}"


class Signature(models.Model):
    """What a reader attested, over which version of the mask; append-only."""

    reading = models.OneToOneField(Reading, on_delete=models.PROTECT, related_name="signature")
    version = models.OneToOneField(Version, on_delete=models.PROTECT, related_name="signature")
    version_sha256 = models.CharField(max_length=64)
    signer_name = models.CharField(max_length=120)
    meaning = models.CharField(max_length=40)
    statement = models.TextField()
    signed_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.signer_name}, {self.signed_at:%Y-%m-%d %H:%M}"


class LedgerRow(models.Model):
    """One axial slice of a reading that its reader has seen: when first, and the longest look at it.

    Seen means on the axial plane, loaded, at least fitted, in a lung window, for the protocol's
    dwell; the viewer judges.
    """

    reading = models.ForeignKey(Reading, on_delete=models.PROTECT, related_name="ledger")
    z = models.PositiveIntegerField()
    first_seen_at = models.DateTimeField(auto_now_add=True)
    dwell_ms = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["reading", "z"], name="one_ledger_row_per_slice")]

    def __str__(self) -> str:
        return f"{self.reading_id} slice {self.z + 1}"
