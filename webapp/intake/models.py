"""What was sent, by whom, and what became of each series. Nothing here holds an identity."""

import uuid

from django.conf import settings
from django.db import models

from webapp.archive.models import Scan
from webapp.campaigns.models import Campaign


class Batch(models.Model):
    """One sending: an upload in the browser, or one call of the command line.

    receiving (files arrive) -> waiting (for a worker) -> processing -> done, or failed (with a sentence).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="batches")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="batches"
    )
    state = models.CharField(
        max_length=12,
        default="receiving",
        choices=[(s, s) for s in ("receiving", "waiting", "processing", "done", "failed")],
    )
    file_count = models.PositiveIntegerField(default=0)
    byte_count = models.PositiveBigIntegerField(default=0)
    sentence = models.CharField(max_length=300, blank=True)
    opened_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-opened_at"]

    def __str__(self) -> str:
        return f"batch {self.pk}"


class SeriesLine(models.Model):
    """What became of one series (or of a file that is in no series): accepted, or refused and why."""

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="lines")
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=200)
    state = models.CharField(max_length=8, choices=[("accepted", "accepted"), ("refused", "refused")])
    code = models.CharField(max_length=40, blank=True)
    sentence = models.TextField()
    warnings = models.JSONField(default=list)
    scan = models.ForeignKey(Scan, null=True, blank=True, on_delete=models.PROTECT, related_name="intake_lines")
    case_number = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["batch", "number"], name="one_line_per_number")]
        ordering = ["batch", "number"]

    def __str__(self) -> str:
        return f"{self.state} {self.title}"
