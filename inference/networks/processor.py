"""The processor computes, by OpenVINO: in 8-bit integers where it has units for them and the network bears it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.measures.overlap import dice
from inference.networks.cards import Card
from inference.networks.devices import CPU, has_integer_units
from inference.networks.graph import plan_of, unet_graph
from inference.networks.openvino import ov
from inference.networks.running import OutOfMemory
from inference.networks.weights import Weights
from inference.phantoms import make_phantom
from inference.phantoms.chest import Lesion

SINGLE, INTEGER = "fp32", "int8"
BATCH = 4
# Whole slices and slices cut to the lungs of one scan.
SHAPES_KEPT = 2
# The network bears integers where its masks of a synthetic chest stay as good as the same.
LEAST_DICE = 0.97
# OpenVINO has no error of its own for it.
WORDS_OF_MEMORY = ("Failed to allocate", "bad_alloc", "could not create a memory")


class ProcessorEngine:
    """A network as OpenVINO computes it. The same slices give the same output, bit for bit, on one processor."""

    usual_batch = BATCH
    device = CPU

    def __init__(self, weights: Weights, precision: str, threads: int | None = None) -> None:
        """`threads`: as many as the processor has cores, unless said."""
        self.precision = precision
        self._plan = plan_of(weights, integers=precision == INTEGER)
        self._said = {
            "PERFORMANCE_HINT": "LATENCY",
            # Else some processors would compute in 16 bits what is not in integers.
            "INFERENCE_PRECISION_HINT": "f32",
            **({} if threads is None else {"INFERENCE_NUM_THREADS": threads}),
        }
        self._ready: dict[tuple[int, int], tuple[int, Any]] = {}

    def probabilities(self, images: NDArray[np.uint8], *, mirrored: bool) -> NDArray[np.float32]:
        """As `Engine` says."""
        found = self._of(images)
        if mirrored:
            found = (found + self._of(images[:, :, ::-1])[..., ::-1]) / np.float32(2)
        return found

    def _of(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        side = images.shape[1], images.shape[2]
        try:
            batch, request = self._request(len(images), side)
            slices = np.zeros((batch, 1, *side), np.float32)
            np.divide(images[:, None], np.float32(255), out=slices[: len(images)])
            answer: NDArray[np.float32] = request.infer({0: slices}, share_inputs=True)[0][: len(images)].copy()
        except MemoryError as error:
            self._ready.pop(side, None)
            raise OutOfMemory from error
        except RuntimeError as error:
            self._ready.pop(side, None)
            if not any(words in str(error) for words in WORDS_OF_MEMORY):
                raise
            raise OutOfMemory from error
        return answer

    def _request(self, count: int, side: tuple[int, int]) -> tuple[int, Any]:
        """Ready for at least so many slices of a size: it takes a fraction of a second to become so."""
        batch, request = self._ready.pop(side, (0, None))
        if batch < count:
            graph = unet_graph(self._plan, (count, 1, *side))
            batch, request = count, ov.Core().compile_model(graph, "CPU", self._said).create_infer_request()
        while len(self._ready) >= SHAPES_KEPT:
            del self._ready[next(iter(self._ready))]
        self._ready[side] = batch, request
        return batch, request


def engine_of(card: Card, weights: Weights) -> ProcessorEngine:
    """The quickest engine that draws what the network draws in 32 bits."""
    if has_integer_units() and bears_integers(card, weights):
        return ProcessorEngine(weights, INTEGER)
    return ProcessorEngine(weights, SINGLE)


def bears_integers(card: Card, weights: Weights) -> bool:
    """Whether the network's masks of a synthetic chest with lesions are nearly the same in integers as in 32 bits; not
    where memory does not suffice to see."""
    side = card.look.size
    lesions = [Lesion((0.0, 0.1, side * 0.45), (0.6, 0.3, 0.2), -500, 1) for side in (1, -1)]
    chest = make_phantom(0, shape_zyx=(2, side, side), spacing_zyx_mm=(120.0, 360 / side, 360 / side), lesions=lesions)
    planes = zip(chest.volume.hu, chest.anatomy > 0, strict=True)
    slices = np.stack([card.look.of_hu(plane, lung) for plane, lung in planes])
    try:
        plain, stepped = (
            ProcessorEngine(weights, precision).probabilities(slices, mirrored=False) > card.threshold
            for precision in (SINGLE, INTEGER)
        )
    except OutOfMemory:
        return False
    same = (dice(stepped[:, output], plain[:, output]) for output in range(plain.shape[1]))
    return all(one is None or one >= LEAST_DICE for one in same)
