"""The study's 2D U-Net."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from inference.networks.layout import gathered
from inference.networks.normalisation import SharedBatchNorm
from inference.networks.shapes import LEVELS


class UNet(nn.Module):
    """The 2D U-Net of "Automatic CT Quantification of Coronavirus Disease 2019 pneumonia" (rs-48290/v1, 2020).

    Initial convolutions, four encoders (each halves the side and doubles the channels), four decoders (bilinear
    upsampling, then concatenation with the encoder's output of that side), a final 1 x 1 convolution; every other
    convolution is 3 x 3 with batch normalisation and ReLU, two in a row at each level; He initialisation. `width` is
    the number of channels of the first level. Input (n, 1, y, x) in 0..1, sides multiples of 16; output (n, outputs, y,
    x) as logits: their sigmoid is the study's output, one channel for each label. With outputs ("lesion",) it is the
    study's; with ("lung", "lesion") one encoder and decoder serve both.
    """

    def __init__(self, width: int, outputs: Sequence[str]) -> None:
        super().__init__()
        if not 1 <= width <= 256:
            raise ValueError(f"The width of the network must be 1 to 256 channels, not {width}.")
        if not outputs or len(set(outputs)) != len(outputs):
            raise ValueError("The network needs at least one output, each with a name of its own.")
        self.width, self.outputs = width, tuple(outputs)
        channels = [width * 2**level for level in range(LEVELS + 1)]
        self.initial = _convolutions(1, width)
        self.encoders = nn.ModuleList(_convolutions(channels[n], channels[n + 1]) for n in range(LEVELS))
        self.decoders = nn.ModuleList(
            _convolutions(channels[n + 1] + channels[n], channels[n]) for n in reversed(range(LEVELS))
        )
        self.final = nn.Conv2d(width, len(outputs), 1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    @classmethod
    def of_weights(cls, outputs: Sequence[str], weights: Mapping[str, NDArray[np.float32]]) -> Self:
        """The network of weights that fit it (`inference.networks.weights`), in evaluation mode on the CPU."""
        network = cls(len(weights["initial.0.weight"]), outputs)
        network.load_state_dict({name: torch.tensor(one) for name, one in weights.items()}, strict=False)
        return network.eval()

    def weights(self) -> dict[str, NDArray[Any]]:
        """Its weights by name, as they are saved."""
        state = self.state_dict()
        # How many batches were seen serves training alone.
        return {name: one.cpu().numpy() for name, one in state.items() if not name.endswith("num_batches_tracked")}

    def forward(self, slices: Tensor) -> Tensor:
        """Logits for slices, as the class says."""
        values = self.initial(slices)
        kept = []
        for encoder in self.encoders:
            kept.append(values)
            values = encoder(functional.max_pool2d(values, 2))
        for decoder, beside in zip(self.decoders, reversed(kept), strict=True):
            larger = functional.interpolate(values, scale_factor=2.0, mode="bilinear", align_corners=False)
            values = decoder(torch.cat([beside, gathered(larger)], dim=1))
        logits: Tensor = self.final(values)
        return logits


def fused(network: UNet) -> UNet:
    """The network for evaluation alone, each normalisation worked into the convolution before it: the same but for
    rounding, and a sixth quicker."""
    copy = deepcopy(network).eval()
    for part in (copy.initial, *copy.encoders, *copy.decoders):
        assert isinstance(part, nn.Sequential)
        for place in range(0, len(part), 3):
            convolution, normalisation = part[place], part[place + 1]
            assert isinstance(convolution, nn.Conv2d)
            assert isinstance(normalisation, nn.BatchNorm2d)
            part[place], part[place + 1] = fuse_conv_bn_eval(convolution, normalisation), nn.Identity()
    return copy


def _convolutions(into: int, out: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for channels in (into, out):
        # The normalisation that follows has a bias of its own.
        layers += [nn.Conv2d(channels, out, 3, padding=1, bias=False), SharedBatchNorm(out), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)
