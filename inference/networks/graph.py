"""The U-Net of some weights as a graph of OpenVINO, in 32-bit floats or in 8-bit integers.

Activations become integers without any data (after Nagel et al., "Data-Free Quantization Through Weight Equalization
and Bias Correction", ICCV 2019): what leaves a normalisation has the mean and deviation that it was given, channel by
channel, so that its highest value is known well enough. Each channel is divided by it and the next convolution
multiplied, which a ReLU, pooling, upsampling and joining let through; then all activations lie in 0..1, as slices do,
and one step of 1/255 fits every channel.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.networks.openvino import opset13, ov
from inference.networks.shapes import LEVELS
from inference.networks.weights import Weights

# torch's.
NORMALISATION_EPSILON = 1e-5
# Values further above a channel's mean are cut off. Masks of real scans are as good with 9 to 16, and worse with 6.
HIGHEST_SD = 10.0
# Of the highest channel: below, a channel is nought but for noise.
LOWEST_RANGE = 1e-3
# What may be divided by.
SMALLEST = 1e-30
LEVELS_ACTIVATION, LEVELS_WEIGHT = 256, 255

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Convolution:
    """A 3 x 3 convolution with its normalisation worked in (float32; out, in, y, x), and its bias."""

    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Plan:
    """What a graph is drawn from, whatever the shape of its slices: the convolutions by block and place in it."""

    convolutions: dict[tuple[str, int], Convolution]
    last: Convolution
    integers: bool


def plan_of(weights: Weights, *, integers: bool) -> Plan:
    """The plan of some weights; with `integers` the convolutions are to be computed in 8 bits, all but the last."""
    convolutions: dict[tuple[str, int], Convolution] = {}

    def block(name: str, entering: Floats) -> Floats:
        """Plan two convolutions of values divided by `entering`; returns by what the values that leave are divided."""
        for place in (0, 3):
            kernel, bias, highest = folded(weights, f"{name}.{place}", f"{name}.{place + 1}")
            leaving = highest if integers else np.ones_like(highest)
            kernel *= (entering[None, :] / leaving[:, None])[:, :, None, None]
            convolutions[name, place] = Convolution(kernel.astype(np.float32), (bias / leaving).astype(np.float32))
            entering = leaving
        return entering

    scales = [block("initial", np.ones(1))]
    for level in range(LEVELS):
        scales.append(block(f"encoders.{level}", scales[-1]))
    scale = scales.pop()
    for level in range(LEVELS):
        scale = block(f"decoders.{level}", np.concatenate([scales.pop(), scale]))
    last = weights["final.weight"] * scale.astype(np.float32)[None, :, None, None]
    return Plan(convolutions, Convolution(last, weights["final.bias"]), integers)


def folded(weights: Weights, convolution: str, normalisation: str) -> tuple[Floats, Floats, Floats]:
    """The kernel (float64; out, in, y, x) and bias of a convolution with the normalisation after it, and the highest
    value of each channel that it gives."""
    scale, shift, mean, variance = (
        weights[f"{normalisation}.{part}"].astype(np.float64)
        for part in ("weight", "bias", "running_mean", "running_var")
    )
    factor = scale / np.sqrt(variance + NORMALISATION_EPSILON)
    highest = np.maximum(shift + HIGHEST_SD * np.abs(scale), 0)
    highest = np.maximum(highest, LOWEST_RANGE * highest.max() + SMALLEST)
    kernel = weights[f"{convolution}.weight"] * factor[:, None, None, None]
    return kernel, shift - mean * factor, highest


def unet_graph(plan: Plan, shape: Sequence[int]) -> Any:
    """The network as an `openvino.Model`: slices (float32; n, 1, y, x) in 0..1 to probabilities (n, outputs, y, x)."""
    slices = opset13.parameter(list(shape), ov.Type.f32, name="slices")
    values = _block(plan, "initial", _stepped(plan, slices))
    kept = []
    for level in range(LEVELS):
        kept.append(values)
        halved = opset13.max_pool(values, [2, 2], [1, 1], [0, 0], [0, 0], [2, 2]).output(0)
        values = _block(plan, f"encoders.{level}", halved)
    for level in range(LEVELS):
        joined = opset13.concat([kept.pop(), _stepped(plan, _doubled(values))], 1)
        values = _block(plan, f"decoders.{level}", joined)
    logits = _convolved(values, opset13.constant(plan.last.kernel), plan.last.bias, 0)
    return ov.Model([opset13.sigmoid(logits)], [slices], "unet-2d")


def _block(plan: Plan, name: str, values: Any) -> Any:
    for place in (0, 3):
        convolution = plan.convolutions[name, place]
        convolved = _convolved(values, _kernel(plan, convolution.kernel), convolution.bias, 1)
        values = _stepped(plan, opset13.relu(convolved))
    return values


def _stepped(plan: Plan, values: Any) -> Any:
    """Values in steps of 1/255, where integers are computed."""
    if not plan.integers:
        return values
    low, high = np.float32(0), np.float32(1)
    return opset13.fake_quantize(values, low, high, low, high, LEVELS_ACTIVATION)


def _kernel(plan: Plan, kernel: NDArray[np.float32]) -> Any:
    constant = opset13.constant(kernel)
    if not plan.integers:
        return constant
    highest = np.maximum(np.abs(kernel).max(axis=(1, 2, 3), keepdims=True), np.float32(SMALLEST))
    return opset13.fake_quantize(constant, -highest, highest, -highest, highest, LEVELS_WEIGHT)


def _convolved(values: Any, kernel: Any, bias: NDArray[np.float32], padding: int) -> Any:
    sides = [padding, padding]
    convolved = opset13.convolution(values, kernel, [1, 1], sides, sides, [1, 1])
    return opset13.add(convolved, opset13.constant(bias[None, :, None, None]))


def _doubled(values: Any) -> Any:
    """Twice the side, bilinear, as torch does without aligned corners."""
    return opset13.interpolate(
        values,
        np.array([2.0, 2.0], np.float32),
        "linear_onnx",
        "scales",
        coordinate_transformation_mode="half_pixel",
        axes=np.array([2, 3]),
    )
