"""Registered algorithm versions, what they were trained on, and the drafts that they make."""

import json
import uuid
from typing import Any

from django.db import models

from webapp.archive.models import Patient, Scan
from webapp.masks.models import LabelSet, Mask

REASON_LENGTH = 500


class Algorithm(models.Model):
    """One version of something that segments; it never changes. `entry` names it to the worker; `card` says what it is.

    Networks have weights, whose SHA-256 is part of the version; `card_text` is their card in the order in which it was
    written, of which the database keeps none. `curves` are the learning curves: {"columns": names, "rows": numbers or
    null, one row an epoch}. A retired version begins no new runs; what it made stays.
    """

    BASELINE, NETWORK = "classical-baseline", "network"

    name = models.CharField(max_length=80)
    version = models.CharField(max_length=64)
    title = models.CharField(max_length=120)
    entry = models.CharField(max_length=80)
    weights_sha256 = models.CharField(max_length=64, blank=True)
    card = models.JSONField(default=dict)
    card_text = models.TextField(blank=True, default="")
    curves = models.JSONField(default=dict, blank=True)
    registered_at = models.DateTimeField(auto_now_add=True, null=True)
    registered_by_name = models.CharField(max_length=120, blank=True, default="")
    retired_at = models.DateTimeField(null=True, blank=True)
    retired_reason = models.CharField(max_length=REASON_LENGTH, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["name", "version"], name="one_algorithm_per_version"),
            models.CheckConstraint(
                condition=models.Q(entry="network") ^ models.Q(weights_sha256=""), name="networks_have_weights"
            ),
            models.CheckConstraint(
                condition=models.Q(retired_at=None, retired_reason="")
                | models.Q(retired_at__isnull=False) & ~models.Q(retired_reason=""),
                name="retired_algorithm_has_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} {self.version}"

    @property
    def ordered_card(self) -> dict[str, Any]:
        """The card with its parts in the order in which they were written."""
        found: dict[str, Any] = json.loads(self.card_text) if self.card_text else self.card
        return found

    @property
    def subject(self) -> str:
        """The version as the audit trail names it."""
        return f"algorithm:{self.name}@{self.version}"


class AlgorithmFile(models.Model):
    """A file of a version in storage: its weights, or a picture of its card (a PNG that this site encoded itself).

    Append-only.
    """

    WEIGHTS, PICTURE = KINDS = ("weights", "picture")

    algorithm = models.ForeignKey(Algorithm, on_delete=models.PROTECT, related_name="files")
    kind = models.CharField(max_length=8, choices=[(k, k) for k in KINDS])
    # What the picture shows, from its file's name; empty for weights.
    name = models.CharField(max_length=80, blank=True, default="")
    path = models.CharField(max_length=300)
    sha256 = models.CharField(max_length=64)
    bytes = models.PositiveIntegerField()
    width_px = models.PositiveIntegerField(default=0)
    height_px = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["algorithm", "kind", "name"], name="one_algorithm_file_per_name"),
            models.CheckConstraint(condition=models.Q(kind="weights") ^ ~models.Q(name=""), name="pictures_have_names"),
        ]
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.name or self.kind} of {self.algorithm}"

    @property
    def words(self) -> str:
        """What a picture shows, in words."""
        return self.name.replace("-", " ")


class TrainingScan(models.Model):
    """A scan that a version was trained or tuned on, as its card lists it; known again by the hash of its voxels.

    `patient`, `case_name` and `data_set` are the training set's own words, and name nobody here. Append-only.
    """

    TRAIN, TUNE = ROLES = ("train", "tune")

    algorithm = models.ForeignKey(Algorithm, on_delete=models.PROTECT, related_name="training_scans")
    voxels_sha256 = models.CharField(max_length=64)
    role = models.CharField(max_length=8, choices=[(r, r) for r in ROLES])
    data_set = models.CharField(max_length=80, blank=True, default="")
    case_name = models.CharField(max_length=80, blank=True, default="")
    patient = models.CharField(max_length=80, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["algorithm", "voxels_sha256"], name="one_training_scan_per_voxels")
        ]

    def __str__(self) -> str:
        return f"{self.case_name} of {self.data_set}, {self.role}"


class MarkedPatient(models.Model):
    """A patient whom somebody knows to be in a version's training data, though its card does not say so."""

    algorithm = models.ForeignKey(Algorithm, on_delete=models.PROTECT, related_name="marked_patients")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=REASON_LENGTH)
    marked_by_name = models.CharField(max_length=120)
    marked_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["algorithm", "patient"], name="one_mark_per_patient"),
            models.CheckConstraint(condition=~models.Q(reason=""), name="marks_have_a_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.patient} in the training data of {self.algorithm}"


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
