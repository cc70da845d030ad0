"""Files of the archive: content-addressed, pixels inside their scan's own path, whole or not there at all.

Django's default storage holds them: a folder of this machine, or a bucket of an object store.
"""

import contextlib
import hashlib
import logging
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.db import InterfaceError, OperationalError

SLABS = "slabs"
INSTANCES = "instances"
PREVIEWS = "previews"
PICTURES = "pictures"
DERIVED = "derived"
SCANS = "scans"
# Beside the scans: weights of algorithms and the pictures of their cards.
ALGORITHMS = "algorithms"
CHUNK_BYTES = 1024 * 1024

log = logging.getLogger(__name__)


class DamagedFile(Exception):
    """A stored file is missing or is not what was filed."""


def scan_folder(scan_id: uuid.UUID) -> str:
    """The path, in storage, under which everything of a scan lies."""
    return f"{SCANS}/{scan_id}"


def _local(name: str) -> Path | None:
    """Where `name` lies on this machine's disk; None where the storage is no file system."""
    try:
        return Path(default_storage.path(name))
    except NotImplementedError:
        return None


def is_file_system() -> bool:
    """Whether files are kept in a folder of this machine, and not in an object store."""
    return _local(SCANS) is not None


def write(scan_id: uuid.UUID, kind: str, content: bytes, suffix: str) -> tuple[str, str]:
    """Store `content` for a scan; return its (path, sha256). The name is the content's hash.

    On a file system the bytes go to a temporary name and are renamed when they are on the disk; an object
    store shows an object only when it is complete. Raises OSError (no space left, say).
    """
    digest = hashlib.sha256(content).hexdigest()
    name = f"{scan_folder(scan_id)}/{kind}/{digest}{suffix}"
    _put(name, ContentFile(content))
    return name, digest


def write_shared(folder: str, content: IO[bytes], suffix: str) -> tuple[str, str, int]:
    """Store a file that belongs to no scan, read in pieces from its beginning; return its (path, sha256, bytes).

    The name is the content's hash, as with `write`. Raises OSError.
    """
    digest, size = hashlib.sha256(), 0
    content.seek(0)
    while part := content.read(CHUNK_BYTES):
        digest.update(part)
        size += len(part)
    content.seek(0)
    name = f"{folder}/{digest.hexdigest()}{suffix}"
    _put(name, File(content))
    if (target := _local(name)) is not None:
        for path in (target.parent, target.parent.parent):
            _sync(path)
    return name, digest.hexdigest(), size


def _put(name: str, content: File) -> None:
    """Store a file whose name is its content's hash; one that is there is left as it is."""
    target = _local(name)
    if target is None:
        # An object of this name has this content: writing it again changes nothing, and asking first costs as much.
        default_storage.save(name, content)
        return
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{uuid.uuid4().hex}.tmp")
    try:
        with open(temporary, "xb") as out:
            for part in content.chunks(CHUNK_BYTES):
                out.write(part)
            out.flush()
            os.fsync(out.fileno())
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def read(name: str, sha256: str) -> bytes:
    """The bytes of a stored file; raises DamagedFile unless they are those that were filed."""
    try:
        with default_storage.open(name, "rb") as stored:
            content = stored.read()
    except FileNotFoundError as error:
        raise DamagedFile(f"{name} is missing from storage.") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise DamagedFile(f"{name} is not what was filed: its checksum differs.")
    return content


def sync_folders(scan_id: uuid.UUID) -> None:
    """Make the names of a scan's files durable, so that a row never outlives a power cut its files do not."""
    folder = _local(scan_folder(scan_id))
    if folder is None or not folder.is_dir():
        return
    for path in (*(p for p in folder.iterdir() if p.is_dir()), folder, folder.parent):
        _sync(path)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove(scan_id: uuid.UUID) -> None:
    """Remove everything stored for a scan; nothing there is no fault. Raises OSError where the storage fails."""
    folder = _local(scan_folder(scan_id))
    if folder is None:
        _bucket().delete_under(scan_folder(scan_id))
        return
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(folder)


def stored_scans() -> list[uuid.UUID]:
    """The ids under which anything is stored, in order. What lies there under another name is nobody's to remove."""
    try:
        names = default_storage.listdir(SCANS)[0]
    except FileNotFoundError:  # nothing was ever filed
        return []
    found = []
    for name in sorted(names):
        with contextlib.suppress(ValueError):
            found.append(uuid.UUID(name))
    return found


def newest_change(scan_id: uuid.UUID) -> float | None:
    """When anything of a scan was last written (seconds since 1970); None where nothing is there any more."""
    folder = _local(scan_folder(scan_id))
    if folder is None:
        return _bucket().newest_under(scan_folder(scan_id))
    times = []
    with contextlib.suppress(FileNotFoundError):
        times = [folder.stat().st_mtime]
        for path in folder.rglob("*"):
            with contextlib.suppress(FileNotFoundError):  # a temporary name, renamed by now
                times.append(path.stat().st_mtime)
    return max(times, default=None)


def _bucket() -> Any:
    """The object store, for what it does to many objects at once."""
    return cast(Any, default_storage)


@contextlib.contextmanager
def removed_on_failure(scan_id: uuid.UUID) -> Iterator[None]:
    """Remove a scan's files when the block, which ends with the commit of its rows, fails.

    A connection that breaks during the commit leaves open whether the rows are there: the files then stay, and
    `manage.py archive sweep` removes them once it is clear that no scan names them. So it does where the storage
    itself fails: why the filing failed is what its caller is told.
    """
    try:
        yield
    except (OperationalError, InterfaceError):
        raise
    except BaseException:
        try:
            remove(scan_id)
        except OSError as error:
            log.error("Files of the failed filing %s stay until they are swept: %s", scan_id, error)
        raise
