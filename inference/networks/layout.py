"""The order in which gradients lie in memory."""

from typing import Any

import torch
from torch import Tensor


def gathered(values: Tensor) -> Tensor:
    """The values as they are; their gradient comes back with all channels of a pixel side by side.

    Joining two tensors gives each a gradient that is a strip of the whole, and what runs slowly over strips (bilinear
    upsampling above all) took a sixth of a training step on a CPU.
    """
    joined: Tensor = _Gathered.apply(values)  # type: ignore[no-untyped-call]
    return joined


class _Gathered(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, values: Tensor) -> Tensor:
        return values.view_as(values)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        return gradients[0].contiguous(memory_format=torch.channels_last)
