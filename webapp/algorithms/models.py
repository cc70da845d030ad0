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
    """One run of an algorithm over one scan in a worker; its mask, once there, is the AI draft.

    `job_id` is its job's number in the line of jobs; `started_at` when its present attempt began. `weights_sha256`,
    `options` and `device` are what the worker really ran. `uncertainty` (inference.measures.uncertainty) is for
    coordinators alone.
    """

    QUEUED, RUNNING, FINISHED, FAILED, CANCELLED = STATES = ("queued", "running", "finished", "failed", "cancelled")
    OPEN_STATES = (QUEUED, RUNNING)
    # From which it is asked for anew.
    IN_VAIN = (FAILED, CANCELLED)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    scan = models.ForeignKey(Scan, on_delete=models.PROTECT, related_name="draft_runs")
    algorithm = models.ForeignKey(Algorithm, on_delete=models.PROTECT, related_name="runs")
    label_set = models.ForeignKey(LabelSet, on_delete=models.PROTECT)
    state = models.CharField(max_length=12, default=QUEUED, choices=[(s, s) for s in STATES])
    job_id = models.BigIntegerField(null=True)
    # The worker that holds this token may write the result; a second worker on the same run takes a new one.
    attempt_token = models.UUIDField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    fraction = models.FloatField(default=0)
    progress_text = models.CharField(max_length=120, blank=True)
    failure_sentence = models.CharField(max_length=500, blank=True)
    mask = models.OneToOneField(Mask, null=True, on_delete=models.PROTECT, related_name="draft_run")
    weights_sha256 = models.CharField(max_length=64, blank=True, default="", db_default="")
    options = models.JSONField(default=dict)
    device = models.CharField(max_length=40, blank=True)
    duration_s = models.FloatField(null=True)
    uncertainty = models.FloatField(null=True)
    requested_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["scan", "algorithm", "label_set"],
                condition=models.Q(state__in=["queued", "running"]),
                name="one_run_under_way",
            ),
            models.CheckConstraint(
                condition=models.Q(uncertainty=None) | models.Q(uncertainty__gte=0, uncertainty__lte=1),
                name="uncertainty_from_0_to_1",
            ),
        ]
        indexes = [
            models.Index(fields=["scan", "algorithm", "label_set", "requested_at"], name="run_of_scan"),
            # What is in line or being made is few among very many.
            models.Index(fields=["job_id"], condition=models.Q(state__in=["queued", "running"]), name="run_open"),
            models.Index(fields=["algorithm", "-finished_at"], name="run_finished"),
        ]

    def __str__(self) -> str:
        return f"{self.algorithm} over {self.scan_id}: {self.state}"
