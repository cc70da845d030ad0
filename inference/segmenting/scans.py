"""A scan as people give it: a folder of DICOM files or pictures, a zip archive of them, or a volume file."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from pydicom.dataset import Dataset

from inference.imaging.dicom import read_header_group, volume_from_files
from inference.imaging.findings import SeriesRefused
from inference.imaging.formats import HEAD_BYTES, VOLUME_ENDINGS, FileVolume, read_pictures, read_volume
from inference.imaging.pictures import is_picture
from inference.imaging.volume import Volume
from inference.segmenting.archives import is_archive, unpack

KINDS = "a folder of DICOM files or of pictures, a zip archive, or a volume file (NIfTI, NRRD, MetaImage)"


@dataclass(frozen=True, eq=False)
class OpenedScan:
    """A scan's volume and what its readers are told; `headers` are its DICOM files in z order, without pixels, else
    empty."""

    volume: Volume
    warnings: list[str]
    headers: list[Dataset] = field(default_factory=list)


def read_scan(scan: Path) -> OpenedScan:
    """Read one scan; raises SeriesRefused with a sentence."""
    with _unpacked(scan) as found:
        if found.is_dir():
            return _folder(found, scan.name)
        if found.name.lower().endswith(VOLUME_ENDINGS):
            return _of_file(read_volume(found))
    raise SeriesRefused("no_scan", f"{scan} is neither {KINDS}.")


def fingerprint(scan: Path) -> str:
    """Hex SHA-256 of the names, sizes and times of a scan's files: whether it is still what was segmented before."""
    found = hashlib.sha256(str(scan.resolve()).encode())
    files = sorted(path for path in scan.rglob("*") if path.is_file()) if scan.is_dir() else [scan]
    for path in files:
        if path.is_file():
            status = path.stat()
            found.update(f"\0{path.relative_to(scan)}\0{status.st_size}\0{status.st_mtime_ns}".encode())
    return found.hexdigest()


@contextmanager
def _unpacked(scan: Path) -> Iterator[Path]:
    """What a zip archive holds (the one volume file in it, else its folder); anything else as it is."""
    if not is_archive(scan):
        yield scan
        return
    with TemporaryDirectory(prefix="groundglass-") as scratch:
        unpack(scan, Path(scratch))
        files = [path for path in Path(scratch).rglob("*") if path.is_file()]
        alone = len(files) == 1 and files[0].name.lower().endswith(VOLUME_ENDINGS)
        yield files[0] if alone else Path(scratch)


def _folder(folder: Path, name: str) -> OpenedScan:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    pictures = [path for path in files if _begins_as_picture(path)]
    group = read_header_group(path for path in files if path not in set(pictures))
    if not group.series:
        if pictures:
            return _pictures(pictures, name)
        first = f" {group.refused[0][1].sentence}" if group.refused else ""
        raise SeriesRefused("no_scan", f"{name} holds no DICOM images and no pictures.{first}")
    if len(group.series) > 1:
        raise SeriesRefused("two_series", f"{name} holds {len(group.series)} series; give one of them.")
    [datasets] = group.series.values()
    series = volume_from_files([Path(str(dataset.filename)) for dataset in datasets])
    skipped = [finding.sentence for _, finding in group.refused]
    # In the order of their lowest slice; files that became no slice (localisers) are not among them.
    headers: list[Dataset] = [datasets[file] for file in series.slices_by_file]
    return OpenedScan(series.volume, [finding.sentence for finding in series.warnings] + skipped, headers)


def _pictures(pictures: Sequence[Path], name: str) -> OpenedScan:
    folders = {path.parent for path in pictures}
    if len(folders) > 1:
        raise SeriesRefused(
            "two_series", f"{name} holds pictures in {len(folders)} folders; give the one with the slices of one case."
        )
    return _of_file(read_pictures([(path.name, path) for path in pictures]))


def _of_file(read: FileVolume) -> OpenedScan:
    return OpenedScan(read.volume, [finding.sentence for finding in read.warnings])


def _begins_as_picture(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return is_picture(stream.read(HEAD_BYTES))
    except OSError:
        return False
