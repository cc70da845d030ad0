"""A scan through a network: the volume seen as the weights' card says, lungs and lesion on the scan's own grid."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.baseline import Segmentation
from inference.baseline import segment as segment_classically
from inference.baseline.gut_gas import without_gut_gas
from inference.baseline.segment import LESION, Progress
from inference.baseline.sides import split_lung
from inference.imaging.findings import SeriesRefused
from inference.imaging.volume import Volume
from inference.measures.uncertainty import dice_uncertainty, smoothing_voxels
from inference.networks.cards import Card
from inference.networks.devices import CPU, device_of
from inference.networks.drawing import Drawn, bridge_along_z, draw, smooth_along_z
from inference.networks.processor import engine_of
from inference.networks.running import Engine, MemoryShort, Runner
from inference.networks.stacks import See, stack_probabilities
from inference.networks.weights import Weights, load_weights
from inference.transforms.looks import resized

# SD of the blending of slices (chosen on tuning patients, and by how little masks waver in scans of thin slices); where
# nothing is known of the distance of slices, in slices.
SMOOTHING_MM, SMOOTHING_SLICES = 1.5, 0.7
# The longest gap along z in which dense lung is drawn that the network lost (15 mm leaks into the mediastinum).
BRIDGED_MM = 10.0


class Predictor:
    """Weights ready to segment scans on a device.

    The same scan gives the same masks on one device, bit for bit, unless memory ran out and the batch was halved.
    """

    def __init__(self, card_path: Path, device: str = "auto", batch: int | None = None) -> None:
        """Load weights; raises CardRefused and DeviceRefused with a sentence."""
        self.card, weights = load_weights(card_path)
        self.device = device_of(device)
        self.runner = Runner(_engine(self.card, weights, self.device), batch, mirrored=True)

    @property
    def draws_lung(self) -> bool:
        """Whether the network draws the lungs itself; else the classical baseline does, from Hounsfield units."""
        return "lung" in self.card.labels

    def options(self) -> dict[str, Any]:
        """What shaped a result beside the weights."""
        return {
            "threshold": self.card.threshold,
            "precision": self.runner.engine.precision,
            "mirrored": self.runner.mirrored,
            "smoothing_mm": SMOOTHING_MM,
            "bridged_mm": BRIDGED_MM,
            "gut_gas": "left out",
        }

    def segment(self, volume: Volume, tell: Progress) -> Segmentation:
        """Segment a scan; raises SeriesRefused where memory does not suffice for one slice.

        Slices are turned for the network so that the patient's left is right in the picture and the back is down.
        """
        try:
            return self._segment(volume, tell)
        except MemoryShort as error:
            raise SeriesRefused("memory", str(error)) from error

    def masks_of(
        self, pictures: NDArray[np.uint8], lung: NDArray[np.bool_]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Lung and lesion (bool zyx) of slices that already look as the card says (uint8, z x size x size).

        `lung` (bool zyx) is taken where the network draws lesion alone.
        """
        drawn = self._of_stack(lambda z: pictures[z], len(pictures), lung, None, lambda part: None)
        return drawn.lung > self.card.threshold, drawn.lesion > self.card.threshold

    def _segment(self, volume: Volume, tell: Progress) -> Segmentation:
        tell(0.02, "Looking for lungs and lesions")
        lung = None
        if not self.draws_lung:
            lung = segment_classically(volume).anatomy
            if not lung.any():
                tell(1.0, "No lung found")
                return Segmentation(lung, np.zeros_like(lung))
        planes, lungs = _turned(volume.hu, volume), None if lung is None else _turned(lung, volume)
        drawn = self._drawn(volume, planes, lungs, tell)
        tell(0.85, "Drawing masks")
        inside, ill = (_native(layer, planes.shape, self.card.threshold) for layer in (drawn.lung, drawn.lesion))
        findings = np.where(inside & ill, np.uint8(LESION), np.uint8(0)) if self.draws_lung else ill.astype(np.uint8)
        findings = np.ascontiguousarray(_turned(findings, volume, back=True))
        if lung is None:
            inside = np.ascontiguousarray(_turned(inside, volume, back=True))
            if volume.has_hu and volume.has_spacing:
                inside = without_gut_gas(volume, inside)
            lung = split_lung(inside, volume.affine_lps, volume.spacing_zyx_mm)
        findings[lung == 0] = 0
        tell(1.0, "Done")
        return Segmentation(lung, findings, self._uncertainty(drawn, volume, planes.shape))

    def _uncertainty(self, drawn: Drawn, volume: Volume, shape_zyx: tuple[int, ...]) -> float | None:
        """How unsure the network is of the lesion, on its own grid inside the lung; None where it found no lung."""
        inside = drawn.lung > self.card.threshold
        if not inside.any():
            return None
        lesion = np.where(inside, drawn.lesion, np.float16(0))
        # Slices of the network's grid cover the same ground with other pixels.
        per_pixel = shape_zyx[1] * shape_zyx[2] / self.card.look.size**2
        size_ml = volume.voxel_volume_ml * per_pixel if volume.has_spacing else None
        return dice_uncertainty(lesion, lesion > self.card.threshold, smoothing_voxels(size_ml))

    def _drawn(
        self, volume: Volume, planes: NDArray[np.int16], lungs: NDArray[np.uint8] | None, tell: Progress
    ) -> Drawn:
        look = self.card.look

        def see(z: int) -> NDArray[np.uint8]:
            inside = None if lungs is None else lungs[z] != 0
            return look.of_hu(planes[z], inside) if volume.has_hu else look.of_picture(planes[z], inside)

        known = None if lungs is None else np.stack([look.of_mask(plane) for plane in lungs])
        distance_mm = volume.spacing_zyx_mm[0] if volume.has_spacing else None
        return self._of_stack(
            see, len(planes), known, distance_mm, lambda part: tell(0.02 + 0.83 * part, "Looking for lungs and lesions")
        )

    def _of_stack(
        self,
        see: See,
        count: int,
        lung: NDArray[np.bool_] | None,
        distance_mm: float | None,
        told: Callable[[float], None],
    ) -> Drawn:
        found = stack_probabilities(self.runner, see, count, len(self.card.labels), self.card.look.size, told)
        smooth_along_z(found, SMOOTHING_MM / distance_mm if distance_mm else SMOOTHING_SLICES)
        by_label = {label: found[:, place] for place, label in enumerate(self.card.labels)}
        lesion = by_label.get("lesion", np.zeros_like(found[:, 0]))
        if "lung" in by_label:
            if distance_mm:
                bridge_along_z(by_label["lung"], lesion, self.card.threshold, round(BRIDGED_MM / distance_mm))
            return draw(by_label["lung"], lesion, self.card.threshold)
        assert lung is not None
        return Drawn(lung.astype(np.float16), lesion)


def _engine(card: Card, weights: Weights, device: str) -> Engine:
    if device == CPU:
        return engine_of(card, weights)
    # It takes seconds to import, and only GPUs need it.
    import torch

    from inference.networks.precision import mixed_precision
    from inference.networks.torch_engine import TorchEngine
    from inference.networks.unet import UNet, fused

    there = torch.device(device)
    return TorchEngine(fused(UNet.of_weights(card.labels, weights)), there, mixed_precision(there))


def _native(layer: NDArray[np.float16], shape_zyx: tuple[int, ...], threshold: float) -> NDArray[np.bool_]:
    """Probabilities on the network's grid as a mask on the scan's, linear between voxels."""
    mask = np.zeros(shape_zyx, bool)
    for z, plane in enumerate(layer):
        if plane.any():
            mask[z] = resized(plane.astype(np.float32), (shape_zyx[1], shape_zyx[2])) > threshold
    return mask


def _turned(planes: NDArray[Any], volume: Volume, *, back: bool = False) -> NDArray[Any]:
    """Slices (zyx) with x running to the patient's left and y to the back, as near as it can be; `back` undoes it."""
    in_plane = volume.affine_lps[:2, :2]
    swapped = abs(in_plane[0, 1]) > abs(in_plane[0, 0])
    along_x, along_y = (in_plane[0, 1], in_plane[1, 0]) if swapped else (in_plane[0, 0], in_plane[1, 1])
    flips = tuple(axis for axis, along in ((2, along_x), (1, along_y)) if along < 0)
    if back:
        planes = np.flip(planes, flips)
        return planes.swapaxes(1, 2) if swapped else planes
    return np.flip(planes.swapaxes(1, 2) if swapped else planes, flips)
