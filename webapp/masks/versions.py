"""What a version is made of: manifests of slice digests, and the hash over everything."""

import hashlib
import json

from webapp.masks.models import Checkpoint, Version

EMPTY_DIGEST = bytes(32)


def manifest_digests(version: Version | Checkpoint, layer: str) -> list[str]:
    """Return the hex digest of each slice of a layer in z order, "" where the slice is empty."""
    manifest = bytes(getattr(version, f"{layer}_manifest"))
    parts = (manifest[i : i + 32] for i in range(0, len(manifest), 32))
    return ["" if part == EMPTY_DIGEST else part.hex() for part in parts]


def version_sha256(*, geometry: str, label_set: str, parent: str | None, anatomy: bytes, findings: bytes) -> str:
    """Return the content hash of a version: voxels (by manifests), geometry, label set and parent."""
    content = {
        "format": "groundglass-version-1",
        "geometry": geometry,
        "label_set": label_set,
        "parent": parent,
        "anatomy": hashlib.sha256(anatomy).hexdigest(),
        "findings": hashlib.sha256(findings).hexdigest(),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
