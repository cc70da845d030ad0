"""How fast engines of the processor run the network that ships: `python -m tests.bench.engines [--threads N]`.

ONNX Runtime and OpenVINO are no dependencies: they are measured where they are installed beside
(`pip install onnx onnxruntime openvino`), best in an environment of its own that also sees this one's packages.
"""

import argparse
import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch

from inference.networks.unet import fused
from inference.networks.weights import load_network
from inference.segmenting.algorithms import CARD, DEFAULT, SHIPPED

BATCH, SIDE, RUNS = 4, 256, 25
Run = Callable[[], np.ndarray]


def main() -> None:
    """Print for each engine the best time of a slice in ms, and how far its probabilities are from 32-bit torch's."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    threads = parser.parse_args().threads
    torch.set_num_threads(threads)
    network = fused(load_network(SHIPPED / f"{DEFAULT}{CARD}")[0]).eval()
    slices = torch.rand(BATCH, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    expected: np.ndarray | None = None
    for engine in (torch_runs, onnxruntime_runs, openvino_runs):
        with contextlib.suppress(ImportError):
            for name, run in engine(network, slices, threads):
                probabilities = 1 / (1 + np.exp(-run()))
                expected = probabilities if expected is None else expected
                apart = float(np.abs(probabilities - expected).max())
                print(f"{name:28}{best_ms(run) / BATCH:8.1f} ms a slice, {apart:.4f} apart")


def best_ms(run: Run) -> float:
    """The shortest of some runs, in ms."""
    times = []
    for _ in range(RUNS):
        began = time.perf_counter()
        run()
        times.append(time.perf_counter() - began)
    return 1000 * min(times)


def torch_runs(network: torch.nn.Module, slices: torch.Tensor, threads: int) -> Iterator[tuple[str, Run]]:
    """As `inference.networks.running` does: channels last."""
    network, last = network.to(memory_format=torch.channels_last), slices.contiguous(memory_format=torch.channels_last)

    def run(precision: torch.dtype | None) -> np.ndarray:
        with torch.inference_mode(), torch.autocast("cpu", precision, enabled=precision is not None):
            found: np.ndarray = network(last).float().numpy()
        return found

    yield "torch 32-bit", lambda: run(None)
    yield "torch bf16", lambda: run(torch.bfloat16)


def onnxruntime_runs(network: torch.nn.Module, slices: torch.Tensor, threads: int) -> Iterator[tuple[str, Run]]:
    """Raises ImportError where it is not installed."""
    import onnx  # noqa: F401
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        torch.onnx.export(network, (slices,), str(path), dynamo=False, opset_version=17)
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    given = {session.get_inputs()[0].name: slices.numpy()}
    yield f"ONNX Runtime {onnxruntime.__version__} 32-bit", lambda: session.run(None, given)[0]


def openvino_runs(network: torch.nn.Module, slices: torch.Tensor, threads: int) -> Iterator[tuple[str, Run]]:
    """Raises ImportError where it is not installed."""
    import openvino

    model = openvino.convert_model(network, example_input=slices, input=[tuple(slices.shape)])
    for name, precision in (("32-bit", "f32"), ("bf16", "bf16")):
        said = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"}
        request = openvino.Core().compile_model(model, "CPU", said).create_infer_request()
        version = openvino.__version__.split("-")[0]
        yield f"OpenVINO {version} {name}", lambda request=request: request.infer({0: slices.numpy()})[0].copy()


if __name__ == "__main__":
    main()
