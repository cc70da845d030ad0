"""One scan from a file that is no DICOM: a volume, or pictures. Its header's texts and its name are never kept."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import BinaryIO

import numpy as np

from inference.imaging.dicom import SeriesVolume
from inference.imaging.findings import Finding, SeriesRefused
from inference.imaging.formats import FileMask, FileVolume, read_mask, read_picture_masks, read_pictures, read_volume
from inference.imaging.volume import Volume
from webapp.archive.filing import NewScan
from webapp.archive.models import CAME_AS
from webapp.archive.queries import filed_scan
from webapp.intake.grouping import Item
from webapp.intake.identity import Identity, new_uid
from webapp.intake.lines import Delivery, Filed
from webapp.intake.series import file_with_case, sentence_of
from webapp.intake.sources import Found

# A volume has nothing that options could keep: its UIDs are the same in every campaign.
PROFILE = "groundglass-volume-1"
# Data of detached headers (.mhd, .nhdr).
HEADER_ENDINGS = (".mhd", ".nhdr")
DATA_ENDINGS = (".raw", ".zraw", ".img", ".gz", ".bz2", ".bin")
# So few different values are labels, not densities: the noise of any scanner has more.
FEWEST_VALUES = 9
KINDS = {
    ".nii": "nifti",
    ".nii.gz": "nifti",
    ".nrrd": "nrrd",
    ".nhdr": "nrrd",
    ".mha": "metaimage",
    ".mhd": "metaimage",
}
SLICES_DIFFER = (
    "Slices of one case have one size: send those of each case in a folder of their own, or say that each picture is a "
    "case of its own (--single-pictures)."
)


class Beside:
    """The files that may hold the voxels of detached headers, by folder and name; it knows which were used."""

    def __init__(self, found: list[Found]) -> None:
        self._files = {one.path: one for one in found}
        self.used: set[str] = set()

    def opener(self, header: Found, stack: ExitStack) -> Callable[[str], BinaryIO | None]:
        """Opens files in the folder of `header` by their exact name."""
        folder = header.path.rpartition("/")[0]

        def beside(name: str) -> BinaryIO | None:
            path = f"{folder}/{name}" if folder else name
            found = self._files.get(path)
            if found is None:
                return None
            self.used.add(path)
            return stack.enter_context(found.open())

        return beside

    def unused(self) -> list[Found]:
        """Those that no header named."""
        return [found for path, found in self._files.items() if path not in self.used]


def came_as(item: Item) -> str:
    """What an image or a mask came as: a key of the archive's CAME_AS."""
    return "pictures" if item.of_pictures else KINDS.get(item.found[0].suffix, "nifti")


def read_image(item: Item, beside: Beside) -> FileVolume:
    """The voxels of an image. Raises SeriesRefused, OSError."""
    _check_names(item)
    if item.of_pictures:
        with ExitStack() as stack:
            try:
                read = read_pictures([(name, stack.enter_context(one.open())) for name, one in _pictures(item)])
            except SeriesRefused as refusal:
                if refusal.code != "picture_sizes":
                    raise
                raise SeriesRefused(refusal.code, f"{refusal.sentence} {SLICES_DIFFER}") from None
    else:
        found = item.found[0]
        with _opened(found, beside) as (stream, companions):
            read = read_volume(stream, found.label, companions=companions)
    if _holds_labels(read.volume):
        sentence = (
            f"It holds fewer than {FEWEST_VALUES} different values, and none below 0: it is a mask, or empty, and not "
            "a scan. Name it as a mask (_lung, _lesion, or a folder of that name) to have it taken as one."
        )
        raise SeriesRefused("looks_like_mask", sentence)
    return read


def read_labels(item: Item, beside: Beside) -> FileMask:
    """The labels of a mask. Raises SeriesRefused, OSError."""
    _check_names(item)
    if item.of_pictures:
        with ExitStack() as stack:
            return read_picture_masks([(name, stack.enter_context(one.open())) for name, one in _pictures(item)])
    found = item.found[0]
    with _opened(found, beside) as (stream, companions):
        return read_mask(stream, found.label, companions=companions)


def file_image(item: Item, read: FileVolume, delivery: Delivery, advance: Callable[[float], None]) -> Filed:
    """File an image that was read. Raises ActionRefused, OSError.

    The voxels name it: the same volume, however packed and whatever its format, is recognised.
    """
    advance(0.5)
    source, volume = came_as(item), read.volume
    what = "pictures" if item.of_pictures else "nifti"
    uid = new_uid(f"{what} {volume.voxels_sha256()} {volume.geometry_sha256()}", PROFILE)
    kind = CAME_AS[source].removesuffix(" volume")
    sentence = f"{kind[0].upper()}{kind[1:]} name{'' if item.of_pictures else 's'} no patient: "
    warnings = [*read.warnings, Finding("no_patient", sentence + "the scan counts as a patient of its own.")]
    new = NewScan(
        pseudonym=Identity(series_uid=uid).pseudonym,
        study_uid=new_uid(f"study of {uid}", PROFILE),
        series_uid=uid,
        source=source,
        warnings=[{"code": w.code, "sentence": w.sentence} for w in warnings],
        site=delivery.site,
    )
    known = filed_scan(uid) is not None
    scan, case_number = file_with_case(new, SeriesVolume(volume, [], warnings), iter(()), delivery)
    advance(1.0)
    notes = [note.sentence for note in read.notes]
    return Filed(scan, case_number, kind, sentence_of(scan, case_number, known), notes)


def _pictures(item: Item) -> list[tuple[str, Found]]:
    """Each picture with what sentences call it; the names are in the order of the slices."""
    return [(f"picture {number} of {one.label}", one) for number, one in enumerate(item.found, start=1)]


def _check_names(item: Item) -> None:
    """Raise SeriesRefused where two pictures of a stack have one name: which comes first nobody can tell."""
    if len(set(item.slices)) != len(item.slices):
        sentence = "Two of its pictures have the same name but for what they show: their order would be a guess."
        raise SeriesRefused("picture_names", sentence)


def _holds_labels(volume: Volume) -> bool:
    """Whether the values look like labels: few, and none below 0. A phantom of few densities has air's, -1000 HU."""
    seen: set[int] = set()
    for plane in volume.hu:
        seen.update(np.unique(plane).tolist())
        if len(seen) >= FEWEST_VALUES or min(seen) < 0:
            return False
    return True


@contextmanager
def _opened(found: Found, beside: Beside) -> Iterator[tuple[BinaryIO, Callable[[str], BinaryIO | None]]]:
    if found.size == 0:
        raise SeriesRefused("empty_file", "It is empty (0 bytes).")
    with ExitStack() as stack:
        yield stack.enter_context(found.open()), beside.opener(found, stack)
