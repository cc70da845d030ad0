"""A CT series from DICOM files to a volume: headers, geometry gate, pixels.

The images may come one a file, many a file (enhanced CT), in several such files, in any order.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from inference.imaging import gate
from inference.imaging.acquisition import say_acquisition
from inference.imaging.elements import file_name
from inference.imaging.findings import Finding, SeriesRefused
from inference.imaging.frames import Image, images_of, missing_part
from inference.imaging.gate import STANDARD, GateTolerances
from inference.imaging.geometry import series_geometry
from inference.imaging.headers import read_header
from inference.imaging.kinds import is_localiser
from inference.imaging.pixels import PixelFindings, decode_images, image_sha256
from inference.imaging.reading import HeaderGroup, read_file, read_header_group
from inference.imaging.volume import Volume

__all__ = [
    "CheckedSeries",
    "Finding",
    "HeaderGroup",
    "Place",
    "SeriesRefused",
    "SeriesVolume",
    "assemble_volume",
    "check_series",
    "image_sha256",
    "read_file",
    "read_header_group",
    "same_by_pixels",
    "volume_from_datasets",
    "volume_from_files",
]

Progress = Callable[[float], None]
# No more damaged files than this are looked at: CharLS takes ten seconds to give up on one.
MOST_FAULTS = 10


class Place(NamedTuple):
    """Where an image of a series is: the index of its file, among what was given, and of its frame in it, from 0."""

    file: int
    frame: int


SameImage = Callable[[Place, Place], bool]


def _by_file(places: Sequence[Place]) -> dict[int, dict[int, int]]:
    found: dict[int, dict[int, int]] = {}
    for z, place in enumerate(places):
        found.setdefault(place.file, {})[place.frame] = z
    return found


@dataclass(frozen=True, eq=False)
class CheckedSeries:
    """A series that passed the gate: `places[z]` is where the slice at z is; findings go with the scan."""

    places: list[Place]
    shape_zyx: tuple[int, int, int]
    affine_lps: NDArray[np.float64]
    findings: gate.Findings

    @property
    def warnings(self) -> list[Finding]:
        """What the scan's readers are told."""
        return self.findings.warnings

    @property
    def slices_by_file(self) -> dict[int, dict[int, int]]:
        """For each file, in the order of its lowest slice, the z of each of its frames that is in the volume."""
        return _by_file(self.places)


@dataclass(frozen=True, eq=False)
class SeriesVolume:
    """A series as a volume; `places[z]` says which file and frame became the slice at z.

    `warnings` are for the scan's readers, `notes` for whoever sent it.
    """

    volume: Volume
    places: list[Place]
    warnings: list[Finding]
    notes: list[Finding] = field(default_factory=list)

    @property
    def order(self) -> list[int]:
        """The index, among what was given, of the file of each z."""
        return [place.file for place in self.places]

    @property
    def slices_by_file(self) -> dict[int, dict[int, int]]:
        """For each file, in the order of its lowest slice, the z of each of its frames that is in the volume."""
        return _by_file(self.places)


def check_series(
    datasets: Sequence[Dataset],
    *,
    tolerances: GateTolerances = STANDARD,
    same_image: SameImage | None = None,
) -> CheckedSeries:
    """The grid of a series from its headers alone; raises SeriesRefused.

    Localisers among the slices are left out. `same_image` is asked, of two images at one position, whether they are
    the same (which takes their pixels); without it they are not.
    """
    if missing := missing_part(datasets):
        raise gate.refuse("concatenation", name=file_name(missing[0]), missing=missing[1], total=missing[2])
    found = [(Place(n, at), image) for n, dataset in enumerate(datasets) for at, image in enumerate(images_of(dataset))]
    kept = [(place, image) for place, image in found if not is_localiser(image)]
    if found and not kept:
        raise gate.refuse("localiser", name=file_name(found[0][1]))
    geometry = series_geometry(
        [read_header(image) for _, image in kept],
        tolerances=tolerances,
        same_pixels=same_image and (lambda one, other: same_image(kept[one][0], kept[other][0])),
    )
    if len(kept) < len(found):
        geometry.findings.say("localisers_left_out", count=len(found) - len(kept))
    chosen = [kept[index] for index in geometry.order]
    images: list[Image] = [image for _, image in chosen]
    files = [datasets[number] for number in sorted({place.file for place, _ in chosen})]
    say_acquisition(files, images, geometry.findings)
    return CheckedSeries([place for place, _ in chosen], geometry.shape_zyx, geometry.affine_lps, geometry.findings)


def volume_from_datasets(
    datasets: Sequence[Dataset], progress: Progress | None = None, *, tolerances: GateTolerances = STANDARD
) -> SeriesVolume:
    """The volume of one CT series; raises SeriesRefused with a sentence.

    `progress` is told the fraction of slices decoded. Every slice is rescaled by its own slope and intercept.
    """
    same = same_by_pixels(lambda index: datasets[index])
    return assemble_volume(
        check_series(datasets, tolerances=tolerances, same_image=same), datasets.__getitem__, progress
    )


def volume_from_files(
    paths: Sequence[Path], progress: Progress | None = None, *, tolerances: GateTolerances = STANDARD
) -> SeriesVolume:
    """As `volume_from_datasets`, reading one file's pixels at a time so that memory holds one copy."""

    def source(index: int) -> Dataset:
        return read_file(paths[index])

    headers = [read_file(path, pixels=False) for path in paths]
    checked = check_series(headers, tolerances=tolerances, same_image=same_by_pixels(source))
    return assemble_volume(checked, source, progress)


def same_by_pixels(source: Callable[[int], Dataset]) -> SameImage:
    """Whether two images are the same by their voxels; `source` gives the data set, with pixels, of one index."""

    def same(one: Place, other: Place) -> bool:
        first, second = (next(decode_images(source(place.file), [place.frame])).hu for place in (one, other))
        return bool(np.array_equal(first, second))

    return same


def assemble_volume(
    checked: CheckedSeries, source: Callable[[int], Dataset], progress: Progress | None = None
) -> SeriesVolume:
    """The volume on a checked grid; `source` gives the data set, with pixels, of one file at a time.

    Memory holds the volume and one data set. Raises SeriesRefused with a finding for each file at fault.
    """
    hu = np.empty(checked.shape_zyx, dtype=np.int16)
    faults: list[SeriesRefused] = []
    seen = PixelFindings()
    by_file, done = _by_file(checked.places), 0
    for file, frames in by_file.items():
        try:
            dataset = source(file)
            seen.see_file(dataset)
            wanted = sorted(frames)
            for frame, pixels in zip(wanted, decode_images(dataset, wanted), strict=True):
                hu[frames[frame]] = pixels.hu
                seen.see(pixels)
        except SeriesRefused as refusal:
            faults.append(refusal)
            if len(faults) == MOST_FAULTS:
                break
        done += len(frames)
        if progress is not None:
            progress(done / len(checked.places))
    if faults:
        raise gate.refuse_all(faults, len(by_file), stopped=len(faults) == MOST_FAULTS)
    findings = gate.Findings()
    findings.add(checked.findings)
    seen.say(findings)
    volume = Volume(hu, checked.affine_lps, seen.has_hu)
    return SeriesVolume(volume, checked.places, findings.warnings, findings.notes)
