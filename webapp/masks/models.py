"""Label sets, masks of two layers, strokes and immutable versions (see docs/explanation/mask-store.md)."""

import uuid

from django.conf import settings
from django.db import models

from webapp.archive.models import Scan

LAYERS = ("anatomy", "findings")
VERSION_REASONS = ("draft", "import", "submit", "return", "sign", "restore", "consensus")
LAYER_CHOICES = [(layer, layer) for layer in LAYERS]


class LabelSet(models.Model):
    """An ordered list of labels, immutable by version.

    `labels`: [{"value", "name", "colour", "code": {"scheme", "value", "meaning"}, "counts_as_lung", "is_exclusion"}].
    """

    name = models.CharField(max_length=80)
    version = models.PositiveIntegerField()
    labels = models.JSONField()
    sha256 = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["name", "version"], name="one_label_set_per_version")]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"

    @property
    def lesion_values(self) -> list[int]:
        """Values of the findings layer that are lesion."""
        return [label["value"] for label in self.labels if not label["is_exclusion"]]

    @property
    def not_lung_values(self) -> list[int]:
        """Values of the findings layer whose voxels do not count as lung (effusion)."""
        return [label["value"] for label in self.labels if not label["counts_as_lung"]]


class SliceBlob(models.Model):
    """One layer slice of some version, keyed by the SHA-256 of its raw uint8 voxels; `data` is a zstd frame."""

    sha256 = models.CharField(max_length=64, primary_key=True)
    data = models.BinaryField()

    def __str__(self) -> str:
        return self.sha256


class Mask(models.Model):
    """A labelled volume over one scan: an anatomy layer and a findings layer, uint8 on the scan's grid.

    `stroke_sequence` and `head_hash` are the length and the head of its chain of strokes; `replay_cost` is what its
    strokes since the last stored state cost to replay (see checkpoints).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    scan = models.ForeignKey(Scan, on_delete=models.PROTECT, related_name="masks")
    label_set = models.ForeignKey(LabelSet, on_delete=models.PROTECT, related_name="masks")
    author_kind = models.CharField(
        max_length=16, choices=[(k, k) for k in ("person", "algorithm", "import", "consensus")]
    )
    author_id = models.CharField(max_length=80)
    author_name = models.CharField(max_length=120)
    forked_from = models.ForeignKey("Version", null=True, on_delete=models.PROTECT, related_name="forks")
    stroke_sequence = models.PositiveIntegerField(default=0)
    head_hash = models.CharField(max_length=64)
    replay_cost = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"mask {self.pk} by {self.author_name}"


class HeadSlice(models.Model):
    """The working state of one slice of a mask: what its last version and the strokes since then amount to.

    A cache of the stroke log, kept so that a stroke costs only the slices it touches. All-zero slices have no row.
    """

    mask = models.ForeignKey(Mask, on_delete=models.CASCADE, related_name="head_slices")
    layer = models.CharField(max_length=8, choices=LAYER_CHOICES)
    z = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    data = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mask", "layer", "z"], name="one_head_slice")]

    def __str__(self) -> str:
        return f"{self.mask_id} {self.layer} {self.z}"


class DataSet(models.Model):
    """A public or own collection of scans that came with masks: the author of those masks.

    What is said of licence and citation is said once; `name` is what versions and exports carry. `mask_values` says
    what the values of its mask files mean, {"1": "left lung", "3": "lesion"}, where neither files nor names do.
    """

    NAME_LENGTH, LICENCE_LENGTH, CITATION_LENGTH = 120, 200, 2000

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=NAME_LENGTH, unique=True)
    licence = models.CharField(max_length=LICENCE_LENGTH, blank=True)
    citation = models.TextField(blank=True)
    mask_values = models.JSONField(default=dict, blank=True)
    named_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class ImportedMask(models.Model):
    """A mask that came with a scan, on the scan's own voxels; its author is the data set. Append-only.

    `layers` says of each layer that came where it came from: {"anatomy": {"came_as", "voxels", "labels"}}; a layer that
    is not in it was not given, which is not the same as empty. `content_sha256` is over the label set and the layers'
    voxels: the same mask of the same data set is known again. `notes` are sentences for whoever reads from it.
    """

    mask = models.OneToOneField(Mask, primary_key=True, on_delete=models.PROTECT, related_name="imported")
    scan = models.ForeignKey(Scan, on_delete=models.PROTECT, related_name="imported_masks")
    data_set = models.ForeignKey(DataSet, on_delete=models.PROTECT, related_name="imported_masks")
    content_sha256 = models.CharField(max_length=64)
    layers = models.JSONField()
    notes = models.JSONField(default=list)
    imported_by_name = models.CharField(max_length=120)
    imported_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["scan", "data_set", "content_sha256"], name="one_imported_mask_per_content")
        ]
        ordering = ["imported_at"]

    def __str__(self) -> str:
        return f"imported mask of {self.data_set} over {self.scan_id}"

    @property
    def words(self) -> str:
        """Which layers came, for people."""
        names = {"anatomy": "lung", "findings": "findings"}
        return " and ".join(names[layer] for layer in LAYERS if layer in self.layers)


class Version(models.Model):
    """An immutable state of a mask. A manifest is the slices' SHA-256 digests in z order, 32 bytes each (zeros: empty).

    sha256 is over voxels (by the manifests), geometry, label set and parent.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    mask = models.ForeignKey(Mask, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    parent = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="children")
    reason = models.CharField(max_length=12, choices=[(r, r) for r in VERSION_REASONS])
    author_name = models.CharField(max_length=120)
    stroke_sequence = models.PositiveIntegerField()
    stroke_head_hash = models.CharField(max_length=64)
    anatomy_manifest = models.BinaryField()
    findings_manifest = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    cut_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mask", "number"], name="one_version_per_number")]

    def __str__(self) -> str:
        return f"{self.mask_id} v{self.number}"


class Checkpoint(models.Model):
    """The state of a mask after a stroke, stored on the way through a long log; manifests as a version's are.

    It saves reading time and says nothing that the strokes do not.
    """

    mask = models.ForeignKey(Mask, on_delete=models.PROTECT, related_name="checkpoints")
    stroke_sequence = models.PositiveIntegerField()
    anatomy_manifest = models.BinaryField()
    findings_manifest = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mask", "stroke_sequence"], name="one_checkpoint_per_place")]

    def __str__(self) -> str:
        return f"{self.mask_id} after #{self.stroke_sequence}"


class Stroke(models.Model):
    """One edit of one layer, append-only. `payload` is the zstd-compressed GGD1 delta; `hash` chains the strokes.

    `applied` is false for a stroke kept as a branch: its tab had lost the lease, or its old labels did not fit.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    mask = models.ForeignKey(Mask, on_delete=models.PROTECT, related_name="strokes")
    stroke_sequence = models.PositiveIntegerField()
    applied = models.BooleanField()
    branch_reason = models.CharField(max_length=16, blank=True)
    layer = models.CharField(max_length=8, choices=LAYER_CHOICES)
    tool = models.CharField(max_length=32)
    plane = models.CharField(max_length=8)
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="strokes")
    tab = models.UUIDField()
    epoch = models.PositiveIntegerField()
    client_sequence = models.PositiveIntegerField()
    client_time = models.CharField(max_length=40)
    server_time = models.DateTimeField()
    undoes = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="undone_by")
    voxel_count = models.PositiveIntegerField()
    # Null only for strokes from before these were kept: a stroke is never changed, not even to add them.
    z_first = models.PositiveIntegerField(null=True)
    z_last = models.PositiveIntegerField(null=True)
    payload = models.BinaryField()
    payload_sha256 = models.CharField(max_length=64)
    prev_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mask", "stroke_sequence"], name="one_stroke_per_place")]

    def __str__(self) -> str:
        return f"{self.mask_id} #{self.stroke_sequence} {self.tool}"


class StrokePart(models.Model):
    """GGD1 bytes of a stroke that is not in the log yet: an edit too large for one request comes in parts.

    Not a record: it goes once its stroke is appended, or after a day.
    """

    mask = models.ForeignKey(Mask, on_delete=models.CASCADE, related_name="parts")
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="stroke_parts")
    payload_sha256 = models.CharField(max_length=64)
    payload = models.BinaryField()
    arrived_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mask", "reader", "payload_sha256"], name="one_part_once")]

    def __str__(self) -> str:
        return f"{self.mask_id} {self.payload_sha256}"


class BranchDecision(models.Model):
    """What became of strokes kept beside a mask (those of one tab under one epoch): merged, or set aside. Append-only.

    The strokes themselves stay where they are; `strokes` names the ordinary ones that brought them in.
    """

    mask = models.ForeignKey(Mask, on_delete=models.PROTECT, related_name="branch_decisions")
    tab = models.UUIDField()
    epoch = models.PositiveIntegerField()
    up_to_sequence = models.PositiveIntegerField()
    decision = models.CharField(max_length=9, choices=[(d, d) for d in ("merged", "set_aside")])
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="branch_decisions")
    decided_at = models.DateTimeField(auto_now_add=True)
    strokes = models.JSONField(default=list)

    def __str__(self) -> str:
        return f"{self.mask_id} {self.tab} epoch {self.epoch}: {self.decision}"


class Lease(models.Model):
    """Who may write a mask: one tab of one person. Taking over raises `epoch`, which fences the old tab off."""

    mask = models.OneToOneField(Mask, primary_key=True, on_delete=models.CASCADE, related_name="lease")
    epoch = models.PositiveIntegerField()
    holder = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="leases")
    tab = models.UUIDField()
    acquired_at = models.DateTimeField()
    renewed_at = models.DateTimeField()
    released = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"{self.mask_id} epoch {self.epoch}"
