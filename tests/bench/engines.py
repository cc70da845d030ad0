"""How fast engines of the processor run the network that ships: `python -m tests.bench.engines [--threads N]`.

With `--masks` it says instead how far masks in integers are from those in 32 bits, on the cases and scans of
GROUNDGLASS_DATA. ONNX Runtime is no dependency: it is measured where it is installed beside (`pip install onnx
onnxruntime`), best in an environment of its own that also sees this one's packages.
"""

import argparse
import contextlib
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from inference.measures.overlap import dice
from inference.networks.graph import plan_of, unet_graph
from inference.networks.openvino import ov
from inference.networks.processor import INTEGER, SINGLE, ProcessorEngine
from inference.networks.running import Runner
from inference.networks.unet import UNet, fused
from inference.networks.weights import Weights, load_weights
from inference.predict import Predictor
from inference.segmenting.algorithms import CARD, DEFAULT, SHIPPED
from inference.segmenting.scans import read_scan
from inference.training.public_sets import COVID20, covid20_case, data_folder

BATCH, SIDE, RUNS = 4, 256, 25
SCANS = ("ricord-001012-covid", "covidctmd-P001-covid", "covidctmd-normal001")
Slices = NDArray[np.uint8]
Run = Callable[[], NDArray[np.float32]]


def main() -> None:
    """Print for each engine the best time of a slice in ms, and how far its probabilities are from 32-bit torch's; or
    how far masks are apart."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--masks", action="store_true")
    chosen = parser.parse_args()
    if chosen.masks:
        compare_masks()
        return
    torch.set_num_threads(chosen.threads)
    card, weights = load_weights(SHIPPED / f"{DEFAULT}{CARD}")
    slices = np.random.default_rng(0).integers(0, 256, (BATCH, SIDE, SIDE)).astype(np.uint8)
    expected: NDArray[np.float32] | None = None
    for engine in (torch_runs, onnxruntime_runs, openvino_runs):
        with contextlib.suppress(ImportError):
            for name, run in engine(card.labels, weights, slices, chosen.threads):
                found = run()
                expected = found if expected is None else expected
                apart = float(np.abs(found - expected).max())
                print(f"{name:28}{best_ms(run) / BATCH:8.1f} ms a slice, {apart:.4f} apart")


def compare_masks() -> None:
    """Print how far masks in integers are from those in 32 bits."""
    data = data_folder()
    predictors = [Predictor(SHIPPED / f"{DEFAULT}{CARD}", "cpu") for _ in range(2)]
    _, weights = load_weights(SHIPPED / f"{DEFAULT}{CARD}")
    for predictor, precision in zip(predictors, (SINGLE, INTEGER), strict=True):
        predictor.runner = Runner(ProcessorEngine(weights, precision), mirrored=True)
    print("| | lesion Dice in 32 bits | in integers | lesion, one to the other | lung, one to the other |")
    rows = []
    for folder in sorted(path for path in (data / COVID20).iterdir() if path.is_dir()):
        case = covid20_case(folder, predictors[0].card.look)
        assert case.lung is not None
        (lung, lesion), (other_lung, other) = (one.masks_of(case.images, case.lung > 0) for one in predictors)
        rows.append((dice(lesion, case.lesion), dice(other, case.lesion), dice(other, lesion), dice(other_lung, lung)))
        print(_row(case.name, rows[-1]))
    columns = zip(*rows, strict=True)
    print(_row("mean", [float(np.mean([value for value in column if value is not None])) for column in columns]))
    for name in SCANS:
        volume = read_scan(data / "dicom" / name).volume
        plain, other = (one.segment(volume, lambda fraction, what: None) for one in predictors)
        extents = [float((one.findings > 0).sum() / (one.anatomy > 0).sum()) for one in (plain, other)]
        same = dice(other.findings, plain.findings), dice(other.anatomy, plain.anatomy)
        print(_row(f"{name}, extents {extents[0]:.2%} and {extents[1]:.2%}", (None, None, *same)))


def _row(name: str, values: Iterable[float | None]) -> str:
    return f"| {name} | " + " | ".join("" if value is None else f"{value:.4f}" for value in values) + " |"


def best_ms(run: Run) -> float:
    """The shortest of some runs, in ms."""
    times = []
    for _ in range(RUNS):
        began = time.perf_counter()
        run()
        times.append(time.perf_counter() - began)
    return 1000 * min(times)


def torch_runs(labels: tuple[str, ...], weights: Weights, slices: Slices, threads: int) -> Iterator[tuple[str, Run]]:
    """As in training: channels last."""
    network = fused(UNet.of_weights(labels, weights)).to(memory_format=torch.channels_last)
    given = torch.from_numpy(_floats(slices)).contiguous(memory_format=torch.channels_last)

    def run(precision: torch.dtype | None) -> NDArray[np.float32]:
        with torch.inference_mode(), torch.autocast("cpu", precision, enabled=precision is not None):
            found: NDArray[np.float32] = torch.sigmoid(network(given).float()).numpy()
        return found

    yield "torch 32-bit", lambda: run(None)
    yield "torch bf16", lambda: run(torch.bfloat16)


def onnxruntime_runs(
    labels: tuple[str, ...], weights: Weights, slices: Slices, threads: int
) -> Iterator[tuple[str, Run]]:
    """Raises ImportError where it is not installed."""
    import onnx  # noqa: F401
    import onnxruntime

    network = torch.nn.Sequential(fused(UNet.of_weights(labels, weights)), torch.nn.Sigmoid())
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        torch.onnx.export(network, (torch.from_numpy(_floats(slices)),), str(path), dynamo=False, opset_version=17)
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    given = {session.get_inputs()[0].name: _floats(slices)}
    yield f"ONNX Runtime {onnxruntime.__version__} 32-bit", lambda: session.run(None, given)[0]


def openvino_runs(labels: tuple[str, ...], weights: Weights, slices: Slices, threads: int) -> Iterator[tuple[str, Run]]:
    """What segments scans, and beside it bf16."""
    version = f"OpenVINO {ov.__version__.split('-')[0]}"
    for precision in (SINGLE, INTEGER):
        engine = ProcessorEngine(weights, precision, threads)
        yield f"{version} {precision}", lambda engine=engine: engine.probabilities(slices, mirrored=False)
    said = {"INFERENCE_PRECISION_HINT": "bf16", "INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"}
    graph = unet_graph(plan_of(weights, integers=False), (BATCH, 1, SIDE, SIDE))
    request, given = ov.Core().compile_model(graph, "CPU", said).create_infer_request(), _floats(slices)
    yield f"{version} bf16", lambda: request.infer({0: given})[0].copy()


def _floats(slices: Slices) -> NDArray[np.float32]:
    return (slices[:, None] / np.float32(255)).astype(np.float32)


if __name__ == "__main__":
    main()
