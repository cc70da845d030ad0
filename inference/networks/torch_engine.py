"""torch computes: on GPUs, and in training everywhere."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from inference.networks.precision import autocast, deterministic
from inference.networks.running import OutOfMemory

BATCH_CPU, BATCH_GPU = 4, 32


def as_input(images: NDArray[np.uint8], device: torch.device) -> Tensor:
    """Slices (uint8, n x y x x) as a network takes them: (n, 1, y, x) in 0..1, channels last."""
    slices = torch.from_numpy(np.ascontiguousarray(images)).to(device, non_blocking=True)
    return (slices[:, None].float() / 255).contiguous(memory_format=torch.channels_last)


class TorchEngine:
    """A network of torch in evaluation mode. The same slices give the same output, bit for bit, on one device."""

    def __init__(self, network: nn.Module, device: torch.device, precision: str) -> None:
        self.network = network.to(device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
        self.torch_device, self.device, self.precision = device, str(device), precision
        self.usual_batch = BATCH_GPU if device.type == "cuda" else BATCH_CPU

    def probabilities(self, images: NDArray[np.uint8], *, mirrored: bool) -> NDArray[np.float32]:
        """As `Engine` says."""
        found = torch.sigmoid(self.logits(images))
        if mirrored:
            found = (found + torch.sigmoid(self.logits(images[:, :, ::-1])).flip(3)) / 2
        return found.cpu().numpy()

    def logits(self, images: NDArray[np.uint8]) -> Tensor:
        """Logits (float32 on the device; n, outputs, y, x) of slices (uint8, n x y x x); raises OutOfMemory."""
        device = self.torch_device
        try:
            with deterministic(device), torch.inference_mode(), autocast(device, self.precision):
                logits: Tensor = self.network(as_input(images, device)).float()
            return logits
        except torch.OutOfMemoryError as error:
            torch.cuda.empty_cache()
            raise OutOfMemory from error
        except RuntimeError as error:  # the CPU's allocator has no error of its own
            if "can't allocate memory" not in str(error):
                raise
            raise OutOfMemory from error
