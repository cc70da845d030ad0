"""A network run over slices, as many at once as memory holds."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from inference.networks.devices import autocast

BATCH_CPU, BATCH_GPU = 4, 32


class MemoryShort(RuntimeError):
    """Memory does not suffice for even one slice; the message is a sentence."""


def default_batch(device: torch.device) -> int:
    """How many slices at once a device begins with."""
    return BATCH_GPU if device.type == "cuda" else BATCH_CPU


def as_input(images: NDArray[np.uint8], device: torch.device) -> Tensor:
    """Slices (uint8, n x y x x) as a network takes them: (n, 1, y, x) in 0..1, channels last."""
    slices = torch.from_numpy(np.ascontiguousarray(images)).to(device, non_blocking=True)
    return (slices[:, None].float() / 255).contiguous(memory_format=torch.channels_last)


class Runner:
    """Runs a network in evaluation mode; where memory runs out the batch is halved and stays so.

    `mirrored`: probabilities are the mean of those of each slice and of its mirror image, which has no side to it.
    """

    def __init__(
        self,
        network: nn.Module,
        device: torch.device,
        precision: str,
        batch: int | None = None,
        *,
        mirrored: bool = False,
    ) -> None:
        self.network = network.to(device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
        self.device, self.precision = device, precision
        self.batch = batch or default_batch(device)
        self.mirrored = mirrored

    def logits(self, images: NDArray[np.uint8]) -> Tensor:
        """Logits (float32 on the device; n, outputs, y, x) of slices (uint8, n x y x x), batch by batch.

        Raises MemoryShort where one slice alone is too much.
        """
        parts: list[Tensor] = []
        done = 0
        while done < len(images):
            batch = images[done : done + self.batch]
            part = self._attempt(batch)
            if part is None:
                if self.batch == 1:
                    raise MemoryShort("Memory does not suffice for a single slice; free some, or use another device.")
                self.batch = max(self.batch // 2, 1)
                continue
            parts.append(part)
            done += len(batch)
        return torch.cat(parts)

    def probabilities(
        self, batches: Iterable[NDArray[np.uint8]], told: Callable[[int], None] = lambda slices: None
    ) -> Iterator[NDArray[np.float32]]:
        """For each batch of slices (uint8, n x y x x) the probabilities (float32; n, outputs, y, x)."""
        for images in batches:
            found = torch.sigmoid(self.logits(images))
            if self.mirrored:
                found = (found + torch.sigmoid(self.logits(images[:, :, ::-1])).flip(3)) / 2
            yield found.cpu().numpy()
            told(len(images))

    def _attempt(self, images: NDArray[np.uint8]) -> Tensor | None:
        """The logits of one batch, or None where memory ran out."""
        try:
            with torch.inference_mode(), autocast(self.device, self.precision):
                logits: Tensor = self.network(as_input(images, self.device)).float()
            return logits
        except torch.OutOfMemoryError:
            torch.cuda.empty_cache()
        except RuntimeError as error:  # the CPU's allocator has no error of its own
            if "can't allocate memory" not in str(error):
                raise
        return None
