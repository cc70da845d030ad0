"""What was sent, file by file: folders, zip archives and single files, opened only when they are read.

Nothing is ever unpacked to a path that an archive names; members are read where they lie, within limits.
"""

import io
import os
import stat
import struct
import threading
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from webapp.intake.names import shown_name

MIB = 1024 * 1024
LARGEST_FILE_BYTES = 1024 * MIB
LARGEST_ARCHIVE_BYTES = 16 * 1024 * MIB
# Of all archives of a sending together.
LARGEST_UNPACKED_BYTES = 4 * LARGEST_ARCHIVE_BYTES
# The list of an archive's members: some 160 bytes for each of the most files.
LARGEST_LIST_BYTES = 32 * MIB
MOST_FILES = 200_000
# CT compresses by 2 to 6, an empty slice by a few hundred; small members are judged by size alone.
LARGEST_RATIO = 200
RATIO_FREE_BYTES = 16 * MIB
HEAD_BYTES = 32 * 1024
# Archives that are open at a time; each holds a file and the list of its members.
MOST_OPEN = 8

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
    number = files = 0
    archives = _Archives()
    for thing in sent:
        if isinstance(thing, Sent) and _is_litter(thing.name):
            continue
        number += 1
        files += 1
        if files > MOST_FILES:
            yield Unusable(f"file {number} and those after it", f"More than {MOST_FILES:,} files; send them in parts.")
            return
        if isinstance(thing, Unusable):
            yield thing
            continue
        label = f"file {number} ({shown_name(thing.name)})"
        try:
            with thing.open() as stream:
                start = stream.read(HEAD_BYTES)
        except OSError:
            yield Unusable(label, "It cannot be opened.")
            continue
        if start[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
            for member in _members(label, thing, archives):
                files += 1
                yield member
        elif thing.size > LARGEST_FILE_BYTES:
            yield Unusable(label, f"It is larger than {LARGEST_FILE_BYTES // MIB:,} MB.")
        else:
            opened = thing.open
            head = _head_of(opened, start)
            yield Found(label, suffix_of(thing.name), thing.size, opened, head, path_of(thing.name))


class _Archives:
    """The zip archives of a sending. The last few that were read stay open: each lists its members but once."""

    def __init__(self) -> None:
        self.unpacked_bytes = 0
        # One that makes room is not closed here: whoever still reads a member of it holds it.
        self._open: dict[int, zipfile.ZipFile] = {}
        self._opened_by = os.getpid()
        self._lock = threading.Lock()

    def opened(self, archive: Sent) -> zipfile.ZipFile:
        """An archive, open. Raises BadZipFile, OSError, ValueError, NotImplementedError."""
        with self._lock:
            if self._opened_by != os.getpid():
                # A fork reads from the same place of an open file as its parent, who would lose it.
                self._open, self._opened_by = {}, os.getpid()
            known = self._open.pop(id(archive), None)
            if known is None:
                stream = archive.open()
                try:
                    _require_short_list(stream, archive.size)
                    known = zipfile.ZipFile(stream)
                except BaseException:
                    stream.close()
                    raise
            while len(self._open) >= MOST_OPEN:
                del self._open[next(iter(self._open))]
            self._open[id(archive)] = known
            return known


class _TooManyMembers(Exception):
    pass


def _require_short_list(stream: BinaryIO, size: int) -> None:
    """Raise _TooManyMembers where listing an archive's members would fill the memory (APPNOTE 4.3.14 to 4.3.16)."""
    stream.seek(max(0, size - 65_557))  # the end record and the longest comment
    tail = stream.read()
    stream.seek(0)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 22:
        return  # damaged: its reader says so
    count, list_bytes = struct.unpack_from("<HL", tail, at + 10)
    wide = tail.rfind(b"PK\x06\x06", 0, at)
    if wide >= 0 and len(tail) >= wide + 48 and (count == 0xFFFF or list_bytes == 0xFFFFFFFF):
        count, list_bytes = struct.unpack_from("<QQ", tail, wide + 32)
    if count > MOST_FILES or min(list_bytes, size) > LARGEST_LIST_BYTES:
        raise _TooManyMembers


def _members(label: str, archive: Sent, archives: _Archives) -> Iterator[Found | Unusable]:
    """The files in a zip archive, or why it is refused. Nothing of a refused archive is read."""
    try:
        members = [m for m in archives.opened(archive).infolist() if not m.is_dir() and not _is_litter(m.filename)]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        yield Unusable(label, "It is a damaged or incomplete zip archive.")
        return
    except _TooManyMembers:
        yield Unusable(label, f"The zip archive holds more than {MOST_FILES:,} files; send it in parts.")
        return
    reason = _archive_fault(members, archive.size)
    archives.unpacked_bytes += sum(member.file_size for member in members)
    if not reason and archives.unpacked_bytes > LARGEST_UNPACKED_BYTES:
        reason = (
            f"The zip archives unpack to more than {LARGEST_UNPACKED_BYTES // MIB:,} MB in all; send them in parts."
        )
    if reason:
        yield Unusable(label, reason)
        return
    for number, member in enumerate(members, start=1):
        opened = _opener(archives, archive, member)
        yield Found(
            f"{label}, its file {number} ({shown_name(member.filename)})",
            suffix_of(member.filename),
            member.file_size,
            opened,
            _head_of(opened),
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


DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, RuntimeError, _TooManyMembers)


class _Member(io.RawIOBase):
    """A member of an archive, read where it lies; OSError where it is damaged. It gives no more than its list says."""

    # pydicom asks every BufferedReader for it; what a member is called says who it is of.
    name = ""

    def __init__(self, inside: zipfile.ZipExtFile) -> None:
        self._inside = inside

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._inside.tell()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        try:
            return self._inside.seek(offset, whence)
        except DAMAGED as error:
            raise OSError("damaged member of a zip archive") from error

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        try:
            part = self._inside.read(len(buffer))
        except DAMAGED as error:
            raise OSError("damaged member of a zip archive") from error
        buffer[: len(part)] = part
        return len(part)

    def close(self) -> None:
        self._inside.close()
        super().close()


def _opener(archives: _Archives, archive: Sent, member: zipfile.ZipInfo) -> Callable[[], BinaryIO]:
    def opened() -> BinaryIO:
        try:
            inside = cast(zipfile.ZipExtFile, archives.opened(archive).open(member))
        except DAMAGED as error:
            raise OSError("damaged member of a zip archive") from error
        return cast(BinaryIO, io.BufferedReader(_Member(inside), HEAD_BYTES))

    return opened


def _head_of(opened: Callable[[], BinaryIO], known: bytes = b"") -> Callable[[], bytes]:
    """How to read a file's first bytes. What is `known` of them is given once and kept no longer: files are many."""
    given = [known] if known else []

    def head() -> bytes:
        if given:
            return given.pop()
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
