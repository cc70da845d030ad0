"""From what was sent to scans and their masks: sort, group, check, de-identify, file. One line for each of them."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field

from inference.imaging.findings import SeriesRefused
from inference.imaging.formats import PICTURE_ENDINGS, VOLUME_ENDINGS
from inference.imaging.headers import text
from webapp.campaigns.models import Case
from webapp.intake.dicom_masks import MASK_CLASSES, NoScan, laid_object
from webapp.intake.grouping import Group, Item, folders_of, grouped
from webapp.intake.identity import series_key
from webapp.intake.lines import Delivery, Line, attempted, line_of
from webapp.intake.mask_files import Ground, Laid, file_images, laid_file, lay_masks, why_alone, without_ground
from webapp.intake.queries import earlier_line
from webapp.intake.reading import MEDIA_DIRECTORY, peek, quiet
from webapp.intake.series import file_dicom_series
from webapp.intake.sources import Found, Sent, Unusable, files_in
from webapp.intake.volumes import DATA_ENDINGS, HEADER_ENDINGS, Beside

# Beyond this many refused files of one reason, they share a line.
MOST_ALIKE = 20


@dataclass
class Progress:
    """How far a batch is: a fraction of 1 and a few words."""

    tell: Callable[[float, str], None]
    done: int = 0
    total: int = 1

    def within(self, size: int, words: str) -> Callable[[float], None]:
        """A callback for one series of `size` files, telling the fraction of the whole."""
        return lambda fraction: self.tell(min((self.done + size * fraction) / self.total, 1.0), words)


@dataclass(eq=False)
class Sorted:
    """The files of a sending by what they are: DICOM images by series UID, DICOM masks, and files of other formats."""

    series: dict[str, list[Found]] = field(default_factory=dict)
    objects: list[Found] = field(default_factory=list)
    volumes: list[Found] = field(default_factory=list)
    data: list[Found] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing that could become a scan or a mask."""
        return not (self.series or self.objects or self.volumes or self.data)

    @property
    def count(self) -> int:
        """How many files there are to read."""
        return sum(map(len, self.series.values())) + len(self.objects) + len(self.volumes)


def take_in(
    sent: Iterable[Sent | Unusable],
    *,
    delivery: Delivery,
    known: Collection[str] = (),
    tell: Callable[[float, str], None] = lambda fraction, words: None,
) -> Iterator[Line]:
    """Yield a line for each scan, for each mask and for each file that is in none; good ones are filed by then.

    Series whose key is among `known` have their line already.
    """
    with quiet():
        by_kind = Sorted()
        alike: dict[str, int] = {}
        for line in _sorted(sent, by_kind):
            alike[line.sentence] = alike.get(line.sentence, 0) + 1
            if alike[line.sentence] <= MOST_ALIKE:
                yield line
        for sentence, count in alike.items():
            if count > MOST_ALIKE:
                yield Line(f"{count - MOST_ALIKE} more files", "refused", sentence)
        if by_kind.is_empty and not alike:
            yield Line("nothing", "refused", "Nothing was sent: there is no file in it.", "empty")
        yield from _screenshots(by_kind)
        progress = Progress(tell, total=max(by_kind.count, 1))
        yield from _series(by_kind, delivery, known, progress)
        laid: dict[object, list[Laid]] = {}
        beside = Beside(by_kind.data)
        yield from _volumes(by_kind, beside, delivery, progress, laid)
        yield from _objects(by_kind, delivery, laid)
        for masks in laid.values():
            yield from lay_masks(masks, delivery)
        for data in beside.unused():
            sentence = "It is data without a header: no .mhd or .nhdr in its folder names it."
            yield Line(data.label, "refused", sentence, "not_dicom")


def _screenshots(by_kind: Sorted) -> Iterator[Line]:
    """Refuse pictures that lie among DICOM images: nobody looks for a name that is burned into them."""
    if not by_kind.series:
        return
    pictures = [found for found in by_kind.volumes if found.suffix in PICTURE_ENDINGS]
    by_kind.volumes = [found for found in by_kind.volumes if found.suffix not in PICTURE_ENDINGS]
    sentence = (
        "A picture that comes with DICOM images may be a screenshot that shows a name, and is not taken. Send slices "
        "of public sets by themselves."
    )
    for found in pictures[:MOST_ALIKE]:
        yield Line(found.label, "refused", sentence, "picture_beside_dicom")
    if len(pictures) > MOST_ALIKE:
        yield Line(f"{len(pictures) - MOST_ALIKE} more pictures", "refused", sentence, "picture_beside_dicom")


def _series(by_kind: Sorted, delivery: Delivery, known: Collection[str], progress: Progress) -> Iterator[Line]:
    for number, uid in enumerate(sorted(by_kind.series), start=1):
        files = by_kind.series[uid]
        if series_key(uid) not in known:
            title = f"series {number} ({len(files)} {'file' if len(files) == 1 else 'files'})"
            advance = progress.within(len(files), title)
            yield line_of(title, lambda: file_dicom_series(files, delivery, advance), series_key(uid))  # noqa: B023
        progress.done += len(files)


def _volumes(
    by_kind: Sorted, beside: Beside, delivery: Delivery, progress: Progress, laid: dict[object, list[Laid]]
) -> Iterator[Line]:
    """Images; their masks are noted in `laid`, those of one scan together wherever in the sending they lie."""
    groups = grouped(by_kind.volumes, single_pictures=delivery.single_pictures)
    images: dict[str, list[Ground]] = {}
    alone: list[tuple[Item, Group]] = []
    for group in groups:
        size = sum(len(item.found) for item in (*group.images, *group.masks))
        title = (group.images or group.masks)[0].title
        lines, grounds = file_images(group, delivery, beside, progress.within(size, title))
        yield from lines
        for ground in grounds:
            if not ground.slices:
                images.setdefault(group.stem, []).append(ground)
        if len(grounds) == 1 and len(group.images) == 1:
            ground = grounds[0]
            found = [laid_file(mask, ground, delivery, beside) for mask in group.masks]
            laid.setdefault(ground.scan.pk, []).extend(found)
        else:
            alone += [(mask, group) for mask in group.masks]
        progress.done += size
    for mask, group in alone:
        others = [] if group.images or mask.of_pictures else _elsewhere(group, images, by_kind, delivery)
        if len(others) == 1:
            laid.setdefault(others[0].scan.pk, []).append(laid_file(mask, others[0], delivery, beside))
        else:
            yield without_ground(mask, why_alone(group, len(others)), delivery, beside)


def _elsewhere(group: Group, images: dict[str, list[Ground]], by_kind: Sorted, delivery: Delivery) -> list[Ground]:
    """The images of a mask's name in the sending, or else the series in its folder or below that are scans now."""
    if group.stem and group.stem in images:
        return list({ground.scan.pk: ground for ground in images[group.stem]}.values())
    grounds = []
    for uid, files in by_kind.series.items():
        if all(_lies_in(found, group.folders) for found in files):
            line = earlier_line(delivery.campaign, series_key(uid))
            scan = line.scan if line else None
            case = Case.objects.filter(campaign=delivery.campaign, scan=scan).first() if scan else None
            if scan is not None and case is not None:
                grounds.append(Ground(scan, case.number))
    return grounds


def _lies_in(found: Found, folders: tuple[str, ...]) -> bool:
    return folders_of(found.path)[: len(folders)] == folders


def _objects(by_kind: Sorted, delivery: Delivery, laid: dict[object, list[Laid]]) -> Iterator[Line]:
    """Segmentations and structure sets; those of one scan are laid over it together."""
    for found in by_kind.objects:
        try:
            mask = laid_object(found, delivery)
        except NoScan as alone:
            yield Line(found.label, "refused", alone.sentence, alone.code, series_key=alone.series_key)
        except Exception as error:  # whatever it is, it gets its line
            failure = error

            def fail() -> Line:
                raise failure  # noqa: B023

            yield attempted(found.label, fail)
        else:
            laid.setdefault(mask.ground.scan.pk, []).append(mask)


def _sorted(sent: Iterable[Sent | Unusable], by_kind: Sorted) -> Iterator[Line]:
    """Put every file with its kind; a line for each that has none."""
    for found in files_in(sent):
        line = _sort(found, by_kind)
        if line is not None:
            yield line
    if not any(volume.suffix in HEADER_ENDINGS for volume in by_kind.volumes):
        # No header could name them: they are what they say themselves, DICOM or nothing.
        strays, by_kind.data = by_kind.data, []
        for found in strays:
            line = _sort_dicom(found, by_kind)
            if line is not None:
                yield line


def _sort(found: Found | Unusable, by_kind: Sorted) -> Line | None:
    """Put a file with its kind, or say why it has none. What begins as DICOM is DICOM, whatever it is called."""
    if isinstance(found, Unusable):
        return Line(found.label, "refused", found.sentence, found.code)
    other = by_kind.volumes if found.suffix in VOLUME_ENDINGS + PICTURE_ENDINGS else None
    if other is None and found.suffix in DATA_ENDINGS:
        other = by_kind.data
    if other is not None and not _begins_as_dicom(found):
        other.append(found)
        return None
    return _sort_dicom(found, by_kind)


def _sort_dicom(found: Found, by_kind: Sorted) -> Line | None:
    try:
        header = peek(found)
    except SeriesRefused as refusal:
        return Line(found.label, "refused", refusal.sentence, refusal.code)
    kind = text(header, "SOPClassUID")
    if kind == MEDIA_DIRECTORY:
        return None
    if kind in MASK_CLASSES:
        by_kind.objects.append(found)
        return None
    series_uid = text(header, "SeriesInstanceUID")
    if not series_uid:
        return Line(found.label, "refused", "It names no series (SeriesInstanceUID).", "no_series")
    by_kind.series.setdefault(series_uid, []).append(found)
    return None


def _begins_as_dicom(found: Found) -> bool:
    try:
        head = found.head()
    except OSError:  # its reader says so
        return False
    # Without a preamble it begins with an element of group 0008 that names its VR.
    return head[128:132] == b"DICM" or (head[:2] == b"\x08\x00" and head[4:6].isalpha() and head[4:6].isupper())
