"""Readings: one reader's work on one case at one stage, and the signature that ends it."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

from webapp.campaigns.models import Case, Protocol
from webapp.campaigns.protocols import FLAG_LENGTH, STAGE_NAME_LENGTH
from webapp.masks.models import Mask, Version

REASON_LENGTH = 500


class Reading(models.Model):
    """One reader's work on one case at one stage. It owns its mask; nobody else ever edits it.

    `mask` comes when the reading is begun; `started_at` is then, and until then when it was assigned. `supersedes` is
    the signed reading that this one amends, with a reason. `repeat` counts the same reader's repeat readings, the first
    reading being 0. `released` ones were given back: what they hold stays, and somebody else may read. `active_ms` is
    the time worked on it, without idle time. `attests` says when what a signature is about was done:
    {"lung_checked": ISO time, "coronal_viewed", "sagittal_viewed"}.
    """

    ASSIGNED, IN_PROGRESS, SUBMITTED = "assigned", "in progress", "submitted"
    RETURNED, SIGNED, SUPERSEDED, RELEASED = "returned", "signed", "superseded", "released"
    STATES = (ASSIGNED, IN_PROGRESS, SUBMITTED, RETURNED, SIGNED, SUPERSEDED, RELEASED)
    OPEN_STATES = (ASSIGNED, IN_PROGRESS, RETURNED)
    ENDED_STATES = (SUBMITTED, SIGNED)
    # Those that no longer count for where a case stands.
    PAST_STATES = (SUPERSEDED, RELEASED)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="readings")
    protocol = models.ForeignKey(Protocol, on_delete=models.PROTECT)
    stage = models.CharField(max_length=STAGE_NAME_LENGTH)
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="readings")
    state = models.CharField(max_length=12, choices=[(s, s) for s in STATES], default=IN_PROGRESS)
    mask = models.OneToOneField(Mask, null=True, on_delete=models.PROTECT, related_name="reading")
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    supersedes = models.OneToOneField("self", null=True, blank=True, on_delete=models.PROTECT, related_name="amendment")
    reason = models.CharField(max_length=REASON_LENGTH, blank=True, default="")
    repeat = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(null=True, blank=True)
    due_on = models.DateField(null=True, blank=True)
    active_ms = models.PositiveBigIntegerField(default=0)
    active_at = models.DateTimeField(null=True, blank=True)
    attests = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["case", "stage", "reader", "repeat"],
                condition=~models.Q(state__in=["superseded", "released"]) & models.Q(supersedes=None),
                name="one_reading_per_reader_and_stage",
            ),
            models.CheckConstraint(
                condition=models.Q(mask__isnull=False) | models.Q(state__in=["assigned", "released"]),
                name="mask_once_begun",
            ),
        ]
        indexes = [
            # With the case in it: a worklist asks for the cases of a reader by thousands.
            models.Index(fields=["reader", "state"], include=["case"], name="reading_of_reader"),
            models.Index(
                fields=["case"],
                condition=models.Q(state__in=["assigned", "in progress", "returned"]),
                name="reading_open",
            ),
            models.Index(fields=["case", "started_at"], name="reading_of_case"),
        ]

    def __str__(self) -> str:
        return f"{self.case} {self.stage} by {self.reader}"

    @property
    def begun_mask(self) -> Mask:
        """The mask of a reading that has been begun."""
        if self.mask is None:
            raise ValueError(f"{self} has not been begun")
        return self.mask


class Submission(models.Model):
    """A reading handed on to the next stage: the version that it was then; append-only."""

    reading = models.ForeignKey(Reading, on_delete=models.PROTECT, related_name="submissions")
    version = models.OneToOneField(Version, on_delete=models.PROTECT, related_name="submission")
    submitted_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.reading_id} submitted {self.submitted_at:%Y-%m-%d %H:%M}"


class Return(models.Model):
    """A submission sent back to its reader with a reason; append-only.

    `review` is the reviewer's own reading, set aside by it.
    """

    submission = models.OneToOneField(Submission, on_delete=models.PROTECT, related_name="returned")
    review = models.OneToOneField(Reading, on_delete=models.PROTECT, related_name="made_return")
    reason = models.CharField(max_length=REASON_LENGTH)
    returned_by_name = models.CharField(max_length=120)
    returned_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"returned by {self.returned_by_name}"


class Signature(models.Model):
    """What a reader attested, over which version of the mask; append-only.

    `attested` is what the ledger held then (webapp.readings.attesting), with its SHA-256; `acknowledged` the missing
    points that the signer was warned of; `independent` whether other readings of the case were unknown to the signer.
    """

    reading = models.OneToOneField(Reading, on_delete=models.PROTECT, related_name="signature")
    version = models.OneToOneField(Version, on_delete=models.PROTECT, related_name="signature")
    version_sha256 = models.CharField(max_length=64)
    signer_name = models.CharField(max_length=120)
    meaning = models.CharField(max_length=40)
    statement = models.TextField()
    attested = models.JSONField(default=dict)
    acknowledged = models.JSONField(default=list)
    independent = models.BooleanField(default=True)
    signed_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.signer_name}, {self.signed_at:%Y-%m-%d %H:%M}"


class LedgerRow(models.Model):
    """One axial slice of a reading: whether its reader has seen it, and what they decided.

    Seen means on the axial plane, loaded, at least fitted, in a lung window, for the protocol's dwell; the viewer
    judges. `first_seen_at` and `dwell_ms` (the longest look) are None for a slice decided unseen. `verdict` is the last
    of those that Verdict keeps.
    """

    reading = models.ForeignKey(Reading, on_delete=models.PROTECT, related_name="ledger")
    z = models.PositiveIntegerField()
    first_seen_at = models.DateTimeField(null=True)
    dwell_ms = models.PositiveIntegerField(null=True)
    verdict = models.CharField(max_length=16, blank=True, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["reading", "z"], name="one_ledger_row_per_slice")]

    def __str__(self) -> str:
        return f"{self.reading_id} slice {self.z + 1}"


class Verdict(models.Model):
    """What a reader decided about a range of axial slices, z_first to z_last; append-only, the last word counts.

    `how` is by key on one slice, by range ("all these absent"), or derived from the mask and confirmed.
    """

    PRESENT, ABSENT, INDETERMINATE = VALUES = ("present", "absent", "indeterminate")
    HOWS = ("key", "range", "derived")

    reading = models.ForeignKey(Reading, on_delete=models.PROTECT, related_name="verdicts")
    z_first = models.PositiveIntegerField()
    z_last = models.PositiveIntegerField()
    value = models.CharField(max_length=16, choices=[(v, v) for v in VALUES])
    how = models.CharField(max_length=8, choices=[(h, h) for h in HOWS])
    decided_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.reading_id} slices {self.z_first + 1}-{self.z_last + 1}: {self.value}"


class Comparison(models.Model):
    """Readings of one stage of a case laid against each other, once all were signed; append-only.

    `signatures` are the ids of those compared, `pairs` the figures of each two; `accepted` what the rule made of it.
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="comparisons")
    protocol = models.ForeignKey(Protocol, on_delete=models.PROTECT)
    stage = models.CharField(max_length=STAGE_NAME_LENGTH)
    signatures = models.JSONField()
    pairs = models.JSONField()
    accepted = models.BooleanField()
    reasons = models.JSONField(default=list)
    compared_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.case} {'accepted' if self.accepted else 'disputed'}"


class Grade(models.Model):
    """A reading of a qualification or sentinel case laid against what is known of it; append-only.

    `extent_difference` is the reading's extent minus the known one, in percentage points; `passed` is by the thresholds
    that held when it was graded, `reasons` why not.
    """

    reading = models.OneToOneField(Reading, primary_key=True, on_delete=models.PROTECT, related_name="grade")
    kind = models.CharField(max_length=16)
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="+")
    known_version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="+")
    dice = models.FloatField(null=True)
    extent_difference = models.FloatField(null=True)
    passed = models.BooleanField()
    reasons = models.JSONField(default=list)
    graded_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.reading_id} {'passed' if self.passed else 'not passed'}"


class Reference(models.Model):
    """The mask that stands for a case; append-only: of several, the one with the highest number holds.

    `how` it came to be: one reading was signed, several were accepted, an adjudicator settled them, or an amendment.
    """

    SIGNED, ACCEPTED, ADJUDICATED, AMENDED = HOWS = ("signed", "accepted", "adjudicated", "amended")

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="references")
    number = models.PositiveIntegerField()
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="+")
    protocol = models.ForeignKey(Protocol, on_delete=models.PROTECT)
    how = models.CharField(max_length=12, choices=[(h, h) for h in HOWS])
    comparison = models.ForeignKey(Comparison, null=True, on_delete=models.PROTECT, related_name="+")
    began_from_draft = models.BooleanField(default=False)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "number"], name="one_reference_per_number")]

    def __str__(self) -> str:
        return f"reference {self.number} of {self.case}"


class Thread(models.Model):
    """A conversation about a reading, pinned to a voxel or about its whole case; append-only.

    (`i`, `j`, `k`) is the voxel (x, y, z), None for the whole case; `label` a value of the label set, where it is about
    one. Who sees the reading sees it: it has no rights of its own.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reading = models.ForeignKey(Reading, on_delete=models.PROTECT, related_name="threads")
    i = models.PositiveIntegerField(null=True)
    j = models.PositiveIntegerField(null=True)
    k = models.PositiveIntegerField(null=True)
    label = models.PositiveSmallIntegerField(null=True)
    opened_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(i__isnull=True, j__isnull=True, k__isnull=True)
                | models.Q(i__isnull=False, j__isnull=False, k__isnull=False),
                name="pinned_to_a_voxel_or_to_none",
            )
        ]

    def __str__(self) -> str:
        return f"thread of {self.reading_id}"


class ThreadEntry(models.Model):
    """One thing that was said or done in a thread; append-only, so that what was said before stays.

    A comment's id is that of its first entry; a new text of it and its withdrawal are entries `about` that one.
    `mentions` are the ids of those whom the text names and who may see it.
    """

    COMMENT, EDIT, WITHDRAWAL = "comment", "edit", "withdrawal"
    RESOLVED, REOPENED = "resolved", "reopened"
    KINDS = (COMMENT, EDIT, WITHDRAWAL, RESOLVED, REOPENED)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.PositiveIntegerField()
    thread = models.ForeignKey(Thread, on_delete=models.PROTECT, related_name="entries")
    kind = models.CharField(max_length=12, choices=[(k, k) for k in KINDS])
    about = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="later")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    text = models.TextField(blank=True, default="")
    mentions = models.JSONField(default=list)
    said_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["thread", "number"], name="one_thread_entry_per_number"),
            models.CheckConstraint(
                condition=models.Q(kind__in=["comment", "edit"]) ^ models.Q(text=""), name="comments_have_a_text"
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=["edit", "withdrawal"]) ^ models.Q(about=None),
                name="edits_and_withdrawals_are_about_a_comment",
            ),
        ]
        ordering = ["thread", "number"]

    def __str__(self) -> str:
        return f"{self.kind} in thread {self.thread_id}"


class Flag(models.Model):
    """A reader's word about a case, "artefact" say, set or taken back; append-only, the last word of a name counts."""

    reading = models.ForeignKey(Reading, on_delete=models.PROTECT, related_name="flags")
    name = models.CharField(max_length=FLAG_LENGTH)
    raised = models.BooleanField()
    remark = models.CharField(max_length=REASON_LENGTH, blank=True, default="")
    said_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.name} {'set' if self.raised else 'taken back'} in {self.reading_id}"


class FlagDecision(models.Model):
    """What a coordinator made of a flag that proposed to exclude its case; append-only."""

    flag = models.OneToOneField(Flag, on_delete=models.PROTECT, related_name="decision")
    excluded = models.BooleanField()
    reason = models.CharField(max_length=REASON_LENGTH)
    decided_by_name = models.CharField(max_length=120)
    decided_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{'excluded' if self.excluded else 'kept'} by {self.decided_by_name}"


class FormEntry(models.Model):
    """One answer in a scoring form of a reading; append-only, the last one counts. A `value` of None took it back."""

    reading = models.ForeignKey(Reading, on_delete=models.PROTECT, related_name="form_entries")
    form = models.CharField(max_length=40)
    item = models.CharField(max_length=90)
    value = models.JSONField(null=True)
    said_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.reading_id} {self.form} {self.item}: {self.value}"
