"""NIfTI files in and out. Inside this product everything is LPS; NIfTI is RAS."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from inference.imaging import axes, gate
from inference.imaging.findings import SeriesRefused
from inference.imaging.inflating import inflate, read_exactly
from inference.imaging.volume import Volume
from inference.imaging.volume_files import Opened, StoredVolume, check_affine, check_shape

if TYPE_CHECKING:
    # Imported where it is used: it takes as long as a dozen slices, and series of DICOM do without.
    import nibabel as nib

GZIP = b"\x1f\x8b"
# By the size of the header: NIfTI-1 and NIfTI-2.
MAGIC_AT = {348: 344, 540: 4}
# Extensions lie between header and voxels; nobody needs more of them.
LARGEST_OFFSET = 16 * 1024 * 1024
MM_PER_UNIT = {"meter": 1000.0, "mm": 1.0, "micron": 0.001, "unknown": 1.0}
# From this distance on, it is told that sform and qform differ.
NOTED_DIFFERENCE_MM = 1.0


def read_nifti(opened: Opened) -> StoredVolume:
    """A NIfTI-1 or NIfTI-2 file, gzipped or not; raises SeriesRefused naming the file."""
    try:
        return _read(opened)
    except SeriesRefused:
        raise
    except Exception as error:  # nibabel and zlib raise many kinds on damaged files; all of them mean this
        raise gate.refuse("broken_file", name=opened.name, kind="NIfTI") from error


def is_nifti(head: bytes) -> bool:
    """Whether these first bytes, unpacked where they are gzipped, begin a NIfTI or Analyze file."""
    return _header_size(head) is not None


def unpacked(head: bytes) -> bytes:
    """The first bytes inside a gzip stream; the same bytes when they are none."""
    if not head.startswith(GZIP):
        return head
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(head, 1024)
    except zlib.error:
        return b""


def write_volume(path: Path, volume: Volume) -> None:
    """Write a scan as int16 NIfTI-1 (gzipped when the name ends in .gz)."""
    _write(path, volume.hu, volume.affine_lps)


def write_mask(path: Path, mask_zyx: NDArray[np.uint8], affine_lps: NDArray[np.floating]) -> None:
    """Write a mask layer (uint8 zyx) as NIfTI-1 on the scan's grid."""
    if mask_zyx.dtype != np.uint8 or mask_zyx.ndim != 3:
        raise ValueError("A mask layer is a uint8 array with axes zyx.")
    _write(path, mask_zyx, affine_lps)


def _write(path: Path, array_zyx: NDArray[Any], affine_lps: NDArray[np.floating]) -> None:
    import nibabel as nib

    affine_ras = axes.lps_to_ras(affine_lps)
    image = nib.Nifti1Image(array_zyx.transpose(2, 1, 0), affine_ras)
    image.header.set_data_dtype(array_zyx.dtype)
    image.header.set_xyzt_units("mm")
    image.set_sform(affine_ras, code="scanner")
    image.set_qform(affine_ras, code="scanner")
    nib.save(image, path)


def _read(opened: Opened) -> StoredVolume:
    gzipped = opened.stream.read(2) == GZIP
    opened.stream.seek(0)

    def first_bytes(size: int) -> bytes:
        opened.stream.seek(0)
        return inflate(opened.stream, size) if gzipped else read_exactly(opened.stream, size)

    header = _header(opened, first_bytes)
    findings = gate.Findings()
    dtype = header.get_data_dtype()
    x, y, z = check_shape(opened.name, header.get_data_shape(), dtype)
    affine = _affine_lps(opened.name, header, findings)
    offset = int(header.get_data_offset())
    if not 0 <= offset <= LARGEST_OFFSET:
        raise ValueError("the voxels lie too far away")
    data = first_bytes(offset + x * y * z * dtype.itemsize)
    values = np.frombuffer(data, dtype=dtype, offset=offset).reshape(z, y, x)
    return StoredVolume(_scaled(values.astype(dtype.newbyteorder("="), copy=False), header), affine, findings)


def _header(opened: Opened, first_bytes: Any) -> nib.Nifti1Header:
    import nibabel as nib

    head = first_bytes(8)
    found = _header_size(head)
    if found is None:
        raise ValueError("no NIfTI header")
    size, endianness = found
    block = first_bytes(size)
    magic = block[MAGIC_AT[size] : MAGIC_AT[size] + 3]
    if magic in (b"ni1", b"ni2"):
        raise gate.refuse("detached", name=opened.name, companion="*.img")
    if magic not in (b"n+1", b"n+2"):
        raise gate.refuse("analyze", name=opened.name)
    kind = nib.Nifti1Header if size == 348 else nib.Nifti2Header
    return kind(block, endianness=endianness, check=False)


def _header_size(head: bytes) -> tuple[int, str] | None:
    for mark, order in (("<", "little"), (">", "big")):
        size = int.from_bytes(head[:4], order)  # type: ignore[arg-type]
        if size in MAGIC_AT:
            return size, mark
    return None


def _affine_lps(name: str, header: nib.Nifti1Header, findings: gate.Findings) -> axes.Affine:
    sform, qform = int(header["sform_code"]) > 0, int(header["qform_code"]) > 0
    if not sform and not qform:
        raise gate.refuse("no_place", name=name, what="no sform, no qform")
    affine = np.asarray(header.get_best_affine(), dtype=np.float64)
    unit = MM_PER_UNIT[header.get_xyzt_units()[0]]
    affine[:3] *= unit
    affine = axes.ras_to_lps(affine)
    check_affine(name, affine)
    if sform and qform:
        other = axes.ras_to_lps(np.diag([unit, unit, unit, 1.0]) @ header.get_qform())
        corner = np.array([*header.get_data_shape()[:3], 1.0])
        distance = max(float(np.linalg.norm((affine - other) @ at)) for at in (corner, np.array([0, 0, 0, 1.0])))
        if distance > NOTED_DIFFERENCE_MM:
            findings.say("two_places", distance=distance)
    return affine


def _scaled(values: NDArray[Any], header: nib.Nifti1Header) -> NDArray[Any]:
    slope, intercept = header.get_slope_inter()
    if slope in (None, 0) or (slope == 1 and intercept == 0):
        return values
    return values.astype(np.float64) * float(slope) + float(intercept or 0)
