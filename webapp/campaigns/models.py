"""Campaigns: a protocol, its cases and its team."""

import uuid

from django.conf import settings
from django.db import models

from webapp.algorithms.models import Algorithm
from webapp.archive.models import SITE_LENGTH, Scan
from webapp.campaigns.deidentification import DeidentificationOptions
from webapp.campaigns.protocols import STAGE_NAME_LENGTH, Stage, Terms, stages_of
from webapp.masks.models import LabelSet, Version

ROLES = ("coordinator", "technician", "radiologist", "adjudicator", "auditor")
# Who looks over everything; what of it they do not see while they read blinded themselves, the readings' rules say.
OVERSEERS = frozenset({"coordinator", "auditor"})


class Campaign(models.Model):
    """A group's reading of a list of scans. `draft_algorithm`, one of those enabled, makes the AI draft of each case.

    `default_site` is the site that scans get which come in for this campaign without one.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(unique=True, max_length=60)
    name = models.CharField(max_length=120)
    label_set = models.ForeignKey(LabelSet, on_delete=models.PROTECT)
    draft_algorithm = models.ForeignKey(Algorithm, null=True, blank=True, on_delete=models.PROTECT)
    default_site = models.CharField(max_length=SITE_LENGTH, blank=True, default="")
    # Options of the de-identification of what comes in from now on (webapp.campaigns.deidentification).
    deidentification = models.JSONField(default=dict, blank=True)
    # Closed: nothing more is read, and blinding that lasts as long as the campaign ends. Archived: out of the lists.
    closed_at = models.DateTimeField(null=True, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name

    @property
    def deidentification_options(self) -> DeidentificationOptions:
        """How scans that come in for this campaign are de-identified."""
        return DeidentificationOptions.of(self.deidentification)


class EnabledAlgorithm(models.Model):
    """An algorithm version that a campaign may use. The one that makes its drafts is among them: a foreign key says so.

    (From Campaign's id and draft_algorithm to this table's campaign and algorithm; Django has no words for it, the
    migration has.)
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="enabled_algorithms")
    algorithm = models.ForeignKey(Algorithm, on_delete=models.PROTECT, related_name="enabled_in")
    enabled_at = models.DateTimeField(auto_now_add=True)
    enabled_by_name = models.CharField(max_length=120, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "algorithm"], name="one_enabled_algorithm_per_campaign")
        ]

    def __str__(self) -> str:
        return f"{self.algorithm} in {self.campaign}"


class Protocol(models.Model):
    """One version of how a campaign reads; a reading keeps the one it began under.

    `stages` and `terms` are documents that webapp.campaigns.protocols reads. `guideline` is Markdown; its pictures are
    the campaign's, by name. `note` says why the version was made.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="protocols")
    version = models.PositiveIntegerField()
    stages = models.JSONField()
    terms = models.JSONField(default=dict, blank=True)
    statement = models.TextField()
    guideline = models.TextField(blank=True, default="")
    note = models.CharField(max_length=500, blank=True, default="")
    made_at = models.DateTimeField(auto_now_add=True, null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "version"], name="one_protocol_per_version")]

    def __str__(self) -> str:
        return f"{self.campaign} protocol {self.version}"

    @property
    def stage_list(self) -> list[Stage]:
        """The stages, in order."""
        return stages_of(self.stages)

    @property
    def said(self) -> Terms:
        """Everything else that it says."""
        return Terms.of(self.terms)

    def stage(self, name: str) -> Stage:
        """The stage called `name`; KeyError where there is none."""
        return {stage.name: stage for stage in self.stage_list}[name]


class GuidelinePicture(models.Model):
    """A picture that guidelines of a campaign may show, by its name; append-only, so that a name never gets another.

    `content` is what this site encoded itself (webapp.archive.sent_pictures), addressed by its SHA-256.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="guideline_pictures")
    name = models.CharField(max_length=60)
    sha256 = models.CharField(max_length=64)
    content_type = models.CharField(max_length=16)
    width_px = models.PositiveIntegerField()
    height_px = models.PositiveIntegerField()
    content = models.BinaryField()
    added_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "name"], name="one_guideline_picture_per_name"),
            models.UniqueConstraint(fields=["campaign", "sha256"], name="one_guideline_picture_per_content"),
        ]
        ordering = ["campaign", "added_at"]

    def __str__(self) -> str:
        return f"{self.campaign} {self.name}"


class Membership(models.Model):
    """One person's role in one campaign; a person may have several."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=16, choices=[(r, r) for r in ROLES])

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "user", "role"], name="one_membership_per_role")]

    def __str__(self) -> str:
        return f"{self.user} is {self.role} of {self.campaign}"


class Invitation(models.Model):
    """A link by which one person joins a campaign in one role, once, until it expires.

    The secret in the link is kept nowhere: `secret_sha256` knows it again. `email` is where it was sent, if it was.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="invitations")
    role = models.CharField(max_length=16, choices=[(r, r) for r in ROLES])
    secret_sha256 = models.CharField(max_length=64, unique=True)
    email = models.EmailField(blank=True, default="")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    used_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"invitation to {self.campaign} as {self.role}"


class PresentCases(models.Manager["Case"]):
    """Cases whose scan was not deleted: with its scan a case goes from every list and address."""

    def get_queryset(self) -> models.QuerySet["Case"]:
        """Leave those of deleted scans out."""
        return super().get_queryset().filter(scan__deleted_at=None)


class EveryCase(models.Manager["Case"]):
    """Cases that are there, and those of deleted scans."""


class Case(models.Model):
    """A scan in a campaign. `objects` has the cases whose scan is there, `ever` those of deleted scans too.

    `protocol` is the version that its readings began under, None until the first. `stage`, `state` and `places_left`
    say where the case stands; they follow from its readings and its protocol alone (webapp.readings.standing), and are
    stored so that lists of many cases need not ask each. `kind` tells cases of the study from those that readers are
    measured by. Such a case has a known reference, `known_version`; it measures readers of one stage, `measures_stage`
    (empty: the first), who all begin from `start_version` where it has one, since `measures_since`.
    """

    TO_READ, WITH_READERS, COMPARING = "to read", "with readers", "comparing"
    DISPUTED, DONE, EXCLUDED = "disputed", "done", "excluded"
    STATES = (TO_READ, WITH_READERS, COMPARING, DISPUTED, DONE, EXCLUDED)
    STUDY, QUALIFICATION, SENTINEL = KINDS = ("study", "qualification", "sentinel")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="cases")
    scan = models.ForeignKey(Scan, on_delete=models.PROTECT, related_name="cases")
    number = models.PositiveIntegerField()
    added_at = models.DateTimeField(auto_now_add=True)
    protocol = models.ForeignKey(Protocol, null=True, blank=True, on_delete=models.PROTECT, related_name="cases")
    stage = models.CharField(max_length=STAGE_NAME_LENGTH, blank=True, default="")
    state = models.CharField(max_length=12, choices=[(s, s) for s in STATES], default=TO_READ)
    places_left = models.PositiveSmallIntegerField(default=0)
    settled_at = models.DateTimeField(null=True, blank=True)
    arm = models.CharField(max_length=16, blank=True, default="")
    kind = models.CharField(max_length=16, choices=[(k, k) for k in KINDS], default=STUDY)
    known_version = models.ForeignKey(Version, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    measures_stage = models.CharField(max_length=STAGE_NAME_LENGTH, blank=True, default="")
    start_version = models.ForeignKey(Version, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    measures_since = models.DateTimeField(null=True, blank=True)
    priority = models.SmallIntegerField(default=0)
    due_on = models.DateField(null=True, blank=True)
    excluded_reason = models.CharField(max_length=500, blank=True, default="")

    objects = PresentCases()
    ever = EveryCase()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "scan"], name="one_case_per_scan"),
            models.UniqueConstraint(fields=["campaign", "number"], name="one_case_per_number"),
            models.CheckConstraint(
                condition=~models.Q(kind="study")
                | models.Q(known_version=None, start_version=None, measures_stage="", measures_since=None),
                name="study_cases_measure_nobody",
            ),
        ]
        indexes = [models.Index(fields=["campaign", "state", "stage", "number"], name="case_standing")]
        ordering = ["campaign", "number"]

    def __str__(self) -> str:
        return f"{self.campaign} case {self.number}"
