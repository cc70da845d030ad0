"""The network alone on a GPU: `python -m tests.bench.gpu [--slices 248] [--device cuda]`.

Seconds from slices in main memory to their probabilities there, mirrored as scans are segmented, for slices seen whole
(of a real scan three quarters are cut to the lungs), and the share of the GPU's peak in bf16 that it reaches. `--device
cpu` tries the command out.
"""

import argparse
import time

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from inference.networks.precision import mixed_precision
from inference.networks.running import Runner
from inference.networks.torch_engine import TorchEngine, as_input
from inference.networks.unet import UNet, fused
from inference.networks.weights import load_weights
from inference.segmenting.algorithms import CARD, DEFAULT, SHIPPED

RUNS = 7
# Without sparsity, as their data sheets say.
PEAK_BF16_TFLOPS = {"H200": 989.4, "H100": 989.4, "A100": 312.0, "L40S": 362.1}


def main() -> None:
    """Print the seconds and the share of peak for some batches."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slices", type=int, default=248)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--batches", type=int, nargs="+", default=[16, 32, 64, 128])
    chosen = parser.parse_args()
    device = torch.device(chosen.device)
    card, weights = load_weights(SHIPPED / f"{DEFAULT}{CARD}")
    network = fused(UNet.of_weights(card.labels, weights))
    images = np.random.default_rng(0).integers(0, 256, (chosen.slices, card.look.size, card.look.size)).astype(np.uint8)
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        network(as_input(images[:1], torch.device("cpu")))
    flop = counter.get_total_flops() * 2 * chosen.slices
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "processor"
    peak = next((peak for part, peak in PEAK_BF16_TFLOPS.items() if part in name), None)
    engine = TorchEngine(network, device, mixed_precision(device))
    print(f"{name}, {engine.precision}, {chosen.slices} slices and their mirror images: {flop / 1e12:.2f} TFLOP")
    for batch in chosen.batches:
        times = []
        for _ in range(RUNS):
            began = time.perf_counter()
            parts = [images[start : start + batch] for start in range(0, len(images), batch)]
            assert sum(len(found) for found in Runner(engine, batch, mirrored=True).probabilities(parts)) == len(images)
            times.append(time.perf_counter() - began)
        seconds = sorted(times)[RUNS // 2]
        speed = flop / seconds / 1e12
        share = f", {speed / peak:.1%} of peak" if peak else ""
        print(f"  batches of {batch}: {seconds:.3f} s (first {times[0]:.2f}), {speed:.1f} TFLOPS{share}")


if __name__ == "__main__":
    main()
