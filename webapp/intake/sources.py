"""What was sent, file by file: folders, zip archives and single files, opened only when they are read.

Nothing is ever unpacked to a path that an archive names; members are read in memory, within limits.
"""

import os
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from webapp.intake.names import shown_name

MIB = 1024 * 1024
LARGEST_FILE_BYTES = 1024 * MIB
LARGEST_ARCHIVE_BYTES = 16 * 1024 * MIB
MOST_FILES = 200_000
# CT compresses by 2 to 6, an empty slice by a few hundred; small members are judged by size alone.
LARGEST_RATIO = 200
RATIO_FREE_BYTES = 16 * MIB
HEAD_BYTES = 32 * 1024

# Left by operating systems and DICOM viewers beside the images; no one sent them on purpose.
LITTER = {".ds_store", "thumbs.db", "desktop.ini", "dicomdir", "lockfile", "version"}


# The code of lines about what never came into quarantine (a link, a missing path).
NOT_SENT = "not_sent"


@dataclass(frozen=True)
class Found:
    """One file: what lines call it, its bytes' count, and how to open it. `head` reads its first bytes cheaply.

    `path` is where it lay at its sender's, folders and all: what belongs together is known by it, and nothing shows it.
    """

    label: str
    suffix: str
    size: int
    open: Callable[[], BinaryIO]
    head: Callable[[], bytes]
    path: str = ""


@dataclass(frozen=True)
class Unusable:
    """Something sent that cannot be taken, and why."""

    label: str
    sentence: str
    code: str = "unusable"


@dataclass(frozen=True)
class Sent:
    """One thing that was sent: its name, with the folders it lay in, and how to open it (seekable)."""

    name: str
    size: int
    open: Callable[[], BinaryIO]


def files_under(paths: Iterable[Path]) -> Iterator[Sent | Unusable]:
    """Every regular file at or under `paths`, in a stable order. Symbolic links inside folders are not followed."""
    for path in paths:
        if path.is_dir():
            found = False
            for folder, folders, names in os.walk(path):
                folders.sort()
                for name in sorted(names):
                    found = True
                    inside = Path(folder, name)
                    yield _on_disk(inside, str(Path(path.resolve().name, inside.relative_to(path))))
                for linked in (f for f in folders if Path(folder, f).is_symlink()):
                    found = True
                    yield Unusable(shown_name(linked), "It is a symbolic link; links are not followed.", NOT_SENT)
            if not found:
                yield Unusable("the folder", "It is empty: there is no file in it or below it.", NOT_SENT)
        else:
            yield _on_disk(path.resolve(), path.name)


def _on_disk(path: Path, name: str) -> Sent | Unusable:
    try:
        status = path.lstat()
    except OSError:
        return Unusable(shown_name(path.name), "There is no such file or folder.", NOT_SENT)
    if stat.S_ISLNK(status.st_mode):
        return Unusable(shown_name(path.name), "It is a symbolic link; links are not followed.", NOT_SENT)
    if not stat.S_ISREG(status.st_mode):
        return Unusable(shown_name(path.name), "It is not a regular file.", NOT_SENT)
    return Sent(name, status.st_size, lambda: open(path, "rb"))


def files_in(sent: Iterable[Sent | Unusable]) -> Iterator[Found | Unusable]:
    """Each file that was sent, with zip archives replaced by their members. Numbers them for people."""
    number = 0
    for thing in sent:
        if isinstance(thing, Sent) and _is_litter(thing.name):
            continue
        number += 1
        if number > MOST_FILES:
            yield Unusable(f"file {number} and those after it", f"More than {MOST_FILES:,} files; send them in parts.")
            return
        if isinstance(thing, Unusable):
            yield thing
            continue
        label = f"file {number} ({shown_name(thing.name)})"
        try:
            with thing.open() as stream:
                start = stream.read(4)
        except OSError:
            yield Unusable(label, "It cannot be opened.")
            continue
        if start[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
            yield from _members(label, thing)
        elif thing.size > LARGEST_FILE_BYTES:
            yield Unusable(label, f"It is larger than {LARGEST_FILE_BYTES // MIB:,} MB.")
        else:
            opened = thing.open
            yield Found(label, suffix_of(thing.name), thing.size, opened, _head_of(opened), path_of(thing.name))


def _members(label: str, archive: Sent) -> Iterator[Found | Unusable]:
    """The files in a zip archive, or why it is refused. Nothing of a refused archive is read."""
    try:
        with archive.open() as stream, zipfile.ZipFile(stream) as opened:
            members = [m for m in opened.infolist() if not m.is_dir() and not _is_litter(m.filename)]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        yield Unusable(label, "It is a damaged or incomplete zip archive.")
        return
    reason = _archive_fault(members, archive.size)
    if reason:
        yield Unusable(label, reason)
        return
    for number, member in enumerate(members, start=1):
        yield Found(
            f"{label}, its file {number} ({shown_name(member.filename)})",
            suffix_of(member.filename),
            member.file_size,
            lambda member=member: BytesIO(_member_bytes(archive, member)),  # type: ignore[misc]
            lambda member=member: _member_bytes(archive, member, HEAD_BYTES),  # type: ignore[misc]
            # What lies in an archive lies in a folder of its own.
            path_of(f"{path_of(archive.name).removesuffix('.zip').removesuffix('.ZIP')}/{member.filename}"),
        )


def _archive_fault(members: list[zipfile.ZipInfo], packed_bytes: int) -> str:
    if not members:
        return "The zip archive is empty."
    if len(members) > MOST_FILES:
        return f"The zip archive holds more than {MOST_FILES:,} files; send it in parts."
    for member in members:
        name = member.filename.replace("\\", "/")
        if name.startswith("/") or ".." in name.split("/") or name[1:2] == ":" or "\0" in name:
            return "The zip archive names files outside itself (../ or absolute paths)."
        if stat.S_ISLNK(member.external_attr >> 16):
            return "The zip archive holds symbolic links."
        if member.flag_bits & 1:
            return "The zip archive is encrypted with a password."
        if member.file_size > LARGEST_FILE_BYTES:
            return f"The zip archive holds a file larger than {LARGEST_FILE_BYTES // MIB:,} MB."
        if member.file_size > RATIO_FREE_BYTES and member.file_size > LARGEST_RATIO * max(member.compress_size, 1):
            return "The zip archive unpacks to a suspiciously large size (a zip bomb)."
    total = sum(member.file_size for member in members)
    if total > LARGEST_ARCHIVE_BYTES:
        return f"The zip archive unpacks to more than {LARGEST_ARCHIVE_BYTES // MIB:,} MB; send it in parts."
    if total > RATIO_FREE_BYTES * 4 and total > LARGEST_RATIO * max(packed_bytes, 1):
        return "The zip archive unpacks to a suspiciously large size (a zip bomb)."
    if _overlap(members):
        return "The zip archive's files overlap (a zip bomb)."
    return ""


def _overlap(members: list[zipfile.ZipInfo]) -> bool:
    end = -1
    for member in sorted(members, key=lambda m: m.header_offset):
        if member.header_offset < end:
            return True
        end = member.header_offset + 30 + member.compress_size
    return False


def _member_bytes(archive: Sent, member: zipfile.ZipInfo, limit: int | None = None) -> bytes:
    """A member's bytes (at most `limit`); raises OSError where it is damaged."""
    try:
        with archive.open() as stream, zipfile.ZipFile(stream) as opened, opened.open(member) as inside:
            return inside.read(member.file_size if limit is None else limit)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, RuntimeError) as error:
        raise OSError("damaged member of a zip archive") from error


def _head_of(opened: Callable[[], BinaryIO]) -> Callable[[], bytes]:
    def head() -> bytes:
        with opened() as stream:
            return stream.read(HEAD_BYTES)

    return head


def path_of(name: str) -> str:
    """A sender's path with forward slashes and no empty parts."""
    return "/".join(part for part in name.replace("\\", "/").split("/") if part not in ("", "."))


def suffix_of(name: str) -> str:
    """The ending of a file's name in lower case; .nii.gz counts as one."""
    lower = name.lower()
    return ".nii.gz" if lower.endswith(".nii.gz") else os.path.splitext(lower)[1]


def _is_litter(name: str) -> bool:
    parts = name.replace("\\", "/").lower().split("/")
    return "__macosx" in parts or parts[-1] in LITTER or parts[-1].startswith("._")
