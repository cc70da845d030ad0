"""Images and masks that came as files: each image is filed, then its masks are laid over it, or refused."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from inference.imaging.findings import SeriesRefused
from inference.imaging.grids import Grid, align_mask, align_picture_labels
from webapp.archive.models import Scan
from webapp.intake.grouping import IMAGE, UNSAID, Group, Item
from webapp.intake.layers import Claim, Labelling, claims_of_labels
from webapp.intake.lines import Delivery, Line, attempted, line_of
from webapp.intake.pairing import import_claims
from webapp.intake.volumes import Beside, came_as, file_image, read_image, read_labels

# Names of pictures that are told of a mask that lacks some.
MOST_MISSING = 3


@dataclass(frozen=True)
class Ground:
    """A scan that masks may be laid over; `slices` are what the pictures of one are called."""

    scan: Scan
    case_number: int
    slices: tuple[str, ...] = ()

    @property
    def grid(self) -> Grid:
        """The scan's grid."""
        z, y, x = self.scan.shape_zyx
        return Grid((z, y, x), np.asarray(self.scan.affine_lps, dtype=np.float64).reshape(4, 4))


@dataclass(frozen=True)
class Laid:
    """A mask and the scan that it is to be laid over; `make` reads it, and `otherwise` says what is to be said of a
    file that holds no labels.
    """

    ground: Ground
    title: str
    make: Callable[[], list[Claim]]
    otherwise: Callable[[], Line] | None = None


def file_images(
    group: Group, delivery: Delivery, beside: Beside, advance: Callable[[float], None]
) -> tuple[list[Line], list[Ground]]:
    """A line for each image of a group, and those that are scans now."""
    lines, grounds = [], []
    for image in group.images:
        line, ground = _file(image, delivery, beside, advance)
        lines.append(line)
        if ground is not None:
            grounds.append(ground)
    return lines, grounds


def lay_masks(masks: Sequence[Laid], delivery: Delivery) -> Iterator[Line]:
    """Lay the masks of one scan over it: a line for each that is refused, and one for what they amount to."""
    claims: list[Claim] = []
    for mask in masks:
        try:
            claims += mask.make()
        except Exception as error:  # whatever it is, it gets its line
            refusal = error
            if mask.otherwise is not None and isinstance(error, SeriesRefused) and error.code == "labels":
                yield mask.otherwise()
            else:
                yield attempted(mask.title, lambda: _raise(refusal))  # noqa: B023
    if claims:
        ground = masks[0].ground
        yield from import_claims(claims, ground.scan, ground.case_number, delivery)


def laid_file(mask: Item, ground: Ground, delivery: Delivery, beside: Beside) -> Laid:
    """A mask from a file, to be laid over a scan."""
    labelling = Labelling(delivery.campaign.label_set)
    return Laid(
        ground,
        mask.title,
        lambda: _claims(mask, ground, labelling, beside, _values_said(delivery)),
        lambda: without_ground(mask, "", delivery, beside),
    )


def without_ground(mask: Item, why: str, delivery: Delivery, beside: Beside) -> Line:
    """What is to be said of a mask that has no image; one that is none, its voxels being densities, is filed."""
    try:
        read_labels(mask, beside)
    except SeriesRefused as refusal:
        if refusal.code == "labels" and mask.role != UNSAID and not mask.of_pictures:
            line, _ = _file(Item(IMAGE, mask.found, mask.slices, mask.title), delivery, beside, lambda fraction: None)
            if line.code != "looks_like_mask":
                return line
        return Line(mask.title, "refused", refusal.sentence, refusal.code)
    except Exception as error:
        failure = error
        return attempted(mask.title, lambda: _raise(failure))
    return Line(mask.title, "refused", why, "mask_without_image")


def _file(
    image: Item, delivery: Delivery, beside: Beside, advance: Callable[[float], None]
) -> tuple[Line, Ground | None]:
    line = line_of(image.title, lambda: file_image(image, read_image(image, beside), delivery, advance))
    if line.scan is None or line.case_number is None:
        return line, None
    return line, Ground(line.scan, line.case_number, image.slices)


def _values_said(delivery: Delivery) -> dict[int, str]:
    """What the data set of a delivery says of the values of its masks."""
    return {int(value): words for value, words in delivery.data_set.mask_values.items()} if delivery.data_set else {}


def _claims(mask: Item, ground: Ground, labelling: Labelling, beside: Beside, said: Mapping[int, str]) -> list[Claim]:
    read = read_labels(mask, beside)
    if mask.of_pictures != bool(ground.slices):
        sentence = "A scan of pictures has masks of pictures, named alike, and other scans have none of pictures."
        raise SeriesRefused("no_place", f"{sentence} Pictures have no place.")
    if read.affine_lps is None:
        _check_slices(mask, ground)
        labels = align_picture_labels(read.labels, ground.grid.shape_zyx)
    else:
        labels = align_mask(read.labels, read.affine_lps, ground.grid)
    claims = claims_of_labels(
        mask.role,
        labels,
        read.names,
        ground.grid.affine_lps,
        labelling,
        title=mask.title,
        came_as=came_as(mask),
        said=said,
    )
    for claim in claims[:1]:
        claim.notes.extend(note.sentence for note in read.notes)
    return claims


def why_alone(group: Group, elsewhere: int = 0) -> str:
    """Why a mask has no image: its group's was refused, or `elsewhere` is how many there are that it might be of."""
    if len(group.images) > 1 or elsewhere > 1:
        return "Several scans might be the one that it was drawn on: which of them would be a guess."
    if group.images:
        return "Its image was refused, so that there is nothing to lay it over."
    return (
        "Its name says that it is a mask, and its image was not sent with it: send both together, named alike "
        "(case01.nii.gz and case01_lung.nii.gz, or folders ct and lung with files of one name)."
    )


def _check_slices(mask: Item, ground: Ground) -> None:
    """Raise SeriesRefused unless a mask has a picture for each picture of the scan, and no other."""
    missing = [place for place, name in enumerate(ground.slices, start=1) if name not in set(mask.slices)]
    other = len(set(mask.slices) - set(ground.slices))
    if not missing and not other:
        return
    said = []
    if missing:
        places = ", ".join(str(place) for place in missing[:MOST_MISSING])
        more = ", ..." if len(missing) > MOST_MISSING else ""
        noun = "picture" if len(missing) == 1 else "pictures"
        said.append(f"{len(missing)} {noun} of the scan ({places}{more}) have no mask of their name")
    if other:
        said.append(f"{other} of its pictures have no image of their name")
    raise SeriesRefused(
        "mask_slices", f"{' and '.join(said)}: a slice that is missing is not the same as an empty one."
    )


def _raise(error: Exception) -> Line:
    raise error
