"""Weights on disk: safetensors beside a card. A card that does not fit is refused."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from inference.networks.cards import Card, CardRefused, check_weights, read_card
from inference.networks.unet import UNet

CARD_ENDING, WEIGHTS_ENDING = ".json", ".safetensors"


def load_network(card_path: Path) -> tuple[UNet, Card]:
    """The network of a card, in evaluation mode on the CPU; the weights lie beside the card, called alike.

    Raises CardRefused with a sentence where card, weights and this version do not fit.
    """
    card, weights = read_card(card_path), card_path.with_suffix(WEIGHTS_ENDING)
    check_weights(card, weights)
    try:
        tensors = load_file(weights)
    except (SafetensorError, OSError, ValueError) as error:
        raise CardRefused(f"The weights {weights.name} are no safetensors file.") from error
    with torch.device("meta"):
        # Without memory: what the card asks for may be far more than the file holds.
        _check_tensors(UNet(card.width, card.labels), tensors, weights.name)
    network = UNet(card.width, card.labels)
    network.load_state_dict({name: tensor.float() for name, tensor in tensors.items()}, strict=False)
    return network.eval(), card


def save_network(network: UNet, card: Card, card_path: Path, *, half: bool = True) -> Card:
    """Write weights and then their card, each whole or not at all; returns the card with their hash.

    `half` keeps weights in 16 bits (half the size); statistics of normalisation stay in 32.
    """
    tensors = {name: _packed(name, tensor, half) for name, tensor in _kept(network.state_dict()).items()}
    content = save(tensors)
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


def _kept(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    # How many batches were seen serves training alone.
    return {name: tensor for name, tensor in state.items() if not name.endswith("num_batches_tracked")}


def _packed(name: str, tensor: Tensor, half: bool) -> Tensor:
    statistics = name.endswith(("running_mean", "running_var"))
    return tensor.detach().cpu().contiguous().to(torch.float16 if half and not statistics else torch.float32)


def _check_tensors(network: UNet, tensors: Mapping[str, Tensor], name: str) -> None:
    wanted = {key: tuple(tensor.shape) for key, tensor in _kept(network.state_dict()).items()}
    found = {key: tuple(tensor.shape) for key, tensor in tensors.items()}
    if wanted != found:
        at = sorted(set(wanted.items()) ^ set(found.items()))[0][0]
        raise CardRefused(
            f"The weights {name} do not fit the network of their card (width {network.width}, "
            f"{len(network.outputs)} outputs): {at} is missing, too much or of another shape."
        )
    if not all(tensor.is_floating_point() and bool(torch.isfinite(tensor).all()) for tensor in tensors.values()):
        raise CardRefused(f"The weights {name} hold a number that is none.")
