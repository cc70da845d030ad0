"""A CT series from DICOM files to a volume: headers, geometry gate, pixels."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import UID

from inference.imaging.findings import Finding, SeriesRefused
from inference.imaging.geometry import SeriesGeometry, series_geometry
from inference.imaging.headers import file_name, read_header, text
from inference.imaging.pixels import SlicePixels, decode_hu
from inference.imaging.volume import Volume

__all__ = [
    "Finding",
    "HeaderGroup",
    "SeriesRefused",
    "SeriesVolume",
    "assemble_volume",
    "check_series",
    "read_file",
    "read_header_group",
    "volume_from_datasets",
    "volume_from_files",
]

Progress = Callable[[float], None]


@dataclass(frozen=True, eq=False)
class SeriesVolume:
    """A series as a volume; `order[z]` is the index, among what was given, of the slice at z."""

    volume: Volume
    order: list[int]
    warnings: list[Finding]


@dataclass
class HeaderGroup:
    """Headers (no pixels) of many files by SeriesInstanceUID, and a finding for each file that is not DICOM."""

    series: dict[str, list[FileDataset]] = field(default_factory=dict)
    refused: list[tuple[Path, Finding]] = field(default_factory=list)


def read_file(path: Path, *, pixels: bool = True) -> FileDataset:
    """One DICOM file; raises SeriesRefused naming it when it is empty, not DICOM or broken."""
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            start = stream.read(132)
    except OSError as error:
        raise SeriesRefused("unreadable", f"{path.name} cannot be opened.") from error
    if size == 0:
        raise SeriesRefused("empty_file", f"{path.name} is empty.")
    # Files without the preamble exist; they begin with an element of group 0008.
    bare = start[:2] == b"\x08\x00"
    if start[128:132] != b"DICM" and not bare:
        raise SeriesRefused("not_dicom", f"{path.name} is not a DICOM file.")
    try:
        dataset = dcmread(path, stop_before_pixels=not pixels, force=bare)
        has_class = bool(text(dataset, "SOPClassUID"))
    except Exception as error:  # pydicom raises many kinds on hostile files; all of them mean this
        raise SeriesRefused("broken_file", f"{path.name} is a broken DICOM file.") from error
    if not has_class and "Rows" not in dataset:
        raise SeriesRefused("not_image", f"{path.name} is not a DICOM image.")
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


def check_series(datasets: Sequence[Dataset]) -> SeriesGeometry:
    """The grid of a series from its headers alone; raises SeriesRefused."""
    geometry = series_geometry([read_header(dataset) for dataset in datasets])
    geometry.warnings.extend(_header_warnings(datasets))
    return geometry


def volume_from_datasets(datasets: Sequence[Dataset], progress: Progress | None = None) -> SeriesVolume:
    """The volume of one series of single-slice CT files; raises SeriesRefused with a sentence.

    `progress` is told the fraction of slices decoded. Every slice is rescaled by its own slope and intercept.
    """
    return assemble_volume(check_series(datasets), lambda index: datasets[index], progress)


def volume_from_files(paths: Sequence[Path], progress: Progress | None = None) -> SeriesVolume:
    """As `volume_from_datasets`, reading one file's pixels at a time so that memory holds one copy."""
    geometry = check_series([read_file(path, pixels=False) for path in paths])
    return assemble_volume(geometry, lambda index: read_file(paths[index]), progress)


def assemble_volume(
    geometry: SeriesGeometry, source: Callable[[int], Dataset], progress: Progress | None = None
) -> SeriesVolume:
    """The volume on a checked grid; `source` gives the data set, with pixels, of one index at a time.

    Memory holds the volume and one data set. Raises SeriesRefused with a finding for each file at fault.
    """
    hu = np.empty(geometry.shape_zyx, dtype=np.int16)
    faults: list[Finding] = []
    clipped, has_hu = 0, True
    for z, index in enumerate(geometry.order):
        dataset = source(index)
        try:
            pixels = _decode(dataset, geometry.shape_zyx)
        except SeriesRefused as refusal:
            faults.append(Finding(refusal.code, refusal.sentence))
            continue
        hu[z] = pixels.hu
        clipped += pixels.clipped
        has_hu = has_hu and pixels.has_hu
        if progress is not None:
            progress((z + 1) / len(geometry.order))
    if faults:
        raise _refusal_of(faults, len(geometry.order))
    warnings = list(geometry.warnings)
    if not has_hu:
        warnings.append(Finding("no_hu", "The series does not give Hounsfield units; no weight is computed."))
    if clipped:
        warnings.append(Finding("clipped", f"{clipped} voxels lie beyond the range of 16 bits and were clipped."))
    return SeriesVolume(Volume(hu, geometry.affine_lps, has_hu), geometry.order, warnings)


def _decode(dataset: Dataset, shape_zyx: tuple[int, int, int]) -> SlicePixels:
    pixels = decode_hu(dataset)
    if pixels.hu.shape != shape_zyx[1:]:
        raise SeriesRefused("pixels", f"The pixels of {file_name(dataset)} differ in size from its header.")
    return pixels


def _refusal_of(faults: Sequence[Finding], slice_count: int) -> SeriesRefused:
    if len(faults) == 1:
        return SeriesRefused(faults[0].code, faults[0].sentence, faults)
    more = f"{len(faults)} of {slice_count} files cannot be used. First: {faults[0].sentence}"
    return SeriesRefused(faults[0].code, more, faults)


def _header_warnings(datasets: Sequence[Dataset]) -> list[Finding]:
    first = datasets[0]
    found = []
    if not text(first, "Modality"):
        found.append(Finding("no_modality", "The files do not name a modality; their class says CT."))
    if any(text(dataset, "ContrastBolusAgent") for dataset in datasets):
        found.append(Finding("contrast", "Contrast medium was given: it raises density and with it weight."))
    if any(_is_lossy(dataset) for dataset in datasets):
        found.append(Finding("lossy", "The pixels were compressed with loss; HU are approximate."))
    if text(first, "PhotometricInterpretation").upper() == "MONOCHROME1":
        found.append(Finding("monochrome1", "Stored as MONOCHROME1; HU follow the rescale all the same."))
    return found


def _is_lossy(dataset: Dataset) -> bool:
    meta = getattr(dataset, "file_meta", None)
    syntax = UID(str(meta.get("TransferSyntaxUID", ""))) if meta is not None else UID("")
    lossy_syntaxes = ("1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.81")
    return text(dataset, "LossyImageCompression") == "01" or str(syntax) in lossy_syntaxes
