"""The algorithms that come with the product: the classical baseline, and the networks of inference/weights."""

from pathlib import Path
from typing import Any

from inference.baseline import NAME, VERSION
from inference.networks.cards import CardRefused, read_card
from webapp.algorithms.baseline import register_baseline
from webapp.algorithms.models import Algorithm
from webapp.algorithms.queries import algorithm_called
from webapp.algorithms.submitted import CARD_ENDING, CURVES_ENDING, WEIGHTS_ENDING, checked
from webapp.algorithms.version_actions import register_version
from webapp.audit.refusal import ActionRefused, Refusal

SHIPPED = Path(__file__).resolve().parents[2] / "inference" / "weights"


def register_shipped(*, by: Any, folder: Path = SHIPPED) -> list[Algorithm]:
    """Register what ships and is not registered yet; returns what is new. Raises ActionRefused."""
    new = [] if algorithm_called(NAME, VERSION) else [register_baseline(by=by)]
    for card in sorted(folder.glob(f"*{CARD_ENDING}")):
        if not _is_known(card):
            new.append(register_files(card, by=by))
    return new


def register_files(card: Path, *, by: Any, title: str = "") -> Algorithm:
    """Register the version of a card on disk, with what lies beside it: weights called alike, `STEM-*.png` pictures of
    it, and its learning curves, `STEM.curves.csv`. Raises ActionRefused.
    """
    weights, curves = card.with_suffix(WEIGHTS_ENDING), card.with_suffix(CURVES_ENDING)
    pictures = sorted(card.parent.glob(f"{card.stem}-*.png"))
    try:
        with weights.open("rb") as opened:
            submitted = checked(
                card=card.read_bytes(),
                weights=opened,
                pictures=[(f"{path.stem.removeprefix(f'{card.stem}-')}.png", path.read_bytes()) for path in pictures],
                curves=curves.read_bytes() if curves.exists() else None,
                title=title,
            )
            return register_version(submitted=submitted, by=by)
    except FileNotFoundError as error:
        sentence = f"There is no {Path(error.filename).name}: card and weights lie beside each other, called alike."
        raise ActionRefused(Refusal("no_such_file", sentence)) from error
    except OSError as error:
        sentence = f"{card.name} or what lies beside it cannot be read: {error.strerror or error}."
        raise ActionRefused(Refusal("unreadable", sentence)) from error


def _is_known(path: Path) -> bool:
    """Whether the version of a card is registered with these weights: what was checked once is not checked again."""
    try:
        card = read_card(path)
    except CardRefused:
        return False
    there = algorithm_called(card.name, card.version)
    return there is not None and there.weights_sha256 == card.weights_sha256
