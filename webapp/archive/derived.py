"""DICOM objects made from masks, as they are kept beside a scan: compressed, content-addressed, verified."""

import io
import uuid

import zstandard
from pydicom import dcmread

from inference.imaging.dicomjson import header_json
from webapp.archive import storage
from webapp.archive.filing import NewObject
from webapp.archive.headers import series_row
from webapp.archive.models import DerivedObject, Scan

LARGEST_BYTES = 2**31


def write_object(scan: Scan, made_from: uuid.UUID, new: NewObject) -> DerivedObject:
    """Store one object of a scan and return its row with its series', both unsaved. Raises OSError."""
    header = dcmread(io.BytesIO(new.content), stop_before_pixels=True)
    path, sha256 = storage.write(
        scan.pk, storage.DERIVED, zstandard.ZstdCompressor(level=6).compress(new.content), ".dcm.zst"
    )
    return DerivedObject(
        series=series_row(scan, header, [header_json(header)], made_from),
        made_from=made_from,
        kind=new.kind,
        sop_class_uid=str(header.SOPClassUID),
        sop_uid=str(header.SOPInstanceUID),
        path=path,
        sha256=sha256,
        bytes=len(new.content),
    )


def object_bytes(derived: DerivedObject) -> bytes:
    """The DICOM file of a derived object, verified. Raises storage.DamagedFile."""
    packed = storage.read(derived.path, derived.sha256)
    try:
        return zstandard.ZstdDecompressor().decompress(packed, LARGEST_BYTES)
    except zstandard.ZstdError as error:
        raise storage.DamagedFile(f"{derived.path} cannot be decompressed.") from error
