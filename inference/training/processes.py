"""The processes that train together (torchrun starts them); one alone without."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, distributed

from inference.networks.devices import device_of


@dataclass(frozen=True)
class World:
    """Which of how many processes this is, and where it computes."""

    rank: int
    size: int
    device: torch.device

    @property
    def leads(self) -> bool:
        """Whether this process writes and talks."""
        return self.rank == 0

    def total(self, values: Tensor) -> Tensor:
        """The sum of all processes' values, in each."""
        if self.size > 1:
            distributed.all_reduce(values)
        return values

    def wait(self) -> None:
        """Go on when all processes are here."""
        if self.size > 1:
            distributed.barrier()


@contextmanager
def joined(device: str) -> Iterator[World]:
    """Join the other processes of torchrun (each takes the GPU of its local rank); raises DeviceRefused."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    chosen = torch.device(device_of(device, int(os.environ.get("LOCAL_RANK", "0"))))
    if size == 1:
        yield World(0, 1, chosen)
        return
    distributed.init_process_group("nccl" if chosen.type == "cuda" else "gloo")
    try:
        if chosen.type == "cuda":
            torch.cuda.set_device(chosen)
        yield World(distributed.get_rank(), size, chosen)
    finally:
        distributed.destroy_process_group()
