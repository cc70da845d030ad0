"""Sums over the processes that train together, through which gradients flow."""

from typing import Any

import torch
from torch import Tensor, distributed


def together() -> int:
    """How many processes train together; 1 where none were joined."""
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


def summed(values: Tensor) -> Tensor:
    """The sum of all processes' values, in each of them; the gradient is summed alike."""
    total: Tensor = _Sum.apply(values) if together() > 1 else values  # type: ignore[no-untyped-call]
    return total


class _Sum(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, values: Tensor) -> Tensor:
        total = values.clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].contiguous().clone()
        distributed.all_reduce(total)
        return total
