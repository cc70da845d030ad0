"""In which precision torch computes on a device, and how it does so the same way each time."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import torch

SINGLE, BRAIN, HALF = "fp32", "bf16", "fp16"
TYPES = {SINGLE: torch.float32, BRAIN: torch.bfloat16, HALF: torch.float16}
BRAIN_UNITS = ("amx_bf16", "avx512_bf16")


def mixed_precision(device: torch.device) -> str:
    """The fastest precision that is safe on a device: bf16 where it computes in it, fp16 on older GPUs, else fp32."""
    if device.type == "cuda":
        return BRAIN if torch.cuda.is_bf16_supported(including_emulation=False) else HALF
    # Without these units a CPU emulates bf16, slower than fp32.
    there = torch.cpu.get_capabilities()
    return BRAIN if any(there.get(unit, False) for unit in BRAIN_UNITS) else SINGLE


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
