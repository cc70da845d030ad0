"""De-identified studies, series and scans; their pixels lie in storage, named from here by path and SHA-256."""

import uuid

from django.db import models


class Patient(models.Model):
    """A person known by pseudonym alone: HMAC with the installation's key over issuer and patient id."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    pseudonym = models.CharField(max_length=32, unique=True)
    sex = models.CharField(max_length=1, blank=True)

    def __str__(self) -> str:
        return self.pseudonym


class Study(models.Model):
    """The DICOM study that a series came in; its UID is the de-identified one."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="studies")
    uid = models.CharField(max_length=64, unique=True)
    shifted_date = models.DateField(null=True, blank=True)

    def __str__(self) -> str:
        return self.uid


class Scan(models.Model):
    """One CT series accepted for reading, with its volume.

    `shape_zyx` in voxels; `affine_lps` is 4 x 4 row by row and maps voxel centres (i=x, j=y, k=z, 1) to
    patient coordinates (LPS, mm); `geometry_sha256` is over both. `slabs` lists the pixel files in z order:
    [{"z_start", "z_count", "path", "sha256", "bytes"}].
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="scans")
    series_uid = models.CharField(max_length=64, unique=True)
    frame_of_reference_uid = models.CharField(max_length=64, blank=True)
    source = models.CharField(max_length=8, choices=[("dicom", "DICOM"), ("nifti", "NIfTI")])
    shape_zyx = models.JSONField()
    affine_lps = models.JSONField()
    geometry_sha256 = models.CharField(max_length=64)
    voxels_sha256 = models.CharField(max_length=64)
    slabs = models.JSONField()
    has_hu = models.BooleanField(default=True)
    warnings = models.JSONField(default=list)
    description = models.CharField(max_length=200, blank=True)
    manufacturer = models.CharField(max_length=64, blank=True)
    model_name = models.CharField(max_length=64, blank=True)
    kernel = models.CharField(max_length=64, blank=True)
    slice_thickness_mm = models.FloatField(null=True, blank=True)
    kvp = models.FloatField(null=True, blank=True)
    contrast_agent = models.CharField(max_length=64, blank=True)
    patient_age_years = models.PositiveSmallIntegerField(null=True, blank=True)
    filed_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.study.patient.pseudonym} {self.description}".strip()


class Preview(models.Model):
    """A scan at low resolution, one slab file (int16 HU, zyx) on a grid of its own; follows from the scan's voxels."""

    scan = models.OneToOneField(Scan, primary_key=True, on_delete=models.PROTECT, related_name="preview")
    shape_zyx = models.JSONField()
    affine_lps = models.JSONField()
    path = models.CharField(max_length=300)
    sha256 = models.CharField(max_length=64)
    bytes = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"preview of {self.scan_id}"


class Instance(models.Model):
    """One de-identified DICOM file of a scan, in z order of the volume (`z` of its first slice).

    `voxels_sha256` is over the int16 voxels of its slices, so that the same image in another transfer syntax
    is known as the same.
    """

    scan = models.ForeignKey(Scan, on_delete=models.PROTECT, related_name="instances")
    z = models.PositiveIntegerField()
    sop_class_uid = models.CharField(max_length=64)
    sop_uid = models.CharField(max_length=64, unique=True)
    path = models.CharField(max_length=300)
    sha256 = models.CharField(max_length=64)
    voxels_sha256 = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scan", "z"], name="one_instance_per_slice")]
        ordering = ["scan", "z"]

    def __str__(self) -> str:
        return self.sop_uid
