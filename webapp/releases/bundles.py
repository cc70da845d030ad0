"""Zip bundles that come out the same, byte for byte, each time: fixed dates, fixed order, fixed modes."""

import zipfile
from pathlib import Path
from types import TracebackType
from typing import IO

FIXED_DATE = (1980, 1, 1, 0, 0, 0)
FILE_MODE = 0o100644 << 16
# What these hold is compressed already.
STORED = (".gz", ".png", ".zst")


class Bundle:
    """A zip under construction in a file. Members go in one at a time; nothing but the present one is in memory."""

    def __init__(self, file: IO[bytes]) -> None:
        self._zip = zipfile.ZipFile(file, "w", allowZip64=True)

    def __enter__(self) -> "Bundle":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    def add_text(self, name: str, text: str) -> None:
        """Add a UTF-8 text file."""
        self._zip.writestr(_member(name), text.encode(), compresslevel=6)

    def add_bytes(self, name: str, content: bytes) -> None:
        """Add a file that is in memory."""
        self._zip.writestr(_member(name), content, compresslevel=6)

    def add_file(self, name: str, path: Path) -> None:
        """Add a file from disk, block by block."""
        member = _member(name)
        member.file_size = path.stat().st_size
        with open(path, "rb") as source, self._zip.open(member, "w") as target:
            while block := source.read(1024 * 1024):
                target.write(block)


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, FIXED_DATE)
    member.create_system = 3
    member.external_attr = FILE_MODE
    member.compress_type = zipfile.ZIP_STORED if name.endswith(STORED) else zipfile.ZIP_DEFLATED
    return member
