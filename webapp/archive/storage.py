"""Pixel files of the archive: content-addressed, inside their scan's own path, whole or not there at all."""

import contextlib
import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import InterfaceError, OperationalError

SLABS = "slabs"
INSTANCES = "instances"
PREVIEWS = "previews"


class DamagedFile(Exception):
    """A stored file is missing or is not what was filed."""


def scan_folder(scan_id: uuid.UUID) -> str:
    """The path, in storage, under which everything of a scan lies."""
    return f"scans/{scan_id}"


def _local(name: str) -> Path | None:
    """Where `name` lies on this machine's disk; None where the storage is no file system."""
    try:
        return Path(default_storage.path(name))
    except NotImplementedError:
        return None


def write(scan_id: uuid.UUID, kind: str, content: bytes, suffix: str) -> tuple[str, str]:
    """Store `content` for a scan; return its (path, sha256). The name is the content's hash.

    On a file system the bytes go to a temporary name and are renamed when they are on the disk; an object
    store shows an object only when it is complete. Raises OSError (no space left, say).
    """
    digest = hashlib.sha256(content).hexdigest()
    name = f"{scan_folder(scan_id)}/{kind}/{digest}{suffix}"
    target = _local(name)
    if target is None:
        if not default_storage.exists(name):
            default_storage.save(name, ContentFile(content))
        return name, digest
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{uuid.uuid4().hex}.tmp")
        try:
            with open(temporary, "xb") as out:
                out.write(content)
                out.flush()
                os.fsync(out.fileno())
            os.replace(temporary, target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    return name, digest


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
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def remove(scan_id: uuid.UUID) -> None:
    """Remove everything stored for a scan that was not filed."""
    folder = _local(scan_folder(scan_id))
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)
        return
    for kind in (SLABS, INSTANCES, PREVIEWS):
        with contextlib.suppress(FileNotFoundError):
            for name in default_storage.listdir(f"{scan_folder(scan_id)}/{kind}")[1]:
                default_storage.delete(f"{scan_folder(scan_id)}/{kind}/{name}")


@contextlib.contextmanager
def removed_on_failure(scan_id: uuid.UUID) -> Iterator[None]:
    """Remove a scan's files when the block, which ends with the commit of its rows, fails.

    A connection that breaks during the commit leaves open whether the rows are there: the files then stay, and
    `manage.py archive sweep` removes them once it is clear that no scan names them.
    """
    try:
        yield
    except (OperationalError, InterfaceError):
        raise
    except BaseException:
        remove(scan_id)
        raise
