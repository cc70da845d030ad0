"""Random changes to training slices, as scanners, reconstructions and windows differ: shape, grey, sharpness, noise.

Each change follows from the seed, the epoch and the slice alone, so that the number of processes changes nothing.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

Planes = tuple[NDArray[np.uint8], ...]


@dataclass(frozen=True)
class Augmentation:
    """How far slices are changed; 0 leaves a change out.

    Rotation in degrees either way, scale and shift as fractions, mirroring left to right by chance (`mirror`), gamma
    as exponents within exp(+-gamma), contrast and brightness as fractions of the range, noise and blur at their most
    (SD as fraction of the range; SD in pixels), sharpening likewise.
    """

    mirror: float = 0.5
    rotation_degrees: float = 20.0
    scale: float = 0.35
    shift: float = 0.1
    gamma: float = 0.5
    contrast: float = 0.4
    brightness: float = 0.2
    noise: float = 0.1
    blur_px: float = 1.5
    sharpen: float = 1.5


NONE = Augmentation(*([0.0] * 10))


def augmented(
    image: NDArray[np.uint8], masks: Planes, amount: Augmentation, random: np.random.Generator
) -> tuple[NDArray[np.uint8], Planes]:
    """A slice (uint8, size x size) and its masks (0 and 1, same shape), changed alike in shape; grey of the slice
    alone. What comes in from outside the slice is black and no lesion."""
    if amount == NONE:
        return image, masks
    matrix = _matrix(image.shape[0], amount, random)
    image = _moved(image, matrix, Image.Resampling.BILINEAR)
    masks = tuple(_moved(mask, matrix, Image.Resampling.NEAREST) for mask in masks)
    if random.random() < amount.mirror:
        image, masks = image[:, ::-1], tuple(mask[:, ::-1] for mask in masks)
    return np.ascontiguousarray(_regreyed(image, amount, random)), tuple(map(np.ascontiguousarray, masks))


def _matrix(size: int, amount: Augmentation, random: np.random.Generator) -> tuple[float, ...]:
    """From places of the new slice to places of the old one, about the middle (Pillow's six numbers)."""
    angle = np.radians(random.uniform(-amount.rotation_degrees, amount.rotation_degrees))
    scale = np.exp(random.uniform(-1, 1) * np.log1p(amount.scale))
    shift = random.uniform(-amount.shift, amount.shift, 2) * size
    a, b = np.cos(angle) / scale, np.sin(angle) / scale
    middle = size / 2
    return (
        float(a),
        float(b),
        float(middle + shift[0] - (a + b) * middle),
        float(-b),
        float(a),
        float(middle + shift[1] - (a - b) * middle),
    )


def _moved(plane: NDArray[np.uint8], matrix: tuple[float, ...], by: Image.Resampling) -> NDArray[np.uint8]:
    picture = Image.fromarray(plane)
    return np.asarray(picture.transform(picture.size, Image.Transform.AFFINE, matrix, resample=by))


def _regreyed(image: NDArray[np.uint8], amount: Augmentation, random: np.random.Generator) -> NDArray[np.uint8]:
    grey = image.astype(np.float32) / 255
    # Drawn in any case, so that one change more or less moves no other.
    gamma, contrast, brightness, noise, soft, sharp = random.uniform(-1, 1, 6)
    grey = grey ** np.float32(np.exp(gamma * amount.gamma))
    grey = (grey - 0.5) * np.float32(1 + contrast * amount.contrast) + np.float32(0.5 + brightness * amount.brightness)
    if soft > 0.5 and amount.blur_px:
        grey = ndimage.gaussian_filter(grey, (soft - 0.5) * 2 * amount.blur_px)
    elif sharp > 0.5 and amount.sharpen:
        grey += np.float32((sharp - 0.5) * 2 * amount.sharpen) * (grey - ndimage.gaussian_filter(grey, 1.0))
    if noise > 0 and amount.noise:
        grey += random.standard_normal(grey.shape, dtype=np.float32) * np.float32(noise * amount.noise)
    return (np.clip(grey, 0, 1) * 255 + 0.5).astype(np.uint8)
