"""Devices: which one computes, and in which precision it does so best."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import torch

AUTO = "auto"
SINGLE, BRAIN, HALF = "fp32", "bf16", "fp16"
TYPES = {SINGLE: torch.float32, BRAIN: torch.bfloat16, HALF: torch.float16}


class DeviceRefused(ValueError):
    """A device that is not there; the message is a sentence."""


def device_of(name: str = AUTO, rank: int = 0) -> torch.device:
    """The device of a name ("auto", "cpu", "cuda", "cuda:1"); "auto" and "cuda" give GPU `rank` where there are any.

    Raises DeviceRefused with a sentence.
    """
    there = torch.cuda.is_available()
    if name == "cpu" or (name == AUTO and not there):
        return torch.device("cpu")
    try:
        device = torch.device("cuda" if name == AUTO else name)
    except RuntimeError as error:
        raise DeviceRefused(f"There is no device {name!r}; give auto, cpu, cuda or cuda:1.") from error
    if device.type != "cuda":
        raise DeviceRefused(f"There is no device {name!r}; give auto, cpu, cuda or cuda:1.")
    index = rank if device.index is None else device.index
    if not there or index >= torch.cuda.device_count():
        raise DeviceRefused(f"This machine has no GPU for {name!r}; give --device cpu, or leave it out.")
    return torch.device("cuda", index)


def mixed_precision(device: torch.device) -> str:
    """The fastest precision that is safe on a device: bf16 where it computes in it, fp16 on older GPUs, else fp32."""
    if device.type == "cuda":
        return BRAIN if torch.cuda.is_bf16_supported(including_emulation=False) else HALF
    # Without these units a CPU emulates bf16, slower than fp32.
    return BRAIN if torch.cpu.get_capabilities().get("amx_bf16", False) else SINGLE


def autocast(device: torch.device, precision: str) -> AbstractContextManager[None]:
    """Where convolutions run in `precision`."""
    return torch.autocast(device.type, dtype=TYPES[precision], enabled=precision != SINGLE)


@contextmanager
def deterministic(device: torch.device) -> Iterator[None]:
    """Where the same input gives the same output, bit for bit, on one device.

    What the networks here compute repeats itself on a CPU as it is; torch's own switch takes seconds to load there.
    """
    if device.type == "cpu":
        yield
        return
    before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    cudnn = torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = False, True
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])
        torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = cudnn
