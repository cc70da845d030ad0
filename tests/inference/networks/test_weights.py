"""Weights and cards: what was saved comes back, what does not fit is refused in a sentence."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from inference.networks.cards import Card, CardRefused, card_of
from inference.networks.unet import UNet
from inference.networks.weights import load_weights, save_weights
from inference.transforms import Look

BOTH = ("lung", "lesion")


def card(**parts: Any) -> Card:
    """A card of a network of width 2."""
    plain: dict[str, Any] = {
        "name": "tiny",
        "version": "1",
        "labels": BOTH,
        "width": 2,
        "look": Look(size=32),
        "weights_sha256": "",
        "licence": "CC0",
        "training": {"sets": ["phantoms"]},
        "metrics": {},
    }
    return Card(**(plain | parts))


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    save_weights(UNet(2, BOTH).weights(), card(), tmp_path / "tiny.json")
    return tmp_path / "tiny.json"


def test_a_saved_network_comes_back_and_computes_the_same(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = UNet(2, BOTH).eval()
    written = save_weights(network.weights(), card(notes=["A note."]), tmp_path / "tiny.json", half=False)
    read, weights = load_weights(tmp_path / "tiny.json")
    loaded = UNet.of_weights(read.labels, weights)
    assert read == written
    assert read.weights_sha256 == hashlib.sha256((tmp_path / "tiny.safetensors").read_bytes()).hexdigest()
    slices = torch.rand(2, 1, 32, 32)
    with torch.inference_mode():
        assert torch.equal(loaded(slices), network(slices))
    assert not loaded.training
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tiny.json", "tiny.safetensors"]


def test_half_precision_halves_the_file_and_hardly_moves_the_output(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = UNet(8, BOTH).eval()
    save_weights(network.weights(), card(width=8), tmp_path / "half.json")
    save_weights(network.weights(), card(width=8), tmp_path / "full.json", half=False)
    sizes = [(tmp_path / f"{name}.safetensors").stat().st_size for name in ("half", "full")]
    assert sizes[0] < 0.55 * sizes[1]
    slices = torch.rand(1, 1, 32, 32)
    with torch.inference_mode():
        whole = network(slices)
        half = UNet.of_weights(BOTH, load_weights(tmp_path / "half.json")[1])
        assert (half(slices) - whole).abs().max() < 0.01 * whole.abs().max()


def change(path: Path, **parts: Any) -> None:
    recorded = json.loads(path.read_text())
    path.write_text(json.dumps({**recorded, **parts}))


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ({"format": 2}, "format 2; this version reads format 1"),
        ({"network": "vit"}, "network 'vit'; this version has unet-2d"),
        ({"labels": ["bone"]}, "has labels"),
        ({"labels": "lesion"}, "has labels"),
        ({"width": 3}, "do not fit the network of their card"),
        ({"labels": ["lesion"]}, "do not fit the network of their card"),
        ({"width": 0}, "must be 1 to 256 channels"),
        ({"width": True}, "must be 1 to 256 channels"),
        ({"look": {"kind": "sepia"}}, "There is no look 'sepia'"),
        ({"look": {"hue": 1}}, "a part that this version does not know: 'hue'"),
        ({"look": None}, "has no look"),
        ({"look": {"tiles": 8.0}}, "are whole numbers"),
        ({"look": {"lung_alone": "no"}}, "lung_alone is true or false"),
        ({"width": 256}, "do not fit the network of their card"),
        ({"weights_sha256": "0" * 64}, "are not those that the card of tiny describes"),
        ({"weights_sha256": "nonsense"}, "no SHA-256"),
        ({"licence": " "}, "names no licence"),
        ({"training": {}}, "does not say what was trained on"),
        ({"spacing_yx_mm": [0.7]}, "pixel spacing"),
        ({"spacing_yx_mm": [0.7, float("nan")]}, "pixel spacing"),
        ({"threshold": 1}, "threshold"),
        ({"name": "../x"}, "small letters, digits, dots and hyphens"),
        ({"notes": [1]}, "no list of sentences"),
        ({"extra": 1}, "'extra', which this version does not know"),
    ],
)
def test_a_card_that_does_not_fit_is_refused(saved: Path, parts: dict[str, Any], sentence: str) -> None:
    change(saved, **parts)
    with pytest.raises(CardRefused, match=sentence):
        load_weights(saved)


def test_a_card_that_lacks_something_is_refused(saved: Path) -> None:
    recorded = json.loads(saved.read_text())
    del recorded["licence"]
    with pytest.raises(CardRefused, match="The card lacks 'licence'"):
        card_of(recorded)


def test_files_that_are_no_cards_or_weights_are_refused(saved: Path, tmp_path: Path) -> None:
    weights = saved.with_suffix(".safetensors")
    with pytest.raises(CardRefused, match="cannot be read"):
        load_weights(tmp_path / "gone.json")
    weights.write_bytes(b"\xff" * 100)
    change(saved, weights_sha256=hashlib.sha256(weights.read_bytes()).hexdigest())
    with pytest.raises(CardRefused, match="no safetensors file"):
        load_weights(saved)
    weights.unlink()
    with pytest.raises(CardRefused, match=r"The weights tiny\.safetensors cannot be read"):
        load_weights(saved)
    saved.write_text("[1")
    with pytest.raises(CardRefused, match="is no JSON"):
        load_weights(saved)


@pytest.mark.parametrize("kind", [torch.float64, torch.bfloat16])
def test_floats_of_other_sizes_are_read(saved: Path, kind: torch.dtype) -> None:
    weights = saved.with_suffix(".safetensors")
    tensors = {name: one.to(kind) for name, one in load_file(weights).items()}
    save_file(tensors, weights)
    change(saved, weights_sha256=hashlib.sha256(weights.read_bytes()).hexdigest())
    _, read = load_weights(saved)
    assert all(np.array_equal(read[name], one.float().numpy()) for name, one in tensors.items())
    save_file({**tensors, "final.bias": torch.full((2,), 1e300, dtype=torch.float64)}, weights)
    change(saved, weights_sha256=hashlib.sha256(weights.read_bytes()).hexdigest())
    with pytest.raises(CardRefused, match="hold a number that is none"):
        load_weights(saved)


@pytest.mark.parametrize("spoil", [lambda one: one * float("nan"), lambda one: one.int()])
def test_weights_that_are_no_numbers_are_refused(saved: Path, spoil: Callable[[torch.Tensor], torch.Tensor]) -> None:
    weights = saved.with_suffix(".safetensors")
    tensors = load_file(weights)
    save_file({**tensors, "final.weight": spoil(tensors["final.weight"])}, weights)
    change(saved, weights_sha256=hashlib.sha256(weights.read_bytes()).hexdigest())
    with pytest.raises(CardRefused, match="hold a number that is none"):
        load_weights(saved)
