"""Which files belong together: images, and masks of the same case, by rules on names that are written in one table.

Nothing is inferred beyond the table: a name that says "mask" and not of what is refused with the words that would do.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from inference.imaging.formats import PICTURE_ENDINGS
from inference.imaging.pictures import natural_key
from webapp.intake.sources import Found

IMAGE, LUNG, LEFT_LUNG, RIGHT_LUNG = "image", "lung", "left lung", "right lung"
LESION, FINDINGS, CLASSES, UNSAID, COMBINED = "lesion", "findings", "classes", "unsaid", "combined"


@dataclass(frozen=True)
class Rule:
    """Words by which a name says what a file shows. `pattern` is theirs, without regard to capitals.

    `means` is what people are told: which layer, and how its values are read.
    """

    role: str
    words: tuple[str, ...]
    pattern: str
    means: str


_GAP = r"[\s._-]*"
_OF_MASK = rf"(?:{_GAP}(?:masks?|segs?|segmentations?|labels?|labelmaps?|gt))?"
# The first rule that fits counts.
RULES = (
    Rule(
        COMBINED,
        ("lung_and_infection", "lung_lesion"),
        rf"lungs?{_GAP}(?:and|with|plus)?{_GAP}(?:infections?|lesions?){_OF_MASK}",
        "both layers, by what the data set says of its values (`--mask-values`), lesion counting as lung; refused "
        "where it says nothing",
    ),
    Rule(
        LEFT_LUNG,
        ("left_lung", "lung_left"),
        rf"(?:left{_GAP}lung|lung{_GAP}left){_OF_MASK}",
        "lung layer, left: every voxel that is not 0",
    ),
    Rule(
        RIGHT_LUNG,
        ("right_lung", "lung_right"),
        rf"(?:right{_GAP}lung|lung{_GAP}right){_OF_MASK}",
        "lung layer, right: every voxel that is not 0",
    ),
    Rule(
        LUNG,
        ("lung", "lungs", "whole_lung"),
        rf"(?:whole{_GAP})?lungs?{_OF_MASK}",
        "lung layer: one value is both lungs and two are one lung each; which is left is told by where it lies",
    ),
    Rule(
        LESION,
        ("lesion", "lesions", "infection", "infections"),
        rf"(?:lesions?|infections?){_OF_MASK}",
        "findings layer: one value, the lesion label of the campaign's label set",
    ),
    Rule(
        FINDINGS,
        ("findings",),
        rf"findings{_OF_MASK}",
        "findings layer: the values of the campaign's label set, as Groundglass exports them",
    ),
    Rule(
        CLASSES,
        ("classes",),
        "classes",
        "findings layer: 1 ground glass, 2 consolidation, 3 pleural effusion (medicalsegmentation.com)",
    ),
    Rule(
        UNSAID,
        ("mask", "masks", "seg", "segmentation", "label", "labels", "labelsTr", "gt"),
        r"(?:masks?|segs?|segmentations?|labels?|labelmaps?|gt|annotations?|labelst[rs])",
        "what the file itself names its labels (segments of 3D Slicer), or what the data set says of its values; "
        "refused where neither does",
    ),
    Rule(
        IMAGE,
        ("ct", "image", "images", "scan", "volume", "imagesTr"),
        r"(?:cts?|ct{gap}(?:scans?|images?|volumes?)|scans?|images?|img|imgs|volumes?|vol|imagest[rs])".replace(
            "{gap}", _GAP
        ),
        "the scan; so is every file that no rule names",
    ),
)
_AT_END = [(rule, re.compile(rf"(?:^|(?<=[\s._-]))(?:{rule.pattern})$", re.IGNORECASE)) for rule in RULES]
_AT_START = [(rule, re.compile(rf"^(?:{rule.pattern})(?:[\s._-]|$)", re.IGNORECASE)) for rule in RULES]
_WHOLE = [(rule, re.compile(rf"(?:{rule.pattern})", re.IGNORECASE)) for rule in RULES]
_TRIM = " ._-"
# No file system has longer names; matching a hostile one would take its time.
LONGEST_NAME = 255


@dataclass(frozen=True)
class Named:
    """What a path says: the role, the folders that do not say it, and what is left of the name. `folder` is whole."""

    role: str
    folder: str
    folders: tuple[str, ...]
    stem: str


@dataclass(frozen=True, eq=False)
class Item:
    """One image or one mask: a volume file, or the pictures of one case with what each is called apart from its role.

    `title` is what lines call it; it holds nothing of a name that may be somebody's.
    """

    role: str
    found: tuple[Found, ...]
    slices: tuple[str, ...] = ()
    title: str = ""

    @property
    def of_pictures(self) -> bool:
        """Whether it is made of pictures."""
        return bool(self.slices)


@dataclass(eq=False)
class Group:
    """The images and masks that names put together: folders that do not name a role, and what is left of the name."""

    folders: tuple[str, ...]
    stem: str = ""
    images: list[Item] = field(default_factory=list)
    masks: list[Item] = field(default_factory=list)


class Names:
    """What the paths of a sending say, each in the light of the others.

    The end of a name speaks first, then the nearest folder that says anything. A folder that says of what a mask is
    speaks before a name that does not. The beginning of a name counts only where both an image and a mask are called so
    (ct-64, wholeLung-64): cases are often called lung_001.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        images: set[tuple[str, str]] = set()
        masks: set[tuple[str, str]] = set()
        for path in paths:
            folder, stem = _parts(path)
            start = _first(_AT_START, stem)
            if start is None:
                images.add((folder, _key(stem)))
            else:
                (images if start[0].role == IMAGE else masks).add((folder, _key(stem[start[1].end() :])))
        self._beginnings = images & masks

    def of(self, path: str) -> Named:
        """What a path says."""
        folder, stem = _parts(path)
        folders = folder.split("/") if folder else []
        of_folder = _role_of_folders(folders)
        kept = tuple(part.casefold() for part in folders if not _whole_role(part))
        end = _first(_AT_END, stem)
        if end is not None:
            rule, match = end
            role = of_folder if rule.role == UNSAID and of_folder not in ("", IMAGE) else rule.role
            return Named(role, folder, kept, _key(stem[: match.start()]))
        start = _first(_AT_START, stem) if of_folder in ("", IMAGE) else None
        if start is not None:
            rule, match = start
            rest = _key(stem[match.end() :])
            if (folder, rest) in self._beginnings:
                return Named(rule.role, folder, kept, rest)
        return Named(of_folder or IMAGE, folder, kept, _key(stem))


def grouped(found: Sequence[Found], *, single_pictures: bool = False) -> list[Group]:
    """Groups in the order in which their first file was sent.

    The pictures of one folder and role are the slices of one case, in the natural order of their names; with
    `single_pictures` each is a case of its own.
    """
    names = Names(one.path for one in found)
    groups: dict[tuple[object, ...], Group] = {}
    stacks: dict[tuple[str, str], list[tuple[Named, Found]]] = {}
    stack_groups: dict[tuple[str, str], Group] = {}
    for one in found:
        says = names.of(one.path)
        is_picture = one.suffix in PICTURE_ENDINGS
        of_a_stack = is_picture and not single_pictures
        group = groups.setdefault(
            (is_picture, says.folders, "" if of_a_stack else says.stem),
            Group(says.folders, "" if of_a_stack else says.stem),
        )
        if of_a_stack:
            place = (says.folder, says.role)
            stacks.setdefault(place, []).append((says, one))
            stack_groups.setdefault(place, group)
        else:
            _add(group, Item(says.role, (one,), (says.stem,) if is_picture else (), one.label))
    for place, pictures in stacks.items():
        _add(stack_groups[place], _stack(place[1], pictures))
    return list(groups.values())


def folders_of(path: str) -> tuple[str, ...]:
    """The folders of a path that do not name a role."""
    folder, _ = _parts(path)
    return tuple(part.casefold() for part in folder.split("/") if part and not _whole_role(part))


def _stack(role: str, pictures: list[tuple[Named, Found]]) -> Item:
    ordered = sorted(pictures, key=lambda pair: natural_key(pair[0].stem))
    found = tuple(one for _, one in ordered)
    first = pictures[0][1].label
    title = first if len(found) == 1 else f"{first} and {len(found) - 1} more pictures"
    return Item(role, found, tuple(says.stem for says, _ in ordered), title)


def _add(group: Group, item: Item) -> None:
    (group.images if item.role == IMAGE else group.masks).append(item)


def _whole_role(folder: str) -> str:
    if len(folder) > LONGEST_NAME:
        return ""
    return next((rule.role for rule, pattern in _WHOLE if pattern.fullmatch(folder.strip())), "")


def _role_of_folders(folders: list[str]) -> str:
    roles = [role for folder in reversed(folders) if (role := _whole_role(folder))]
    if roles and roles[0] == UNSAID:
        return next((role for role in roles if role not in (UNSAID, IMAGE)), UNSAID)
    return roles[0] if roles else ""


def _first(patterns: list[tuple[Rule, re.Pattern[str]]], stem: str) -> tuple[Rule, re.Match[str]] | None:
    """The rule that takes most of the name; of two, the first."""
    if len(stem) > LONGEST_NAME:
        return None
    matches = [(rule, match) for rule, pattern in patterns if (match := pattern.search(stem)) is not None]
    return max(matches, key=lambda pair: len(pair[1].group()), default=None)


def _key(rest: str) -> str:
    return rest.strip(_TRIM).casefold()


def _parts(path: str) -> tuple[str, str]:
    folder, _, last = path.rpartition("/")
    return folder, _without_ending(last)


def _without_ending(name: str) -> str:
    for ending in (".nii.gz", ".seg.nrrd"):
        if name.lower().endswith(ending):
            # What 3D Slicer calls .seg.nrrd is a mask, whatever its name says before.
            return name[: -len(ending)] + ("_seg" if ending == ".seg.nrrd" else "")
    return name.rsplit(".", 1)[0] if "." in name[1:] else name
