"""The algorithms that a scan can be segmented with: by name those that ship, by path anybody's weights."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inference import baseline
from inference.baseline import Segmentation
from inference.imaging.volume import Volume

Progress = Callable[[float, str], None]
DEFAULT = "groundglass-default"
SHIPPED = Path(__file__).resolve().parent.parent / "weights"
CARD, WEIGHTS = ".json", ".safetensors"


class AlgorithmRefused(ValueError):
    """An algorithm that cannot be had, or not so; the message is a sentence."""


@dataclass(frozen=True, eq=False)
class Algorithm:
    """A segmenter ready to run, and what its results record of it.

    `needs_hu`: it draws nothing on scans without Hounsfield units, which are refused.
    """

    name: str
    version: str
    segment: Callable[[Volume, Progress], Segmentation]
    needs_hu: bool
    device: str = "cpu"
    weights_sha256: str | None = None
    options: dict[str, Any] = field(default_factory=dict)

    def identity(self) -> dict[str, Any]:
        """What tells its results from those of another algorithm, version, weights or options."""
        return {
            "name": self.name,
            "version": self.version,
            "weights_sha256": self.weights_sha256,
            "options": self.options,
        }


def names() -> list[str]:
    """The names of the algorithms that ship."""
    return [baseline.NAME, *sorted(path.stem for path in SHIPPED.glob(f"*{CARD}"))]


def load_algorithm(name: str = DEFAULT, device: str = "auto") -> Algorithm:
    """An algorithm by its name or by the path of its weights or card, on a device ("auto", "cpu", "cuda", "cuda:1").

    Raises AlgorithmRefused.
    """
    if name == baseline.NAME:
        if device not in ("auto", "cpu"):
            raise AlgorithmRefused(f"The algorithm {name} runs on the CPU alone; leave --device out.")
        return Algorithm(baseline.NAME, baseline.VERSION, baseline.segment, needs_hu=True)
    if name in names():
        return _network(SHIPPED / f"{name}{CARD}", device)
    if name.endswith((CARD, WEIGHTS)):
        return _network(Path(name).with_suffix(CARD), device)
    raise AlgorithmRefused(
        f"There is no algorithm {name!r}. There are: {', '.join(names())}; or give the path of weights ({WEIGHTS})."
    )


def _network(card_path: Path, device: str) -> Algorithm:
    # What computes takes a while to import, and most commands do without.
    from inference.networks.cards import CardRefused
    from inference.networks.devices import DeviceRefused
    from inference.predict import Predictor

    try:
        predictor = Predictor(card_path, device)
    except (CardRefused, DeviceRefused) as refusal:
        raise AlgorithmRefused(str(refusal)) from refusal
    card = predictor.card
    return Algorithm(
        card.name,
        card.version,
        predictor.segment,
        needs_hu=not predictor.draws_lung,
        device=predictor.device,
        weights_sha256=card.weights_sha256,
        options=predictor.options(),
    )
