"""From labels of foreign masks to the layers of ours: coded concepts first, then words, by one table each.

What is in neither table is told and left out; nothing is guessed. The page docs/reference/imported-masks.md is written
from these tables.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inference.imaging.axes import Affine, spacing_zyx_mm
from inference.imaging.findings import SeriesRefused
from inference.imaging.foreign_masks import ForeignSegment
from inference.imaging.masks import values_in
from webapp.intake.grouping import CLASSES, COMBINED, FINDINGS, LEFT_LUNG, LESION, LUNG, RIGHT_LUNG, UNSAID

if TYPE_CHECKING:  # the reference is written from this module without a site
    from webapp.masks.models import LabelSet

LEFT, RIGHT, BOTH = 1, 2, 0
Labels = NDArray[np.uint8]
Voxels = NDArray[np.bool_]

# (scheme, value) -> which lung; a modifier of the code or the words beside it tell the side of "lung".
LUNG_CODES = {
    ("SCT", "39607008"): BOTH,
    ("SCT", "44029006"): LEFT,
    ("SCT", "3341006"): RIGHT,
    ("SRT", "T-28000"): BOTH,
    ("SRT", "T-28500"): LEFT,
    ("SRT", "T-28100"): RIGHT,
}
# Codes of lesion, beside those of the campaign's own label set, which come first.
LESION_CODES = {
    ("DCM", "112120"): "ground glass opacity",
    ("DCM", "112001"): "opacity",
    ("DCM", "112121"): "infiltrate",
    ("SCT", "233604007"): "pneumonia",
    ("SCT", "95436008"): "lung consolidation",
    ("SCT", "840539006"): "disease caused by SARS-CoV-2",
}
# A name is one of these when it is made of these words and nothing else; "lung nodule" is neither.
LUNG_WORDS = frozenset({"lung", "lungs"})
SIDE_WORDS = {"left": LEFT, "l": LEFT, "lt": LEFT, "right": RIGHT, "r": RIGHT, "rt": RIGHT}
BOTH_WORDS = frozenset({"both", "whole", "total", "bilateral"})
LESION_WORDS = frozenset(
    {
        "lesion",
        "lesions",
        "infection",
        "infections",
        "infected",
        "covid",
        "covid19",
        "pneumonia",
        "ground",
        "glass",
        "ggo",
    }
    | {"opacity", "opacities", "consolidation", "consolidations", "infiltrate", "infiltrates"}
)
# Words that say nothing by themselves.
FILLERS = frozenset(
    {"mask", "masks", "seg", "segment", "segmentation", "label", "region", "roi", "volume", "of", "the", "and", "in"}
    | {"area", "areas", "tissue", "19", "viral", "pulmonary", "sars", "cov", "2"}
)
EFFUSION_WORDS = frozenset({"pleural", "effusion", "effusions"})
EFFUSION = ("SCT", "60046008")
# Values of the classes of medicalsegmentation.com.
CLASS_NAMES = {1: "ground glass", 2: "consolidation", 3: "pleural effusion"}
# No more than this part of a lung lies beyond the middle between two lungs.
APART = 0.15


@dataclass(frozen=True)
class Target:
    """Where a label goes: `layer`, and the value in it; of the anatomy layer 0 is a lung whose side is not said."""

    layer: str
    value: int


@dataclass(frozen=True, eq=False)
class Claim:
    """What one file says of one layer: its voxels (uint8 zyx), and `title`, what lines call the file.

    `labels` are the values and names of what they became. `sides`: only these lungs are said.
    """

    layer: str
    voxels: Labels
    title: str
    came_as: str
    labels: list[tuple[int, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    sides: frozenset[int] = frozenset({LEFT, RIGHT})
    said_by_label: bool = False
    """Whether the file tells findings apart, and not lesion alone."""


class Labelling:
    """How a campaign's label set takes labels of others."""

    def __init__(self, label_set: "LabelSet") -> None:
        self.label_set = label_set
        self.names = {label["value"]: label["name"] for label in label_set.labels}
        self._by_code = {
            (label["code"]["scheme"], label["code"]["value"]): label["value"] for label in label_set.labels
        }
        self._by_name = {_words(label["name"]): label["value"] for label in label_set.labels}

    @property
    def lesion(self) -> int | None:
        """The label that is lesion; None where there are several, and none may be chosen for a reader."""
        values = self.label_set.lesion_values
        return values[0] if len(values) == 1 else None

    @property
    def lesions(self) -> frozenset[int]:
        """Every label that is lesion."""
        return frozenset(self.label_set.lesion_values)

    def of_segment(self, segment: ForeignSegment, label: str) -> Target | None:
        """By its coded concept, else by its words; None where neither is in the tables. `label` is the sender's own."""
        words = self.of_words(label)
        if segment.code is not None:
            code = (segment.code.scheme.upper(), segment.code.value)
            if code in self._by_code:
                return Target("findings", self._by_code[code])
            if code in LUNG_CODES:
                side = LUNG_CODES[code] or {"left": LEFT, "right": RIGHT}.get(segment.side or "", BOTH)
                if side == BOTH and words is not None and words.layer == "anatomy":
                    side = words.value
                return Target("anatomy", side)
            if code in LESION_CODES and self.lesion is not None:
                return Target("findings", self.lesion)
        if words == Target("anatomy", BOTH) and segment.side:
            return Target("anatomy", LEFT if segment.side == "left" else RIGHT)
        return words

    def of_words(self, text: str) -> Target | None:
        """By the words of a name alone."""
        words = _words(text)
        if words in self._by_name:
            return Target("findings", self._by_name[words])
        said = set(words) - FILLERS
        if said & LUNG_WORDS and said <= LUNG_WORDS | BOTH_WORDS | set(SIDE_WORDS):
            sides = {SIDE_WORDS[word] for word in said if word in SIDE_WORDS}
            return Target("anatomy", sides.pop() if len(sides) == 1 and not said & BOTH_WORDS else BOTH)
        if said and said <= LESION_WORDS and said != {"ground"} and said != {"glass"}:
            return Target("findings", self.lesion) if self.lesion is not None else None
        if said & {"effusion", "effusions"} and said <= EFFUSION_WORDS and EFFUSION in self._by_code:
            return Target("findings", self._by_code[EFFUSION])
        return None


def claims_of_labels(
    role: str,
    labels: Labels,
    names: Mapping[int, str],
    affine_lps: Affine,
    labelling: Labelling,
    *,
    title: str,
    came_as: str,
    said: Mapping[int, str] | None = None,
) -> list[Claim]:
    """What a label volume (uint8 zyx, on the scan's grid) says, by the names of its labels or by its role.

    `said` is what its data set says of values; it counts where neither the file nor its name tells what is in it.
    Raises SeriesRefused where its labels are not known.
    """
    values = values_in(labels)
    if any(names.get(value) for value in values):
        targets = {value: labelling.of_words(names.get(value, "")) for value in values}
        parts = [(target, labels == value) for value, target in targets.items() if target is not None]
        missing = [value for value, target in targets.items() if target is None]
        if not parts and role == UNSAID:
            raise _unknown_labels(missing, "their names are none that are known here")
        if parts:
            notes = (
                [f"Left out, since their names are none that are known here: {_listed(missing)}."] if missing else []
            )
            return claims_of_parts(parts, affine_lps, labelling, title=title, came_as=came_as, notes=notes)
    if said and role in (COMBINED, UNSAID):
        meant = _parts_of_values(labels, values, said, labelling)
        parts, notes = with_lesion_as_lung(meant, affine_lps, labelling)
        return claims_of_parts(parts, affine_lps, labelling, title=title, came_as=came_as, notes=notes)
    if role in (LUNG, LEFT_LUNG, RIGHT_LUNG):
        return [_lung_claim(role, labels, values, affine_lps, title, came_as)]
    return [_findings_claim(role, labels, values, labelling, title, came_as)]


def _parts_of_values(
    labels: Labels, values: Sequence[int], said: Mapping[int, str], labelling: Labelling
) -> list[tuple[Target, Voxels]]:
    targets = {value: labelling.of_words(said.get(value, "")) for value in values}
    if missing := [value for value, target in targets.items() if target is None]:
        raise _unknown_labels(missing, "what its data set says of its values tells nothing that is known here of them")
    if not targets:
        raise SeriesRefused("mask_empty", "Every voxel of it is 0: what it says of lung and of lesion is not told.")
    return [(target, labels == value) for value, target in targets.items() if target is not None]


def with_lesion_as_lung(
    parts: Sequence[tuple[Target, Voxels]], affine_lps: Affine, labelling: Labelling
) -> tuple[list[tuple[Target, Voxels]], list[str]]:
    """Parts of one layer of values as two layers, and what to tell of it: a voxel of lesion is lung as well.

    It is of the lung whose voxels are nearest, or, where the file has one label for both lungs, of the side where it
    lies. Without any lung in the parts nothing is added.
    """
    lesion = [voxels for target, voxels in parts if target.layer == "findings" and target.value in labelling.lesions]
    lungs = [(target.value, voxels) for target, voxels in parts if target.layer == "anatomy"]
    if not lesion or not lungs:
        return list(parts), []
    infected = np.logical_or.reduce(lesion)
    told = [f"{int(infected.sum()):,} voxels of lesion count as lung."] if infected.any() else []
    if any(side == BOTH for side, _ in lungs):
        return [*parts, (Target("anatomy", BOTH), infected)], told
    from inference.baseline.sides import nearest_side

    layer = np.zeros(infected.shape, dtype=np.uint8)
    for side, voxels in lungs:
        layer[voxels] = side
    nearest = nearest_side(infected, layer, spacing_zyx_mm(affine_lps))
    return [*parts, *((Target("anatomy", side), nearest == side) for side in sorted({side for side, _ in lungs}))], told


def claims_of_parts(
    parts: Sequence[tuple[Target, Voxels]],
    affine_lps: Affine,
    labelling: Labelling,
    *,
    title: str,
    came_as: str,
    notes: Iterable[str] = (),
) -> list[Claim]:
    """What segments say together, each with where it goes: at most one claim a layer. Raises SeriesRefused."""
    claims, told = [], list(notes)
    lungs = [(target.value, voxels) for target, voxels in parts if target.layer == "anatomy"]
    if lungs:
        claims.append(_lungs_of_parts(lungs, affine_lps, title, came_as, told))
    findings = [(target.value, voxels) for target, voxels in parts if target.layer == "findings"]
    if findings:
        layer = np.zeros(findings[0][1].shape, dtype=np.uint8)
        for value, voxels in findings:
            other = voxels & (layer != 0) & (layer != value)
            if other.any():
                sentence = (
                    f"{int(other.sum()):,} voxels belong to two findings, {labelling.names[int(layer[other][0])]} and "
                    f"{labelling.names[value]}: a voxel has one label here, and none is chosen for a reader."
                )
                raise SeriesRefused("mask_overlap", sentence)
            layer[voxels] = value
        labels = [(value, labelling.names[value]) for value in sorted({value for value, _ in findings})]
        claims.append(Claim("findings", layer, title, came_as, labels, told if not lungs else [], said_by_label=True))
    return claims


def _lungs_of_parts(
    lungs: Sequence[tuple[int, Voxels]], affine_lps: Affine, title: str, came_as: str, told: list[str]
) -> Claim:
    shape = lungs[0][1].shape
    layer = np.zeros(shape, dtype=np.uint8)
    unsided = np.zeros(shape, dtype=bool)
    shared = 0
    for side, voxels in lungs:
        if side == BOTH:
            unsided |= voxels
        else:
            shared += int(np.count_nonzero(voxels & (layer == 3 - side)))
            layer[voxels & (layer == 0)] = side
    if shared:
        told.append(f"{shared:,} voxels belong to both lungs; the one that came first has them.")
    left_over = unsided & (layer == 0)
    sides = {side for side, _ in lungs if side != BOTH}
    if left_over.any():
        layer = np.where(left_over, _split(unsided, affine_lps), layer).astype(np.uint8)
        told.append(SIDES_BY_PLACE)
        sides = {LEFT, RIGHT}
    return _anatomy(layer, title, came_as, told, frozenset(sides or {LEFT, RIGHT}))


SIDES_BY_PLACE = "The mask does not tell left from right: the lungs were told apart by where they lie."


def _lung_claim(role: str, labels: Labels, values: list[int], affine_lps: Affine, title: str, came_as: str) -> Claim:
    if not values:
        raise SeriesRefused("mask_empty", "There is no lung in it: every voxel is 0.")
    if role != LUNG:
        if len(values) > 1:
            raise _unknown_labels(values, "one lung has one value")
        side = LEFT if role == LEFT_LUNG else RIGHT
        return _anatomy((labels != 0) * np.uint8(side), title, came_as, [], frozenset({side}))
    if len(values) > 2:
        raise _unknown_labels(values, "a lung mask has one value, or one for each lung")
    if len(values) == 2:
        left = _the_left_one(labels, values, affine_lps)
        if left is None:
            raise _unknown_labels(values, "they do not lie on two sides, as two lungs would")
        right = next(value for value in values if value != left)
        layer = ((labels == left) * np.uint8(LEFT) + (labels == right) * np.uint8(RIGHT)).astype(np.uint8)
        return _anatomy(layer, title, came_as, [f"By where they lie, {left} is the left lung and {right} the right."])
    return _anatomy(_split(labels != 0, affine_lps), title, came_as, [SIDES_BY_PLACE])


def _findings_claim(
    role: str, labels: Labels, values: list[int], labelling: Labelling, title: str, came_as: str
) -> Claim:
    if role == COMBINED:
        sentence = (
            "It holds lung and lesion in one layer of values, and which value is what is not told: say it of the data "
            "set (--mask-values), or send a mask of the lung and one of the lesion."
        )
        raise SeriesRefused("mask_combined", sentence)
    if role == UNSAID:
        sentence = (
            "Its name says that it is a mask, and not of what: end it with _lung or _lesion, or put it into a folder "
        )
        raise SeriesRefused("mask_unsaid", sentence + "called lung or lesion.")
    if role == FINDINGS:
        targets = {value: value if value in labelling.names else None for value in values}
    elif role == CLASSES:
        words = {value: labelling.of_words(CLASS_NAMES.get(value, "")) for value in values}
        targets = {value: target.value if target else None for value, target in words.items()}
    else:
        assert role == LESION
        if len(values) > 1:
            raise _unknown_labels(values, "a lesion mask has one value")
        if labelling.lesion is None:
            sentence = (
                "The campaign's label set has several labels of lesion; a mask of lesion alone does not say which."
            )
            raise SeriesRefused("mask_labels", sentence)
        targets = {value: labelling.lesion for value in values}
    missing = [value for value, target in targets.items() if target is None]
    if missing:
        raise _unknown_labels(missing, f"the label set {labelling.label_set} has none for them")
    table = np.zeros(256, dtype=np.uint8)
    for value, target in targets.items():
        table[value] = target or 0
    named = [(value, labelling.names[value]) for value in sorted({target for target in targets.values() if target})]
    return Claim("findings", table[labels], title, came_as, named, said_by_label=role != LESION)


def _anatomy(
    layer: Labels, title: str, came_as: str, notes: list[str], sides: frozenset[int] = frozenset({LEFT, RIGHT})
) -> Claim:
    labels = [(side, name) for side, name in ((LEFT, "Left lung"), (RIGHT, "Right lung")) if side in sides]
    return Claim("anatomy", np.ascontiguousarray(layer, dtype=np.uint8), title, came_as, labels, notes, sides)


def _split(lung: Voxels, affine_lps: Affine) -> Labels:
    # Morphology, and with it much to import: only where a mask needs it.
    from inference.baseline.sides import split_lung

    return split_lung(lung, affine_lps, spacing_zyx_mm(affine_lps))


def _the_left_one(labels: Labels, values: list[int], affine_lps: Affine) -> int | None:
    """Of two values the one that lies to the patient's left; None where they do not lie on two sides."""
    places = []
    for value in values:
        _, y, x = np.nonzero(labels == value)
        places.append(affine_lps[0, 0] * x + affine_lps[0, 1] * y)
    middle = sum(float(place.mean()) for place in places) / 2
    on_the_left = [float((place > middle).mean()) for place in places]
    if min(on_the_left) > APART or max(on_the_left) < 1 - APART:
        return None
    return values[int(on_the_left[1] > on_the_left[0])]


def _unknown_labels(values: Sequence[int], why: str) -> SeriesRefused:
    noun = "label" if len(values) == 1 else "labels"
    return SeriesRefused("mask_labels", f"It has the {noun} {_listed(values)}: {why}. Nothing is guessed.")


def _listed(values: Sequence[int]) -> str:
    shown = ", ".join(str(value) for value in values[:8])
    return shown + (", ..." if len(values) > 8 else "")


def _words(text: str) -> tuple[str, ...]:
    """The words of a name in small letters, capitals within a word parting it too (LeftLung, lung_l)."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    return tuple(word for word in re.split(r"[^\w]+|_", parted.lower()) if word)
