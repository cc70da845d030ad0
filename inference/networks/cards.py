"""Cards: what weights are, what they were trained on, under which licence, how good they are."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from inference.transforms import Look, LookRefused

FORMAT = 1
NETWORK = "unet-2d"
LABELS = (("lesion",), ("lung",), ("lung", "lesion"))
NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}")
CHUNK_BYTES = 1024 * 1024


class CardRefused(ValueError):
    """A card that does not fit its weights or this version; the message is a sentence."""


@dataclass(frozen=True)
class Card:
    """What stands beside weights as JSON.

    `labels` are the outputs in order; `look` how slices must look; `spacing_yx_mm` the pixel spacing of what was
    trained on (None where the training slices had none); `training` names sets, cases, licence; `metrics` are figures
    by name. `weights_sha256` is that of the file of weights beside it.
    """

    name: str
    version: str
    labels: tuple[str, ...]
    width: int
    look: Look
    weights_sha256: str
    licence: str
    training: dict[str, Any]
    metrics: dict[str, Any]
    spacing_yx_mm: tuple[float, float] | None = None
    threshold: float = 0.5
    network: str = NETWORK
    format: int = FORMAT
    notes: list[str] = field(default_factory=list)

    def as_json(self) -> str:
        """The card as its file holds it."""
        return json.dumps({**asdict(self), "look": self.look.as_card()}, indent=2) + "\n"


def read_card(path: Path) -> Card:
    """The card of a file; raises CardRefused with a sentence."""
    try:
        recorded = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CardRefused(f"The card {path.name} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise CardRefused(f"The card {path.name} is no JSON.") from error
    if not isinstance(recorded, dict):
        raise CardRefused(f"The card {path.name} is not an object with names.")
    return card_of(recorded, path.name)


def card_of(recorded: Mapping[str, Any], name: str = "card") -> Card:
    """The card of plain values; raises CardRefused."""
    known = {one.name for one in fields(Card)}
    required = known - {"spacing_yx_mm", "threshold", "network", "format", "notes"}
    if missing := sorted(required - set(recorded)):
        raise CardRefused(f"The {name} lacks {missing[0]!r}.")
    if unknown := sorted(set(recorded) - known):
        raise CardRefused(f"The {name} has {unknown[0]!r}, which this version does not know.")
    if recorded.get("format", FORMAT) != FORMAT:
        raise CardRefused(f"The {name} is of format {recorded['format']!r}; this version reads format {FORMAT}.")
    if recorded.get("network", NETWORK) != NETWORK:
        raise CardRefused(f"The {name} is of a network {recorded['network']!r}; this version has {NETWORK}.")
    return _checked(recorded, name)


def check_weights(card: Card, weights: Path) -> None:
    """Raise CardRefused unless the file of weights is the card's own."""
    digest = hashlib.sha256()
    try:
        with weights.open("rb") as stream:
            while part := stream.read(CHUNK_BYTES):
                digest.update(part)
    except OSError as error:
        raise CardRefused(f"The weights {weights.name} cannot be read: {error.strerror}.") from error
    if digest.hexdigest() != card.weights_sha256:
        raise CardRefused(f"The weights {weights.name} are not those that the card of {card.name} describes.")


def _checked(recorded: Mapping[str, Any], name: str) -> Card:
    def refuse(what: str) -> CardRefused:
        return CardRefused(f"The {name} {what}")

    plain = dict(recorded)
    labels, width, spacing = plain["labels"], plain["width"], plain.get("spacing_yx_mm")
    if not isinstance(labels, list | tuple) or tuple(labels) not in LABELS:
        raise refuse(f"has labels {labels!r}; this version knows {', '.join(map(str, map(list, LABELS)))}.")
    if not isinstance(width, int) or isinstance(width, bool) or not 1 <= width <= 256:
        raise refuse(f"has a width of {width!r}; it must be 1 to 256 channels.")
    if not isinstance(plain["look"], dict):
        raise refuse("has no look.")
    try:
        look = Look.from_card(plain["look"])
    except LookRefused as refusal:
        raise refuse(f"does not fit this version: {refusal}") from refusal
    for part in ("name", "version"):
        if not isinstance(plain[part], str) or not NAME.fullmatch(plain[part]):
            raise refuse(f"has a {part} {plain[part]!r}; small letters, digits, dots and hyphens are allowed.")
    if not isinstance(plain["licence"], str) or not plain["licence"].strip():
        raise refuse("names no licence.")
    if not re.fullmatch(r"[0-9a-f]{64}", str(plain["weights_sha256"])):
        raise refuse("has no SHA-256 of its weights.")
    if not isinstance(plain["training"], dict) or not plain["training"] or not isinstance(plain["metrics"], dict):
        raise refuse("does not say what was trained on and how well it does.")
    notes = plain.get("notes", [])
    if not isinstance(notes, list) or not all(isinstance(note, str) for note in notes):
        raise refuse("has notes that are no list of sentences.")
    positive = isinstance(spacing, list | tuple) and len(spacing) == 2 and all(_is_positive(one) for one in spacing)
    if spacing is not None and not positive:
        raise refuse(f"has a pixel spacing of {spacing!r}; it is two lengths in mm, or null.")
    if not _is_positive(plain.get("threshold", 0.5)) or plain.get("threshold", 0.5) >= 1:
        raise refuse("has a threshold that is not between 0 and 1.")
    plain |= {"labels": tuple(labels), "look": look, "spacing_yx_mm": tuple(spacing) if spacing else None}
    return Card(**plain)


def _is_positive(number: object) -> bool:
    return isinstance(number, int | float) and not isinstance(number, bool) and 0 < number < float("inf")
