"""Scans and masks from files other than DICOM, whatever their format: NIfTI, NRRD, MetaImage, pictures.

A file is known by its first bytes. Every grid is turned by flips and swaps alone, so that x runs left, y back and z to
the head; nothing is resampled.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from inference.imaging import gate
from inference.imaging.axes import Affine
from inference.imaging.findings import Finding
from inference.imaging.gate import STANDARD, GateTolerances
from inference.imaging.metaimage import is_metaimage, read_metaimage
from inference.imaging.nifti import is_nifti, read_nifti, unpacked
from inference.imaging.nrrd_files import MAGIC as NRRD
from inference.imaging.nrrd_files import read_nrrd
from inference.imaging.pictures import as_voxels, is_picture, read_stack
from inference.imaging.volume import Volume
from inference.imaging.volume_files import (
    Companions,
    Opened,
    StoredVolume,
    check_axial,
    looks_like_hu,
    to_hu,
    to_labels,
    upright,
)

# Endings under which these files are sent; what a file is, its first bytes decide.
VOLUME_ENDINGS = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd", ".hdr")
PICTURE_ENDINGS = (".png", ".jpg", ".jpeg", ".tif", ".tiff")
HEAD_BYTES = 4096
DRAWN_WHITE = 255

Source = Path | BinaryIO


@dataclass(frozen=True, eq=False)
class FileVolume:
    """A scan from a file; `warnings` are for its readers, `notes` for whoever sent it."""

    volume: Volume
    warnings: list[Finding]
    notes: list[Finding]


@dataclass(frozen=True, eq=False)
class FileMask:
    """A mask from a file: uint8 zyx and its affine (LPS); no affine where the file has none (pictures).

    `names` are those that the file gives to label values, `notes` are for whoever sent it.
    """

    labels: NDArray[np.uint8]
    affine_lps: Affine | None
    names: dict[int, str] = field(default_factory=dict)
    notes: list[Finding] = field(default_factory=list)


def read_volume(
    source: Source,
    name: str = "",
    *,
    companions: Companions | None = None,
    tolerances: GateTolerances = STANDARD,
) -> FileVolume:
    """A scan from a file or a seekable stream; raises SeriesRefused with a sentence that calls it `name`.

    `companions` opens files beside it (the data of a detached header); for a path they are those of its folder.
    """
    with ExitStack() as stack:
        opened = _open(source, name, companions, stack)
        if is_picture(_head(opened)):
            return _picture_volume([opened])
        stored = _read(opened)
    voxels, affine = upright(stored, to_hu(opened.name, stored.values, stored.findings))
    check_axial(opened.name, affine, tolerances)
    volume = Volume(voxels, affine, looks_like_hu(voxels, stored.findings))
    return FileVolume(volume, stored.findings.warnings, stored.findings.notes)


def read_mask(source: Source, name: str = "", *, companions: Companions | None = None) -> FileMask:
    """A mask from a file or a seekable stream, turned as `read_volume` turns scans; raises SeriesRefused."""
    with ExitStack() as stack:
        opened = _open(source, name, companions, stack)
        if is_picture(_head(opened)):
            return _picture_mask([opened])
        stored = _read(opened)
    labels, affine = upright(stored, to_labels(opened.name, stored.values))
    return FileMask(labels, affine, stored.names, stored.findings.notes)


def read_pictures(pictures: Sequence[tuple[str, Source]]) -> FileVolume:
    """The scan of one case from its pictures (name and source of each), in natural order of names.

    It has neither Hounsfield units nor spacing. Raises SeriesRefused naming the picture.
    """
    with ExitStack() as stack:
        return _picture_volume([_open(source, name, None, stack) for name, source in pictures])


def read_picture_masks(pictures: Sequence[tuple[str, Source]]) -> FileMask:
    """The mask of one case from pictures named as those of its scan; black and white count as 0 and 1.

    Raises SeriesRefused naming the picture.
    """
    with ExitStack() as stack:
        return _picture_mask([_open(source, name, None, stack) for name, source in pictures])


def _picture_volume(opened: Sequence[Opened]) -> FileVolume:
    findings = gate.Findings()
    voxels, what = as_voxels(read_stack(opened))
    findings.say("no_spacing")
    findings.say("no_hu", what=what)
    volume = Volume(voxels, np.eye(4), has_hu=False, has_spacing=False)
    return FileVolume(volume, findings.warnings, findings.notes)


def _picture_mask(opened: Sequence[Opened]) -> FileMask:
    findings = gate.Findings()
    labels = to_labels(opened[0].name, read_stack(opened, labels=True))
    if labels.max() == DRAWN_WHITE and np.isin(labels, (0, DRAWN_WHITE)).all():
        labels = (labels == DRAWN_WHITE).astype(np.uint8)
        findings.say("scaled_labels", stored="0 and 255", read="0 and 1")
    return FileMask(labels, None, {}, findings.notes)


def _read(opened: Opened) -> StoredVolume:
    head = unpacked(_head(opened))
    if head.startswith(NRRD):
        return read_nrrd(opened)
    if is_nifti(head):
        return read_nifti(opened)
    if is_metaimage(head):
        return read_metaimage(opened)
    raise gate.refuse("unknown_format", name=opened.name)


def _head(opened: Opened) -> bytes:
    opened.stream.seek(0)
    head = opened.stream.read(HEAD_BYTES)
    opened.stream.seek(0)
    if not head:
        raise gate.refuse("empty_file", name=opened.name)
    return head


def _open(source: Source, name: str, companions: Companions | None, stack: ExitStack) -> Opened:
    if not isinstance(source, Path):
        return Opened(name or "the file", source, companions or _none)
    path = source

    def beside(other: str) -> Any:
        found = path.parent / other
        return stack.enter_context(found.open("rb")) if found.is_file() and not found.is_symlink() else None

    try:
        stream = stack.enter_context(path.open("rb"))
    except OSError as error:
        raise gate.refuse("unreadable", name=name or path.name) from error
    return Opened(name or path.name, stream, companions or beside)


def _none(name: str) -> None:
    return None
