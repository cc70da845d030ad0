"""DICOM files from disk: what is not one gets a sentence, and none may unpack to more than it should."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from pydicom import dcmread
from pydicom.dataset import FileDataset
from pydicom.filereader import read_dataset

from inference.imaging import gate
from inference.imaging.decoding import DEFLATED
from inference.imaging.elements import text
from inference.imaging.findings import Finding, SeriesRefused
from inference.imaging.inflating import inflated_size_within

# What one deflated file may unpack to; CT deflates by 2 to 3.
LARGEST_INFLATED_BYTES = 1024**3
# Meta information names the transfer syntax within its first bytes.
LONGEST_META = 8192


@dataclass
class HeaderGroup:
    """Headers (no pixels) of many files by SeriesInstanceUID, and a finding for each file that is not DICOM."""

    series: dict[str, list[FileDataset]] = field(default_factory=dict)
    refused: list[tuple[Path, Finding]] = field(default_factory=list)


def read_file(path: Path, *, pixels: bool = True) -> FileDataset:
    """One DICOM file; raises SeriesRefused naming it when it is empty, not DICOM or broken."""
    name = path.name
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            start = stream.read(132)
    except OSError as error:
        raise gate.refuse("unreadable", name=name) from error
    if size == 0:
        raise gate.refuse("empty_file", name=name)
    # Files without the preamble exist; they begin with an element of group 0008.
    bare = start[:2] == b"\x08\x00"
    if start[128:132] != b"DICM" and not bare:
        raise gate.refuse("not_dicom", name=name)
    try:
        with path.open("rb") as stream:
            require_inflatable(stream)
        dataset = dcmread(path, stop_before_pixels=not pixels, force=bare)
        has_class = bool(text(dataset, "SOPClassUID"))
    except Exception as error:  # pydicom raises many kinds on hostile files; all of them mean this
        raise gate.refuse("broken_file", name=name, kind="DICOM") from error
    if not has_class and "Rows" not in dataset:
        raise gate.refuse("not_image", name=name)
    return dataset


def read_header_group(paths: Iterable[Path]) -> HeaderGroup:
    """Headers of many files by series; what cannot be read is listed, and nothing else is lost by it."""
    group = HeaderGroup()
    for path in paths:
        try:
            dataset = read_file(path, pixels=False)
        except SeriesRefused as refusal:
            group.refused.append((path, Finding(refusal.code, refusal.sentence)))
            continue
        group.series.setdefault(text(dataset, "SeriesInstanceUID"), []).append(dataset)
    return group


def require_inflatable(stream: BinaryIO, most: int = LARGEST_INFLATED_BYTES) -> None:
    """Raise ValueError for a deflated file that is cut or unpacks to more than `most` bytes; rewinds the stream."""
    head = stream.read(LONGEST_META)
    if head[128:132] == b"DICM" and DEFLATED.encode() in head:
        stream.seek(132)
        read_dataset(stream, False, True, stop_when=lambda tag, vr, length: tag.group != 2)
        if not inflated_size_within(stream, most):
            raise ValueError("a deflated file is cut short, or unpacks to a suspiciously large size")
    stream.seek(0)
