"""De-identified studies, series and scans; their pixels lie in storage, named from here by path and SHA-256."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

SITE_LENGTH = 60
# What makers write into the header, and what people call them.
MAKERS = {
    "GE MEDICAL SYSTEMS": "GE",
    "SIEMENS HEALTHINEERS": "Siemens",
    "SIEMENS": "Siemens",
    "PHILIPS MEDICAL SYSTEMS": "Philips",
    "TOSHIBA": "Toshiba",
    "CANON_MEC": "Canon",
    "CANON MEDICAL SYSTEMS": "Canon",
}


# How scans come, and what people call it.
CAME_AS = {
    "dicom": "DICOM series",
    "nifti": "NIfTI volume",
    "nrrd": "NRRD volume",
    "metaimage": "MetaImage volume",
    "pictures": "pictures",
}


def scanner_name(header: str) -> str:
    """Make and model, joined by a space, as people say them."""
    for long, short in MAKERS.items():
        if header.upper() == long or header.upper().startswith(f"{long} "):
            model = header[len(long) :].strip()
            return model if model.upper().startswith(short.upper()) else f"{short} {model}".strip()
    return header


class Patient(models.Model):
    """A person known by pseudonym alone: HMAC with the installation's key over issuer and patient id."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    pseudonym = models.CharField(max_length=32, unique=True)

    def __str__(self) -> str:
        return self.pseudonym


class Study(models.Model):
    """The DICOM study that a series came in; its UID is the de-identified one."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="studies")
    uid = models.CharField(max_length=64, unique=True)
    shifted_date = models.DateField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["shifted_date"], name="study_shifted_date")]

    def __str__(self) -> str:
        return self.uid


class PresentScans(models.Manager["Scan"]):
    """Scans that were not deleted: nothing that looks scans up may find another by chance."""

    def get_queryset(self) -> models.QuerySet["Scan"]:
        """Leave the deleted ones out."""
        return super().get_queryset().filter(deleted_at=None)


class EveryScan(models.Manager["Scan"]):
    """Scans that are there, and the tombstones of those that are not."""


class Scan(models.Model):
    """One CT series accepted for reading, with its volume.

    `shape_zyx` in voxels; `affine_lps` is 4 x 4 row by row and maps voxel centres (i=x, j=y, k=z, 1) to
    patient coordinates (LPS, mm); `geometry_sha256` is over both. `slabs` lists the pixel files in z order:
    [{"z_start", "z_count", "path", "sha256", "bytes"}]. What people search by stands in columns; all of it was taken
    after de-identification, and `site` was named by whoever sent the scan, never by a header.

    A deleted scan keeps its row, for what was drawn over it keeps its own: who deleted it, when and why. Its files
    and the rows of its files are gone. `objects` has the scans that are there, `ever` the deleted ones too.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="scans")
    series_uid = models.CharField(max_length=64)
    frame_of_reference_uid = models.CharField(max_length=64, blank=True)
    source = models.CharField(max_length=12, choices=list(CAME_AS.items()))
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
    # With the scan, not with the patient: one campaign keeps characteristics and another removes them.
    patient_age_years = models.PositiveSmallIntegerField(null=True, blank=True)
    sex = models.CharField(max_length=1, blank=True, default="")
    site = models.CharField(max_length=SITE_LENGTH, blank=True, default="")
    body_part = models.CharField(max_length=32, blank=True, default="")
    # Given, by the header's agent or by a warning; False where nothing says so.
    contrast = models.BooleanField(default=False)
    tube_current_ma = models.FloatField(null=True, blank=True)
    exposure_mas = models.FloatField(null=True, blank=True)
    ctdi_vol_mgy = models.FloatField(null=True, blank=True)
    # From the grid: how many slices, and how far apart voxels are.
    slice_count = models.PositiveIntegerField(default=0)
    spacing_z_mm = models.FloatField(default=0)
    spacing_xy_mm = models.FloatField(default=0)
    # In small letters, all that words are looked for in but the site, which may be named anew.
    search_text = models.TextField(blank=True, default="", editable=False)
    # The codes of its remarks (webapp.archive.remarks), to search by.
    remark_codes = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    filed_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)
    deleted_by_name = models.CharField(max_length=120, blank=True, default="", editable=False)
    deletion_reason = models.CharField(max_length=500, blank=True, default="", editable=False)

    objects = PresentScans()
    ever = EveryScan()

    class Meta:
        constraints = [
            # The same series may be filed anew once its scan was deleted.
            models.UniqueConstraint(
                fields=["series_uid"], condition=models.Q(deleted_at=None), name="one_scan_per_series"
            ),
            models.CheckConstraint(
                condition=models.Q(deleted_at=None, deletion_reason="")
                | models.Q(deleted_at__isnull=False) & ~models.Q(deletion_reason=""),
                name="deleted_scan_has_a_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["-filed_at"], name="scan_filed_at"),
            models.Index(fields=["site"], name="scan_site"),
            models.Index(fields=["manufacturer", "model_name"], name="scan_scanner"),
            models.Index(fields=["kernel"], name="scan_kernel"),
            # By which a scan is known again that an algorithm was trained on.
            models.Index(fields=["voxels_sha256"], name="scan_voxels"),
            GinIndex(fields=["remark_codes"], name="scan_remark_codes"),
        ]

    def __str__(self) -> str:
        return f"{self.study.patient.pseudonym} {self.description}".strip()

    @property
    def came_as(self) -> str:
        """What it came as, as people say it."""
        return CAME_AS[self.source]

    @property
    def scanner(self) -> str:
        """Make and model in one, as people say them."""
        return scanner_name(f"{self.manufacturer} {self.model_name}".strip())


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


class Picture(models.Model):
    """A small picture of a scan for lists and pages: one plane in the lung window, without any mask over it.

    `plane` is axial, coronal or sagittal; `size` is small (a line of a list) or large (a page).
    """

    PLANES, SIZES = ("axial", "coronal", "sagittal"), ("small", "large")

    scan = models.ForeignKey(Scan, on_delete=models.PROTECT, related_name="pictures")
    plane = models.CharField(max_length=8, choices=[(plane, plane) for plane in PLANES])
    size = models.CharField(max_length=8, choices=[(size, size) for size in SIZES])
    width_px = models.PositiveIntegerField()
    height_px = models.PositiveIntegerField()
    path = models.CharField(max_length=300)
    sha256 = models.CharField(max_length=64)
    bytes = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scan", "plane", "size"], name="one_picture_per_plane_and_size")]

    def __str__(self) -> str:
        return f"{self.size} {self.plane} picture of {self.scan_id}"


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


class Series(models.Model):
    """One DICOM series as DICOMweb finds it: that of a scan, or one made from a mask over a scan and filed from above.

    What the headers of its files say, read once: columns to search by, and `headers`, the DICOM JSON of each file on a
    line of its own, in the order of the instances, zstd-compressed. `made_from` is empty for a scan's own series;
    for another it is the id of the version of a mask that it was made from, which the archive knows nothing of.
    """

    scan = models.ForeignKey(Scan, on_delete=models.CASCADE, related_name="series")
    made_from = models.UUIDField(null=True, blank=True, db_index=True)
    uid = models.CharField(max_length=64, unique=True)
    modality = models.CharField(max_length=16)
    number = models.IntegerField(null=True, blank=True)
    description = models.CharField(max_length=64, blank=True)
    body_part = models.CharField(max_length=16, blank=True)
    protocol_name = models.CharField(max_length=64, blank=True)
    manufacturer = models.CharField(max_length=64, blank=True)
    model_name = models.CharField(max_length=64, blank=True)
    study_time = models.TimeField(null=True, blank=True)
    study_id = models.CharField(max_length=16, blank=True)
    study_description = models.CharField(max_length=64, blank=True)
    sop_class_uid = models.CharField(max_length=64)
    transfer_syntax_uid = models.CharField(max_length=64)
    instance_count = models.PositiveIntegerField()
    headers = models.BinaryField()

    class Meta:
        verbose_name_plural = "series"
        constraints = [
            models.UniqueConstraint(
                fields=["scan"], condition=models.Q(made_from=None), name="one_series_of_its_own_per_scan"
            )
        ]
        indexes = [models.Index(fields=["scan", "modality"], name="series_of_scan")]

    def __str__(self) -> str:
        return self.uid


class DerivedObject(models.Model):
    """A DICOM object made from a mask: the one instance of a derived series. `kind` is findings, anatomy or report.

    The file lies zstd-compressed in storage (a segmentation is mostly zeros); `sha256` is over the stored bytes.
    """

    series = models.OneToOneField(Series, primary_key=True, on_delete=models.CASCADE, related_name="derived")
    made_from = models.UUIDField()
    kind = models.CharField(max_length=8)
    sop_class_uid = models.CharField(max_length=64)
    sop_uid = models.CharField(max_length=64, unique=True)
    path = models.CharField(max_length=300)
    sha256 = models.CharField(max_length=64)
    bytes = models.PositiveIntegerField()
    filed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["made_from", "kind"], name="one_derived_object_per_kind")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.made_from}"
