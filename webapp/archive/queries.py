"""Scans and their pixels. Who may see them is asked above, by the case that holds the scan."""

import uuid
from collections.abc import Iterator

import numpy as np

from inference.imaging.slabs import SlabError, decode_slab
from inference.imaging.volume import Volume
from webapp import jobs
from webapp.archive import storage
from webapp.archive.filing import one_at_a_time
from webapp.archive.models import Instance, Picture, Preview, Scan

# The gate's word for pictures, whose size nobody knows.
NO_SPACING = "no_spacing"


def has_spacing(scan: Scan) -> bool:
    """Whether anything is known of the size of a scan's voxels; of a picture without a header nothing is."""
    return all(warning["code"] != NO_SPACING for warning in scan.warnings)


def filed_scan(series_uid: str) -> Scan | None:
    """The scan of a (de-identified) series UID, if the archive has it."""
    return Scan.objects.filter(series_uid=series_uid).select_related("study__patient").first()


def slab_bytes(scan: Scan, index: int) -> bytes:
    """The zstd file of one slab, verified. Raises IndexError, storage.DamagedFile."""
    if not 0 <= index < len(scan.slabs):
        raise IndexError(index)
    slab = scan.slabs[index]
    return storage.read(slab["path"], slab["sha256"])


def volume_of(scan: Scan) -> Volume:
    """The volume of a scan, from its slabs. Raises storage.DamagedFile."""
    nz, ny, nx = scan.shape_zyx
    hu = np.empty((nz, ny, nx), dtype=np.int16)
    for index, slab in enumerate(scan.slabs):
        start, count = slab["z_start"], slab["z_count"]
        try:
            hu[start : start + count] = decode_slab(slab_bytes(scan, index), (count, ny, nx))
        except SlabError as error:
            raise storage.DamagedFile(f"{slab['path']} cannot be decoded.") from error
    return Volume(hu, np.asarray(scan.affine_lps, dtype=np.float64).reshape(4, 4), scan.has_hu, has_spacing(scan))


def preview_for(scan: Scan) -> Preview | None:
    """The preview of a scan; for a scan filed before there were previews a worker is asked for one, and it is None."""
    preview = Preview.objects.filter(scan=scan).first()
    if preview is None and scan.slabs:
        jobs.enqueue("archive.make_preview", scan_id=str(scan.pk))
    return preview


def preview_bytes(preview: Preview) -> bytes:
    """The zstd file of a preview, verified. Raises storage.DamagedFile."""
    return storage.read(preview.path, preview.sha256)


def pictures_of(scan: Scan) -> dict[str, Picture]:
    """The large pictures of a scan by plane; where it has none a worker is asked for them, and it is empty."""
    found = {picture.plane: picture for picture in scan.pictures.filter(size="large")}
    if not found and scan.slabs:
        jobs.enqueue("archive.make_pictures", scan_id=str(scan.pk))
    return {plane: found[plane] for plane in Picture.PLANES if plane in found}


def picture_bytes(picture: Picture) -> bytes:
    """The WebP file of a picture, verified. Raises storage.DamagedFile."""
    return storage.read(picture.path, picture.sha256)


def scan_to_delete(scan_id: uuid.UUID) -> Scan | None:
    """A scan to which nothing is done until the transaction ends: not filed again, drafted, or deleted by others."""
    one_at_a_time()
    return Scan.objects.select_for_update(of=("self",)).filter(pk=scan_id).first()


def instances_of(scan: Scan) -> list[Instance]:
    """The de-identified DICOM files of a scan in z order; none where it came as other files."""
    return list(scan.instances.order_by("z"))


def instance_bytes(instance: Instance) -> bytes:
    """One de-identified DICOM file, verified. Raises storage.DamagedFile."""
    return storage.read(instance.path, instance.sha256)


def files_of(scan: Scan) -> Iterator[bytes]:
    """The de-identified DICOM files of a scan in z order, one at a time."""
    return (instance_bytes(instance) for instance in instances_of(scan))
