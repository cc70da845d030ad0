"""A version as somebody hands it in: card, weights, pictures, learning curves. All of it is hostile until checked."""

import csv
import io
import json
import math
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import IO, Any

from inference.networks.cards import Card, CardRefused, card_of
from webapp.algorithms.check_weights import refusal_of_weights
from webapp.algorithms.models import TrainingScan
from webapp.archive.sent_pictures import CleanPicture, clean_picture
from webapp.audit.refusal import ActionRefused, Refusal

CARD_ENDING, WEIGHTS_ENDING, CURVES_ENDING = ".json", ".safetensors", ".curves.csv"
MIB = 1024 * 1024
WEIGHTS_BYTES, CARD_BYTES, CURVES_BYTES = 64 * MIB, 4 * MIB, MIB
MOST_PICTURES, MOST_EPOCHS, MOST_CURVES, MOST_SCANS = 40, 5000, 12, 20_000
DEEPEST, LONGEST_TEXT, LONGEST_WORD, LONGEST_TITLE = 8, 4000, 80, 120
COPIED_BYTES = MIB
HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, eq=False)
class Submitted:
    """A version whose parts were checked and fit each other. `weights` is open, and its reader's to close."""

    card: Card
    recorded: dict[str, Any]
    text: str
    weights: IO[bytes]
    title: str
    pictures: list[tuple[str, CleanPicture]] = field(default_factory=list)
    curves: dict[str, Any] = field(default_factory=dict)
    scans: list[TrainingScan] = field(default_factory=list)


def checked(
    *,
    card: bytes,
    weights: IO[bytes],
    pictures: Sequence[tuple[str, bytes]] = (),
    curves: bytes | None = None,
    title: str = "",
) -> Submitted:
    """Check a version that was handed in; `pictures` are (file name, content). Takes seconds.

    Raises ActionRefused with a sentence that says what is wrong and where.
    """
    recorded = _recorded(card)
    try:
        known = card_of(recorded)
    except CardRefused as refusal:
        raise _refused(str(refusal)) from refusal
    title = title.strip() or known.name.replace("-", " ").capitalize()
    if len(title) > LONGEST_TITLE or not title.isprintable():
        raise _refused(f"A title has at most {LONGEST_TITLE} letters.")
    if len(pictures) > MOST_PICTURES:
        raise _refused(f"A card has at most {MOST_PICTURES} pictures.")
    submitted = Submitted(
        card=known,
        recorded=recorded,
        text=json.dumps(recorded, ensure_ascii=False),
        weights=weights,
        title=title,
        pictures=_pictures(known, pictures),
        curves=_curves(curves) if curves else {},
        scans=_scans(known),
    )
    _check_weights(submitted, card)
    return submitted


def _refused(sentence: str) -> ActionRefused:
    return ActionRefused(Refusal("card_refused", sentence))


def _recorded(content: bytes) -> dict[str, Any]:
    if len(content) > CARD_BYTES:
        raise _refused(f"A card has at most {CARD_BYTES // MIB} MiB.")
    try:
        recorded = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise _refused("The card is no JSON: choose the .json file beside the weights.") from error
    if not isinstance(recorded, dict):
        raise _refused("The card is not an object with names.")
    waiting: list[tuple[Any, int]] = [(recorded, 1)]
    while waiting:
        value, depth = waiting.pop()
        if depth > DEEPEST:
            raise _refused(f"The card is nested more than {DEEPEST} deep.")
        if isinstance(value, str) and _is_no_text(value):
            raise _refused(f"The card has a text of more than {LONGEST_TEXT:,} letters, or of letters that are none.")
        if isinstance(value, float) and not math.isfinite(value):
            raise _refused("The card has a number that is none.")
        if isinstance(value, int) and abs(value) > 2**53:
            raise _refused("The card has a number that is too large.")
        if isinstance(value, dict):
            waiting += [(one, depth + 1) for one in (*value, *value.values())]
        elif isinstance(value, list):
            waiting += [(one, depth + 1) for one in value]
    return recorded


def _is_no_text(value: str) -> bool:
    return len(value) > LONGEST_TEXT or "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value)


def _pictures(card: Card, sent: Sequence[tuple[str, bytes]]) -> list[tuple[str, CleanPicture]]:
    named: dict[str, CleanPicture] = {}
    for file_name, content in sent:
        plain = _plain_name(card, file_name)
        number, name = 1, plain
        while name in named:
            number += 1
            name = f"{plain}-{number}"
        try:
            picture = clean_picture(content)
        except ActionRefused as refused:
            raise _refused(f"The picture {name}: {refused.sentence}") from refused
        if picture.suffix != ".png":
            raise _refused(f"The picture {name} is no PNG.")
        named[name] = picture
    return list(named.items())


def _plain_name(card: Card, file_name: str) -> str:
    """What a picture shows, from its file's name: "groundglass-default-failure 1.PNG" -> "failure-1"."""
    stem = PurePath(file_name.replace("\\", "/")).stem.lower().removeprefix(f"{card.name}-")
    return re.sub(r"[^a-z0-9]+", "-", stem).strip("-")[:60] or "picture"


def _curves(content: bytes) -> dict[str, Any]:
    if len(content) > CURVES_BYTES:
        raise _refused(f"Learning curves have at most {CURVES_BYTES // MIB} MiB.")
    try:
        rows = list(csv.reader(io.StringIO(content.decode("utf-8"))))
        columns, values = rows[0], [[_number(cell) for cell in row] for row in rows[1:] if row]
    except (ValueError, IndexError, csv.Error) as error:
        raise _refused("The learning curves are no CSV of numbers under a line of names.") from error
    fits = all(len(row) == len(columns) for row in values) and all(re.fullmatch(r"[a-z0-9_]{1,40}", c) for c in columns)
    if not fits or "epoch" not in columns or not 0 < len(columns) <= MOST_CURVES or not 0 < len(values) <= MOST_EPOCHS:
        sentence = (
            f"The learning curves need a column epoch, at most {MOST_CURVES} columns and 1 to {MOST_EPOCHS:,} rows."
        )
        raise _refused(sentence)
    return {"columns": columns, "rows": values}


def _number(cell: str) -> float | None:
    if not cell:
        return None
    value = float(cell)
    if not math.isfinite(value):
        raise ValueError(cell)
    return value


def _scans(card: Card) -> list[TrainingScan]:
    """The scans that a card says were trained and tuned on; a card may leave them out."""
    listed = card.training.get("scans", [])
    if not isinstance(listed, list) or len(listed) > MOST_SCANS:
        raise _refused(f"The card's training scans are no list of at most {MOST_SCANS:,} scans.")
    found: dict[str, TrainingScan] = {}
    for place, one in enumerate(listed, 1):
        words = one if isinstance(one, dict) else {}
        digest, role = words.get("voxels_sha256"), words.get("role")
        texts = [words.get(name, "") for name in ("set", "case", "patient")]
        fits = all(isinstance(text, str) and len(text) <= LONGEST_WORD for text in texts)
        if not isinstance(digest, str) or not HASH.fullmatch(digest) or role not in TrainingScan.ROLES or not fits:
            raise _refused(f"The card's training scan {place} needs a role (train or tune) and the hash of its voxels.")
        found.setdefault(
            digest,
            TrainingScan(voxels_sha256=digest, role=role, data_set=texts[0], case_name=texts[1], patient=texts[2]),
        )
    return list(found.values())


def _check_weights(submitted: Submitted, card: bytes) -> None:
    """Raise ActionRefused unless the weights are those of the card and fit its network, as a worker would find them."""
    with tempfile.TemporaryDirectory(prefix="groundglass-weights-") as folder:
        beside = Path(folder) / f"{submitted.card.name}{CARD_ENDING}"
        beside.write_bytes(card)
        size = 0
        submitted.weights.seek(0)
        with beside.with_suffix(WEIGHTS_ENDING).open("wb") as copy:
            while part := submitted.weights.read(COPIED_BYTES):
                size += len(part)
                if size > WEIGHTS_BYTES:
                    raise _refused(f"Weights have at most {WEIGHTS_BYTES // MIB} MiB.")
                copy.write(part)
        if sentence := refusal_of_weights(beside):
            raise _refused(sentence)
