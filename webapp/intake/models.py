"""What was sent, by whom, and what became of each series. Nothing here holds an identity."""

import uuid

from django.conf import settings
from django.db import models

from webapp.archive.models import SITE_LENGTH, Scan
from webapp.campaigns.models import Campaign
from webapp.masks.models import DataSet, ImportedMask

# How scans come in, and what people call it.
SOURCES = {
    "upload": "upload",
    "command": "command line",
    "stow": "DICOMweb",
    "dimse": "DICOM",
    "watch": "watched folder",
}
# Those on which a machine sends image by image: what belongs to one series is known when it says so.
MACHINES = ("stow", "dimse")
STATES = ("receiving", "waiting", "processing", "done", "failed", "discarded")
ENDED = ("done", "failed", "discarded")


class Batch(models.Model):
    """One sending: an upload, a call of the command line, or one series that another machine sends image by image.

    receiving (files arrive) -> waiting (for a worker) -> processing -> done, or failed (with a sentence), or discarded.
    Originals are held until `held_until` and are gone at `originals_gone_at`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="batches")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="batches"
    )
    source = models.CharField(max_length=8, choices=list(SOURCES.items()), default="upload")
    # The calling AE title of a DICOM sender; people are in `by`.
    sender = models.CharField(max_length=64, blank=True)
    # What its sender said of it: the site of its scans, the author of its masks, and what a picture is.
    site = models.CharField(max_length=SITE_LENGTH, blank=True, default="")
    data_set = models.ForeignKey(DataSet, null=True, blank=True, on_delete=models.PROTECT, related_name="batches")
    single_pictures = models.BooleanField(default=False)
    # HMAC of the series UID where a batch is one series; empty where the sender decides what belongs together.
    series_key = models.CharField(max_length=64, blank=True, db_index=True)
    state = models.CharField(max_length=12, default="receiving", choices=[(s, s) for s in STATES])
    # Whether the sender said, since the last file, that everything was sent; one that broke off did not.
    sent_whole = models.BooleanField(default=False)
    file_count = models.PositiveIntegerField(default=0)
    byte_count = models.PositiveBigIntegerField(default=0)
    sentence = models.CharField(max_length=300, blank=True)
    opened_at = models.DateTimeField(auto_now_add=True)
    last_arrival_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    held_until = models.DateTimeField(null=True, blank=True)
    originals_gone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-opened_at"]
        indexes = [models.Index(fields=["state", "last_arrival_at"], name="batch_state")]

    def __str__(self) -> str:
        return f"batch {self.code}"

    @property
    def code(self) -> str:
        """What people call it and type to destroy its originals: six letters and digits."""
        return self.pk.hex[:6].upper()

    @property
    def has_ended(self) -> bool:
        """Whether nothing more happens to it by itself."""
        return self.state in ENDED

    @property
    def holds_originals(self) -> bool:
        """Whether its originals still lie in quarantine."""
        return self.file_count > 0 and self.originals_gone_at is None


class Original(models.Model):
    """One file in quarantine: how much of it is here. Its name is inside the sealed file alone.

    `key` is an HMAC: of path, size and mark of an upload's file, so that it is known when it is sent again; of the
    content, where a machine sends images.
    """

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="originals")
    key = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    received = models.PositiveBigIntegerField(default=0)
    whole = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["batch", "key"], name="one_original_per_key")]
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.received} of {self.size} bytes of {self.batch_id}"


class SeriesLine(models.Model):
    """What became of one series (or of a file that is in no series): accepted, or refused and why.

    `series_key` is the HMAC of the UID that the series came with, the same whatever the de-identification.
    """

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="lines")
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=200)
    state = models.CharField(max_length=8, choices=[("accepted", "accepted"), ("refused", "refused")])
    code = models.CharField(max_length=40, blank=True)
    sentence = models.TextField()
    warnings = models.JSONField(default=list)
    series_key = models.CharField(max_length=64, blank=True, db_index=True)
    scan = models.ForeignKey(Scan, null=True, blank=True, on_delete=models.SET_NULL, related_name="intake_lines")
    case_number = models.PositiveIntegerField(null=True, blank=True)
    # Of a line about masks: what became of them.
    imported_mask = models.ForeignKey(
        ImportedMask, null=True, blank=True, on_delete=models.SET_NULL, related_name="intake_lines"
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["batch", "number"], name="one_line_per_number")]
        ordering = ["batch", "number"]

    def __str__(self) -> str:
        return f"{self.state} {self.title}"
