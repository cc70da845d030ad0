"""Weights on disk: safetensors beside a card. A card that does not fit is refused. Free of torch."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, deserialize
from safetensors.numpy import save

from inference.networks.cards import Card, CardRefused, check_weights, read_card
from inference.networks.shapes import tensor_shapes

CARD_ENDING, WEIGHTS_ENDING = ".json", ".safetensors"
BRAIN_FLOAT = "BF16"
FLOATS: dict[str, np.dtype[Any]] = {
    "F16": np.dtype("<f2"),
    "F32": np.dtype("<f4"),
    "F64": np.dtype("<f8"),
    BRAIN_FLOAT: np.dtype("<u2"),
}

Weights = Mapping[str, NDArray[np.float32]]


def load_weights(card_path: Path) -> tuple[Card, Weights]:
    """A card and its tensors (float32, by name), which lie beside it, called alike.

    Raises CardRefused with a sentence where card, weights and this version do not fit.
    """
    card, path = read_card(card_path), card_path.with_suffix(WEIGHTS_ENDING)
    check_weights(card, path)
    try:
        found: dict[str, dict[str, Any]] = dict(deserialize(path.read_bytes()))
    except (SafetensorError, OSError, ValueError) as error:
        raise CardRefused(f"The weights {path.name} are no safetensors file.") from error
    _check_shapes(card, {name: tuple(one["shape"]) for name, one in found.items()}, path.name)
    weights = {name: _as_floats(one, path.name) for name, one in found.items()}
    return card, weights


def save_weights(weights: Mapping[str, NDArray[Any]], card: Card, card_path: Path, *, half: bool = True) -> Card:
    """Write weights and then their card, each whole or not at all; returns the card with their hash.

    `half` keeps weights in 16 bits (half the size); statistics of normalisation stay in 32.
    """
    content = save({name: _packed(name, one, half) for name, one in weights.items()})
    card = replace(card, weights_sha256=hashlib.sha256(content).hexdigest())
    write_whole(card_path.with_suffix(WEIGHTS_ENDING), content)
    write_whole(card_path, card.as_json().encode())
    return card


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or, after a power cut or a kill, as it was before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def _packed(name: str, tensor: NDArray[Any], half: bool) -> NDArray[Any]:
    statistics = name.endswith(("running_mean", "running_var"))
    return np.ascontiguousarray(tensor, np.float16 if half and not statistics else np.float32)


def _check_shapes(card: Card, found: Mapping[str, tuple[int, ...]], name: str) -> None:
    wanted = tensor_shapes(card.width, card.labels)
    if wanted != found:
        at = sorted(set(wanted.items()) ^ set(found.items()))[0][0]
        raise CardRefused(
            f"The weights {name} do not fit the network of their card (width {card.width}, "
            f"{len(card.labels)} outputs): {at} is missing, too much or of another shape."
        )


def _as_floats(stored: Mapping[str, Any], name: str) -> NDArray[np.float32]:
    refused = CardRefused(f"The weights {name} hold a number that is none.")
    if stored["dtype"] not in FLOATS:
        raise refused
    values: NDArray[Any] = np.frombuffer(stored["data"], FLOATS[stored["dtype"]])
    if stored["dtype"] == BRAIN_FLOAT:  # the upper half of a 32-bit float
        values = (values.astype(np.uint32) << 16).view(np.float32)
    with np.errstate(over="ignore"):  # what 32 bits do not hold is refused below
        floats = values.astype(np.float32).reshape(stored["shape"])
    if not np.isfinite(floats).all():
        raise refused
    return floats
