"""The engine of the processor: in 32 bits what torch computes; in integers nearly, and only where that holds."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from inference.measures.overlap import dice
from inference.networks import devices, graph
from inference.networks.cards import Card
from inference.networks.devices import CPU, DeviceRefused, device_of, has_integer_units
from inference.networks.processor import INTEGER, SINGLE, ProcessorEngine, bears_integers, engine_of
from inference.networks.running import OutOfMemory, Runner
from inference.networks.shapes import tensor_shapes
from inference.networks.torch_engine import TorchEngine
from inference.networks.unet import UNet
from inference.networks.weights import Weights, load_weights
from inference.phantoms import make_phantom
from inference.segmenting.algorithms import CARD, DEFAULT, SHIPPED
from tests.inference.networks.test_weights import card

BOTH = ("lung", "lesion")


def a_network(width: int, outputs: tuple[str, ...]) -> UNet:
    """Untrained, with statistics of normalisation as training leaves them: no two channels alike."""
    torch.manual_seed(0)
    network = UNet(width, outputs)
    with torch.no_grad():
        for one in network.modules():
            if isinstance(one, nn.BatchNorm2d):
                one.running_mean.normal_(0, 0.3)
                one.running_var.uniform_(0.5, 2)
                one.weight.uniform_(0.5, 1.5)
                one.bias.normal_(0, 0.3)
        network.final.weight.mul_(30)
    return network.eval()


def some_slices(count: int, *shape_yx: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, *shape_yx)).astype(np.uint8)


@pytest.fixture(scope="module")
def shipped() -> tuple[Card, Weights]:
    return load_weights(SHIPPED / f"{DEFAULT}{CARD}")


@pytest.mark.parametrize(("width", "outputs"), [(1, ("lesion",)), (5, BOTH)])
def test_the_shapes_of_tensors_are_those_of_the_network(width: int, outputs: tuple[str, ...]) -> None:
    built = {name: one.shape for name, one in UNet(width, outputs).weights().items()}
    assert tensor_shapes(width, outputs) == built


@pytest.mark.parametrize(("width", "outputs", "shape"), [(2, ("lesion",), (32, 32)), (5, BOTH, (48, 80))])
@pytest.mark.parametrize("mirrored", [False, True])
def test_in_32_bits_it_computes_what_torch_does(
    width: int, outputs: tuple[str, ...], shape: tuple[int, int], mirrored: bool
) -> None:
    network, slices = a_network(width, outputs), some_slices(3, *shape)
    expected = TorchEngine(network, torch.device("cpu"), "fp32").probabilities(slices, mirrored=mirrored)
    found = ProcessorEngine(network.weights(), SINGLE).probabilities(slices, mirrored=mirrored)
    assert found.dtype == np.float32
    assert found.shape == (3, len(outputs), *shape)
    assert expected.std() > 0.05, "else everything would agree"
    assert np.allclose(found, expected, atol=2e-5)


def test_dividing_channels_by_their_highest_value_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph, "_stepped", lambda plan, values: values)
    monkeypatch.setattr(graph, "LEVELS_WEIGHT", 2**20 + 1)
    network, slices = a_network(4, BOTH), some_slices(2, 32, 64)
    plain, divided = (
        ProcessorEngine(network.weights(), precision).probabilities(slices, mirrored=False)
        for precision in (SINGLE, INTEGER)
    )
    assert np.allclose(plain, divided, atol=1e-3)


def test_the_highest_value_of_a_channel_is_ten_deviations_above_its_mean() -> None:
    weights = a_network(4, BOTH).weights()
    _, _, highest = graph.folded(weights, "initial.0", "initial.1")
    scale, shift = (weights[f"initial.1.{part}"] for part in ("weight", "bias"))
    assert highest == pytest.approx(np.maximum(shift + 10 * np.abs(scale), 1e-3 * highest.max()), rel=1e-3)
    silent = weights | {"initial.1.weight": np.zeros(4, np.float32), "initial.1.bias": np.full(4, -1, np.float32)}
    assert (graph.folded(silent, "initial.0", "initial.1")[2] > 0).all(), "it is divided by"


def test_in_integers_the_masks_of_the_network_that_ships_are_the_same(shipped: tuple[Card, Weights]) -> None:
    card, weights = shipped
    chest = make_phantom(3, shape_zyx=(5, 256, 256), spacing_zyx_mm=(50.0, 1.4, 1.4))
    slices = np.stack([card.look.of_hu(plane) for plane in chest.volume.hu])
    plain, stepped = (
        ProcessorEngine(weights, precision).probabilities(slices, mirrored=True) > 0.5
        for precision in (SINGLE, INTEGER)
    )
    for output in range(2):
        assert plain[:, output].any()
        assert (dice(stepped[:, output], plain[:, output]) or 0) > 0.985


def test_integers_are_taken_where_processor_and_network_bear_them(
    shipped: tuple[Card, Weights], monkeypatch: pytest.MonkeyPatch
) -> None:
    card, weights = shipped
    monkeypatch.setattr("inference.networks.processor.has_integer_units", lambda: True)
    assert engine_of(card, weights).precision == INTEGER
    # Statistics that do not tell how high values go: a hundred times as high as they say.
    belied = {name: one * np.float32(1e-4) if "running_var" in name else one for name, one in weights.items()}
    assert not bears_integers(card, belied)
    assert engine_of(card, belied).precision == SINGLE
    monkeypatch.setattr("inference.networks.processor.has_integer_units", lambda: False)
    assert engine_of(card, weights).precision == SINGLE


def test_a_network_too_large_to_be_asked_is_computed_in_32_bits(
    shipped: tuple[Card, Weights], monkeypatch: pytest.MonkeyPatch
) -> None:
    def short(self: ProcessorEngine, count: int, side: tuple[int, int]) -> None:
        raise MemoryError

    monkeypatch.setattr(ProcessorEngine, "_request", short)
    assert not bears_integers(*shipped)


def test_networks_of_every_look_can_be_asked_whether_they_bear_integers() -> None:
    from inference.transforms import Look

    for look in (Look(kind="window", size=64, lung_alone=True), Look(size=32)):
        assert bears_integers(card(look=look), UNet(2, BOTH).weights()) in (True, False)


@pytest.mark.parametrize("precision", [SINGLE, INTEGER])
def test_the_same_slices_give_the_same_output_bit_for_bit(shipped: tuple[Card, Weights], precision: str) -> None:
    slices = some_slices(4, 64, 96)
    made = ProcessorEngine(shipped[1], precision)
    first = made.probabilities(slices, mirrored=False)
    assert np.array_equal(made.probabilities(slices, mirrored=False), first)
    for threads in (1, 2):
        again = ProcessorEngine(shipped[1], precision, threads).probabilities(slices, mirrored=False)
        assert np.array_equal(again, first)


def test_fewer_slices_than_before_and_other_sizes_are_computed_alike() -> None:
    weights = a_network(2, BOTH).weights()
    made = ProcessorEngine(weights, SINGLE)
    for count, shape in ((4, (32, 32)), (1, (32, 32)), (2, (48, 32)), (4, (16, 16)), (5, (32, 32)), (3, (48, 32))):
        slices = some_slices(count, *shape)
        alone = ProcessorEngine(weights, SINGLE).probabilities(slices, mirrored=True)
        assert np.allclose(made.probabilities(slices, mirrored=True), alone, atol=1e-6)


def test_other_errors_than_of_memory_are_told_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    made = ProcessorEngine(a_network(2, BOTH).weights(), SINGLE)

    def fails(error: Exception) -> None:
        def raising(count: int, side: tuple[int, int]) -> None:
            raise error

        monkeypatch.setattr(made, "_request", raising)
        made.probabilities(some_slices(1, 32, 32), mirrored=False)

    with pytest.raises(RuntimeError, match="no such operation"):
        fails(RuntimeError("no such operation"))
    for error in (MemoryError(), RuntimeError("Failed to allocate 805306368 bytes of memory")):
        with pytest.raises(OutOfMemory):
            fails(error)


# Eight slices take 800 MB, and 400 are to be had.
SCARCE = """
import resource, psutil, numpy as np
from inference.networks.processor import ProcessorEngine
from inference.networks.running import Runner
from tests.inference.networks.test_processor import a_network
weights = a_network(16, ("lesion",)).weights()
engine = ProcessorEngine(weights, "fp32", 1)
engine.probabilities(np.zeros((1, 32, 32), np.uint8), mirrored=False)
most = psutil.Process().memory_info().vms + 400 * 2**20
resource.setrlimit(resource.RLIMIT_AS, (most, most))
runner = Runner(engine, 8)
[found] = runner.probabilities([np.zeros((8, 512, 512), np.uint8)])
assert found.shape == (8, 1, 512, 512), found.shape
print(runner.batch)
"""


def test_where_memory_runs_out_fewer_slices_are_computed_at_once() -> None:
    done = subprocess.run([sys.executable, "-c", SCARCE], check=True, capture_output=True, text=True)
    assert int(done.stdout) in (1, 2, 4)


def test_runner_joins_what_it_computed_in_parts() -> None:
    engine = ProcessorEngine(a_network(2, BOTH).weights(), SINGLE)
    slices = some_slices(7, 32, 32)
    [whole] = Runner(engine, 7).probabilities([slices])
    [parts] = Runner(engine, 2).probabilities([slices])
    assert np.allclose(whole, parts, atol=1e-6)


def test_nothing_that_reports_over_the_network_is_loaded_and_torch_is_not_needed() -> None:
    check = (
        "import sys; from inference.predict import Predictor; from inference.segmenting.algorithms import *; "
        "import numpy as np; made = Predictor(SHIPPED / f'{DEFAULT}{CARD}', 'cpu'); "
        "made.masks_of(np.zeros((1, 256, 256), np.uint8), np.zeros((1, 256, 256), bool)); "
        "sys.exit(bool({'torch', 'openvino_telemetry'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


@pytest.mark.parametrize(
    ("flags", "there"),
    [("fpu avx2 avx512_vnni", True), ("fpu avx_vnni", True), ("fpu avx2 avx512f", False), ("", False)],
)
def test_integer_units_are_known_by_the_flags_of_the_processor(
    flags: str, there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\nflags\t\t: {flags}\n\nprocessor\t: 1\nflags\t\t: {flags}\n")
    monkeypatch.setattr(devices, "PROCESSOR_INFO", tmp_path / "cpuinfo")
    assert has_integer_units() is there
    monkeypatch.setattr(devices, "PROCESSOR_INFO", tmp_path / "gone")
    assert not has_integer_units()


def test_devices_are_chosen_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "_driver_there", lambda: True)
    monkeypatch.setattr(devices, "_gpus", lambda: 2)
    assert [device_of(name) for name in ("cpu", "auto", "cuda", "cuda:1")] == [CPU, "cuda:0", "cuda:0", "cuda:1"]
    assert device_of("auto", rank=1) == "cuda:1"
    for name in ("cuda:2", "cuda:99"):
        with pytest.raises(DeviceRefused, match=f"no GPU for '{name}'"):
            device_of(name)
    for name in ("gpu", "cuda:", "cuda:x", "cuda:-1", "cpu:0", ""):
        with pytest.raises(DeviceRefused, match="There is no device"):
            device_of(name)
    monkeypatch.setattr(devices, "_gpus", lambda: 0)
    assert device_of("auto") == CPU
    with pytest.raises(DeviceRefused, match="no GPU for 'cuda'"):
        device_of("cuda")
    # Drivers that are not known are believed to whoever asks for a GPU by name.
    monkeypatch.setattr(devices, "_gpus", lambda: 1)
    monkeypatch.setattr(devices, "_driver_there", lambda: False)
    assert [device_of(name) for name in ("auto", "cuda")] == [CPU, "cuda:0"]
