"""torch off the processor, without a GPU: the device "meta", of shapes without numbers, shows where things go."""

from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest
import torch

from inference import predict
from inference.networks import torch_engine
from inference.networks.torch_engine import TorchEngine
from inference.predict import Predictor
from inference.segmenting.algorithms import CARD, DEFAULT, SHIPPED


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> TorchEngine:
    """The engine of the weights that ship, on a device that is not the processor."""
    monkeypatch.setattr(predict, "device_of", lambda asked: "meta")
    monkeypatch.setattr(torch_engine, "autocast", lambda device, precision: nullcontext())  # "meta" has none
    engine: Any = Predictor(SHIPPED / f"{DEFAULT}{CARD}", "cuda").runner.engine
    assert isinstance(engine, TorchEngine)
    return engine


def test_network_and_slices_go_to_the_device_together(elsewhere: TorchEngine) -> None:
    assert {one.device.type for one in elsewhere.network.state_dict().values()} == {"meta"}
    taken: list[str] = []
    elsewhere.network.register_forward_pre_hook(lambda _, given: taken.append(given[0].device.type))
    slices = np.zeros((5, 256, 192), np.uint8)
    for seen in (slices, slices[:, :, ::-1]):
        logits = elsewhere.logits(seen)
        assert (logits.device.type, logits.dtype, tuple(logits.shape)) == ("meta", torch.float32, (5, 2, 256, 192))
    assert taken == ["meta", "meta"]


def test_the_switches_for_repeated_arithmetic_are_set_back(elsewhere: TorchEngine) -> None:
    seen: list[bool] = []
    elsewhere.network.register_forward_hook(lambda *_: seen.append(torch.are_deterministic_algorithms_enabled()))
    before = torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic
    elsewhere.logits(np.zeros((1, 32, 32), np.uint8))
    assert seen == [True]
    assert not torch.are_deterministic_algorithms_enabled()
    assert (torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic) == before
