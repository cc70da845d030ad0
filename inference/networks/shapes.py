"""Which tensors the U-Net has, by name and shape, without building it."""

from collections.abc import Iterator, Sequence

LEVELS = 4
Shapes = dict[str, tuple[int, ...]]


def tensor_shapes(width: int, outputs: Sequence[str]) -> Shapes:
    """The shape of each tensor of the weights of `inference.networks.unet.UNet`, by its name there."""
    channels = [width * 2**level for level in range(LEVELS + 1)]
    shapes = dict(_pair("initial", 1, width))
    for level in range(LEVELS):
        shapes |= dict(_pair(f"encoders.{level}", channels[level], channels[level + 1]))
        below, beside = channels[LEVELS - level], channels[LEVELS - level - 1]
        shapes |= dict(_pair(f"decoders.{level}", below + beside, beside))
    return shapes | {"final.weight": (len(outputs), width, 1, 1), "final.bias": (len(outputs),)}


def _pair(name: str, into: int, out: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Two convolutions in a row, each with its normalisation."""
    for place, channels in ((0, into), (3, out)):
        yield f"{name}.{place}.weight", (out, channels, 3, 3)
        for part in ("weight", "bias", "running_mean", "running_var"):
            yield f"{name}.{place + 1}.{part}", (out,)
