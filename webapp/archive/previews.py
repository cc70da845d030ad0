"""Previews of scans: made at filing, and by a worker for scans that were filed before there were any."""

import uuid

from inference.imaging.preview import encoded_preview
from inference.imaging.volume import Volume
from webapp.archive import storage
from webapp.archive.models import Preview


def write_preview(scan_id: uuid.UUID, volume: Volume) -> tuple[Preview, Volume]:
    """Store the preview of a scan's volume; return its row, unsaved, and the preview itself."""
    content, small = encoded_preview(volume)
    path, sha256 = storage.write(scan_id, storage.PREVIEWS, content, ".slab")
    row = Preview(
        scan_id=scan_id,
        shape_zyx=list(small.shape_zyx),
        affine_lps=small.affine_lps.tolist(),
        path=path,
        sha256=sha256,
        bytes=len(content),
    )
    return row, small
