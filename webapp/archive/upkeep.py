"""Looking after stored files: every one is what was filed, and nothing lies there that no scan names."""

import time
import uuid
from collections.abc import Callable, Iterator

from webapp.archive import storage
from webapp.archive.models import DerivedObject, Picture, Preview, Scan

# A filing under way has files and no row yet; nothing younger than this is taken for left behind.
LEFT_BEHIND_AFTER_S = 24 * 3600

# (what it is, path, SHA-256) of each file that another app keeps in storage; they say so when they start (the archive
# looks up to no app).
FilesOf = Callable[[], Iterator[tuple[str, str, str]]]
_others: list[FilesOf] = []


def register_files(files_of: FilesOf) -> None:
    """Let the files that `files_of()` names be checked with those of scans."""
    if files_of not in _others:
        _others.append(files_of)


def files_named_by(scan: Scan) -> Iterator[tuple[str, str, str]]:
    """(what it is, path, SHA-256) of each file that is stored for a scan."""
    yield from own_files_of(scan)
    for kind, path, sha256 in DerivedObject.objects.filter(series__scan=scan).values_list("kind", "path", "sha256"):
        yield f"DICOM {kind} of a mask", path, sha256


def own_files_of(scan: Scan) -> Iterator[tuple[str, str, str]]:
    """Those that whoever sees the scan may know of: none that was made from a reading, or from an AI draft."""
    for slab in scan.slabs:
        first, last = slab["z_start"] + 1, slab["z_start"] + slab["z_count"]
        yield f"slab of slices {first} to {last}", slab["path"], slab["sha256"]
    for z, path, sha256 in scan.instances.order_by("z").values_list("z", "path", "sha256"):
        yield f"DICOM file of slice {z + 1}", path, sha256
    for path, sha256 in Preview.objects.filter(scan=scan).values_list("path", "sha256"):
        yield "preview", path, sha256
    for plane, size, path, sha256 in Picture.objects.filter(scan=scan).values_list("plane", "size", "path", "sha256"):
        yield f"{size} {plane} picture", path, sha256


def damaged_files() -> Iterator[str]:
    """Yield one sentence for each stored file that is missing, is not what was filed, or cannot be read."""
    yield from _damaged_files_of_scans()
    for files_of in _others:
        for what, path, sha256 in files_of():
            try:
                storage.read(path, sha256)
            except (storage.DamagedFile, OSError) as damage:
                yield f"{what}: {damage}"


def _damaged_files_of_scans() -> Iterator[str]:
    for scan in Scan.objects.order_by("filed_at").iterator():
        for what, path, sha256 in files_named_by(scan):
            try:
                storage.read(path, sha256)
            except (storage.DamagedFile, OSError) as damage:
                # A scan that was deleted meanwhile has lost its files rightly.
                if Scan.objects.filter(pk=scan.pk).exists():
                    yield f"Scan {scan.pk}, {what}: {damage}"


def left_behind(now: float | None = None) -> Iterator[uuid.UUID]:
    """Yield the ids under which files lie that no scan names: a filing was killed before its rows were committed.

    So does what a deleted scan left, where its own job could not remove it. A filing under way is never taken: its
    newest file is young, and the age is looked at before the row, so that one that commits meanwhile is seen.
    """
    now = time.time() if now is None else now
    for identifier in storage.stored_scans():
        if Scan.objects.filter(pk=identifier).exists():
            continue
        changed = storage.newest_change(identifier)
        if changed is None or now - changed <= LEFT_BEHIND_AFTER_S:
            continue
        if not Scan.objects.filter(pk=identifier).exists():
            yield identifier
