"""Looking after stored files: every one is what was filed, and nothing lies there that no scan names."""

import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from django.core.files.storage import default_storage

from webapp.archive import storage
from webapp.archive.models import Preview, Scan

# A filing under way has files and no row yet; nothing younger than this is taken for left behind.
LEFT_BEHIND_AFTER_S = 24 * 3600


def damaged_files() -> Iterator[str]:
    """Yield one sentence for each file of a scan that is missing or is not what was filed."""
    for scan in Scan.objects.order_by("filed_at").iterator():
        files = [(slab["path"], slab["sha256"]) for slab in scan.slabs]
        files += scan.instances.values_list("path", "sha256")
        files += Preview.objects.filter(scan=scan).values_list("path", "sha256")
        for path, sha256 in dict.fromkeys(files):
            try:
                storage.read(path, sha256)
            except storage.DamagedFile as damage:
                yield f"Scan {scan.pk}: {damage}"


def left_behind(now: float | None = None) -> Iterator[uuid.UUID]:
    """Yield the ids under which files lie that no scan names: a filing was killed before its rows were committed."""
    root = Path(default_storage.path("scans"))
    for folder in sorted(root.iterdir()) if root.is_dir() else []:
        try:
            identifier = uuid.UUID(folder.name)
        except ValueError:
            continue
        age_s = (now if now is not None else time.time()) - folder.stat().st_mtime
        if age_s > LEFT_BEHIND_AFTER_S and not Scan.objects.filter(pk=identifier).exists():
            yield identifier
