"""How fast `groundglass segment` is, files in to files out, by each algorithm; the network of lungmask beside it.

lungmask's R231 (Hofmanninger 2020) is a U-Net of five levels, 64 channels wide at the first, on 256 x 256 slices. Its
time does not depend on its weights, so any do; some slices are timed and counted up to those of the scan. It draws
lungs alone; reading, resampling and writing are not in its figure.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from inference.segmenting.algorithms import names
from tests.bench.figures import Figure, median
from tests.bench.subjects import REAL, say

PEER_SLICES, PEER_BATCH, SIDE = 8, 4, 256


def measure(scan: Path, out: Path, runs: int, weights: str | None) -> dict[str, Any]:
    """Seconds and highest memory of the command for each algorithm, and seconds of the peer's network."""
    raw: dict[str, Any] = {}
    for name in [*names(), *([weights] if weights else [])]:
        for run in range(runs):
            say(f"segment by {name}, {run + 1} of {runs} ...")
            raw.setdefault(name, []).append(_segment(scan, out / f"{Path(name).stem}-{run}", name))
    say("the network of lungmask ...")
    slices = len(list(scan.iterdir()))
    raw["peer_s"] = [_peer_s() * slices / PEER_SLICES for _ in range(runs)]
    return raw


def figures_of(raw: dict[str, Any]) -> list[Figure]:
    """What came of it, in the column of the real scan."""
    lines = []
    for name, runs in raw.items():
        if name == "peer_s":
            lines.append(
                Figure("  network of lungmask R231 alone", "s", {REAL: median(runs)}, note="any weights, fp32")
            )
            continue
        stages = ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in runs[-1]["stage_s"].items())
        plain = Path(name).stem
        lines += [
            Figure(f"groundglass segment, {plain}", "s", {REAL: median([r["s"] for r in runs])}, floor=45, note=stages),
            Figure("  its memory, highest", "GB", {REAL: max(r["peak_bytes"] for r in runs) / 1e9}, floor=3),
        ]
    return lines


def _segment(scan: Path, out: Path, algorithm: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "inference.cli", "segment", str(scan), "--out", str(out)]
    began = time.monotonic()
    child = subprocess.Popen([*command, "--algorithm", algorithm], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    seconds = time.monotonic() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"groundglass segment by {algorithm} failed.")
    report = json.loads((out / "measurements.json").read_text(encoding="utf-8"))
    return {"s": seconds, "peak_bytes": used.ru_maxrss * 1024, "stage_s": report["stage_seconds"]}


def _peer_s() -> float:
    network = Peer().eval()
    batch = torch.rand(PEER_BATCH, 1, SIDE, SIDE)
    with torch.inference_mode():
        network(batch)
        began = time.monotonic()
        for _ in range(PEER_SLICES // PEER_BATCH):
            network(batch)
    return time.monotonic() - began


class Peer(nn.Module):
    """The topology of R231: average pooling, bilinear upsampling followed by a 1 x 1 convolution, three classes."""

    def __init__(self) -> None:
        super().__init__()
        channels = [64, 128, 256, 512, 1024]
        self.down = nn.ModuleList(_block(into, out) for into, out in zip([1, *channels], channels, strict=False))
        self.up = nn.ModuleList(
            nn.Sequential(nn.Upsample(scale_factor=2, mode="bilinear"), nn.Conv2d(2 * n, n, 1))
            for n in channels[-2::-1]
        )
        self.join = nn.ModuleList(_block(2 * n, n) for n in channels[-2::-1])
        self.last = nn.Conv2d(64, 3, 1)

    def forward(self, values: Tensor) -> Tensor:
        kept = []
        for level, block in enumerate(self.down):
            values = block(nn.functional.avg_pool2d(values, 2) if level else values)
            kept.append(values)
        for up, join, beside in zip(self.up, self.join, kept[-2::-1], strict=True):
            values = join(torch.cat([up(values), beside], 1))
        return nn.functional.log_softmax(self.last(values), 1)


def _block(into: int, out: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for channels in (into, out):
        layers += [nn.Conv2d(channels, out, 3, padding=1), nn.ReLU(), nn.BatchNorm2d(out)]
    return nn.Sequential(*layers)
