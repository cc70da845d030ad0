"""Batch normalisation that several processes share, so that they compute what one alone would, on any device.

torch's own (`SyncBatchNorm`) works on GPUs alone.
"""

import torch
from torch import Tensor, nn

from inference.networks.sharing import summed, together


class SharedBatchNorm(nn.BatchNorm2d):
    """`nn.BatchNorm2d` whose mean and variance in training are those of the slices of all processes together.

    All processes must have the same number of values. Its weights are those of nn.BatchNorm2d, by the same names.
    """

    def forward(self, values: Tensor) -> Tensor:
        """Normalise (n, c, y, x) over n, y and x (Ioffe & Szegedy 2015)."""
        world = together()
        if not self.training or world == 1:
            return super().forward(values)
        single = values.float()
        moments = torch.stack([single.mean((0, 2, 3)), single.square().mean((0, 2, 3))])
        mean, square = summed(moments) / world
        variance = (square - mean.square()).clamp_min(0)
        with torch.no_grad():
            count = values.numel() // values.shape[1] * world
            assert self.running_mean is not None
            assert self.running_var is not None
            assert self.momentum is not None
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * (count / max(count - 1, 1)), self.momentum)
            assert self.num_batches_tracked is not None
            self.num_batches_tracked += 1
        scale = self.weight * (variance + self.eps).rsqrt()
        shift = self.bias - mean * scale
        return (single * scale[:, None, None] + shift[:, None, None]).to(values.dtype)
