"""Registered model versions and the drafts that they make."""

import uuid

from django.db import models

from webapp.archive.models import Scan
from webapp.masks.models import LabelSet, Mask


class Algorithm(models.Model):
    """One version of something that segments. `entry` names it to the worker; `card` says what it is, plainly."""

    name = models.CharField(max_length=80)
    version = models.CharField(max_length=40)
    title = models.CharField(max_length=120)
    entry = models.CharField(max_length=80)
    weights_sha256 = models.CharField(max_length=64, blank=True)
    card = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["name", "version"], name="one_algorithm_per_version")]

    def __str__(self) -> str:
        return f"{self.title} {self.version}"


class DraftRun(models.Model):
    """One run of an algorithm over one scan in a worker; its mask, once there, is the AI draft."""

    QUEUED, RUNNING, FINISHED, FAILED = "queued", "running", "finished", "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    scan = models.ForeignKey(Scan, on_delete=models.PROTECT, related_name="draft_runs")
    algorithm = models.ForeignKey(Algorithm, on_delete=models.PROTECT, related_name="runs")
    label_set = models.ForeignKey(LabelSet, on_delete=models.PROTECT)
    state = models.CharField(
        max_length=8, default=QUEUED, choices=[(s, s) for s in (QUEUED, RUNNING, FINISHED, FAILED)]
    )
    # The worker that holds this token may write the result; a second worker on the same run takes a new one.
    attempt_token = models.UUIDField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    fraction = models.FloatField(default=0)
    progress_text = models.CharField(max_length=120, blank=True)
    failure_sentence = models.CharField(max_length=500, blank=True)
    mask = models.OneToOneField(Mask, null=True, on_delete=models.PROTECT, related_name="draft_run")
    options = models.JSONField(default=dict)
    device = models.CharField(max_length=40, blank=True)
    duration_s = models.FloatField(null=True)
    requested_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.algorithm} over {self.scan_id}: {self.state}"
