"""Zip archives of scans, unpacked where nothing of them can reach outside its folder."""

import shutil
import zipfile
from pathlib import Path, PurePosixPath

from inference.imaging.findings import SeriesRefused

MOST_FILES = 20_000
MOST_UNPACKED_BYTES = 8 * 1024**3
CHUNK_BYTES = 1024 * 1024


def is_archive(path: Path) -> bool:
    """Whether a file is called a zip archive."""
    return path.suffix.lower() == ".zip" and path.is_file()


def unpack(archive: Path, into: Path) -> None:
    """Unpack a zip archive into an empty folder; raises SeriesRefused, and then the folder's content is worth nothing.

    What would leave the folder, is encrypted, or unpacks to more than 8 GiB or 20,000 files is refused.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [member for member in opened.infolist() if not member.is_dir() and not _is_litter(member)]
            _check(archive, members)
            for member in members:
                target = into.joinpath(*PurePosixPath(member.filename).parts)
                target.parent.mkdir(parents=True, exist_ok=True)
                # zipfile reads no more of a member than its entry announces.
                with opened.open(member) as packed, target.open("xb") as plain:
                    shutil.copyfileobj(packed, plain, CHUNK_BYTES)
    except SeriesRefused:
        raise
    except FileExistsError as error:
        raise SeriesRefused("archive", f"{archive.name} holds two files of one name.") from error
    except Exception as error:  # zipfile and its decompressors raise many kinds on damaged archives
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise SeriesRefused(
            "archive", f"{archive.name} is a damaged or incomplete zip archive; make it anew."
        ) from error


def _check(archive: Path, members: list[zipfile.ZipInfo]) -> None:
    def refuse(what: str) -> SeriesRefused:
        return SeriesRefused("archive", f"{archive.name} {what}")

    if not members:
        raise refuse("is empty.")
    if len(members) > MOST_FILES:
        raise refuse(f"holds more than {MOST_FILES:,} files; unpack it and give one scan's folder.")
    if sum(member.file_size for member in members) > MOST_UNPACKED_BYTES:
        raise refuse(
            f"unpacks to more than {MOST_UNPACKED_BYTES // 1024**3} GiB; unpack it and give one scan's folder."
        )
    for member in members:
        name = PurePosixPath(member.filename)
        if name.is_absolute() or ".." in name.parts or "\\" in member.filename or "\0" in member.filename:
            raise refuse("holds a file that would be unpacked outside its folder; it is not opened.")
        if member.flag_bits & 1:
            raise refuse("is encrypted; unpack it and give the folder.")


def _is_litter(member: zipfile.ZipInfo) -> bool:
    parts = PurePosixPath(member.filename).parts
    return "__MACOSX" in parts or (bool(parts) and parts[-1] in (".DS_Store", "Thumbs.db"))
