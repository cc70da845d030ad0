"""Devices by name: which one computes. torch, which takes seconds to import, is asked only where a GPU may be there."""

import sys
from pathlib import Path

AUTO, CPU, CUDA = "auto", "cpu", "cuda"
# One of these is there where a driver for GPUs that torch computes on is: NVIDIA's, AMD's, Windows' beneath Linux.
DRIVERS = (Path("/dev/nvidiactl"), Path("/dev/kfd"), Path("/dev/dxg"))
# Units that multiply integers of 8 bits and sum up in 32, as Linux names them. Older ones sum up in 16, and overflow.
INTEGER_UNITS = {"avx512_vnni", "avx_vnni", "amx_int8"}
PROCESSOR_INFO = Path("/proc/cpuinfo")


class DeviceRefused(ValueError):
    """A device that is not there; the message is a sentence."""


def device_of(name: str = AUTO, rank: int = 0) -> str:
    """The device of a name ("auto", "cpu", "cuda", "cuda:1") as "cpu" or "cuda:N"; "auto" and "cuda" give GPU `rank`
    where there are any.

    Raises DeviceRefused with a sentence.
    """
    kind, _, number = name.partition(":")
    if name == CPU or (name == AUTO and not (_driver_there() and _gpus())):
        return CPU
    if name not in (AUTO, CUDA) and not (kind == CUDA and number.isdecimal()):
        raise DeviceRefused(f"There is no device {name!r}; give auto, cpu, cuda or cuda:1.")
    index = int(number) if number else rank
    if index >= _gpus():
        raise DeviceRefused(f"This machine has no GPU for {name!r}; give --device cpu, or leave it out.")
    return f"{CUDA}:{index}"


def has_integer_units() -> bool:
    """Whether the processor multiplies integers of 8 bits without loss (VNNI, AMX); known on Linux alone."""
    try:
        lines = PROCESSOR_INFO.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return False
    flags = next((line for line in lines if line.startswith("flags")), "")
    return bool(INTEGER_UNITS & set(flags.partition(":")[2].split()))


def _driver_there() -> bool:
    return sys.platform != "linux" or any(path.exists() for path in DRIVERS)


def _gpus() -> int:
    import torch

    return torch.cuda.device_count() if torch.cuda.is_available() else 0
