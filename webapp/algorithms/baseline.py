"""The classical baseline, as the site registers it: honest about what it is."""

from typing import Any

from inference.baseline import NAME, VERSION
from webapp.algorithms.actions import register_algorithm
from webapp.algorithms.models import Algorithm

CARD = {
    "kind": "classical: thresholds, morphology and a density band; nothing is learned",
    "lung": "air-filled tissue inside the body, closed and filled so that denser parts stay inside where they can",
    "lesion": "density above aerated lung inside the lungs, with vessels suppressed",
    "limits": "Large consolidations against the chest wall may be left out of the lung; vessels and dependent "
    "density may be taken for lesion. It is a start for a reader, not a measurement.",
    "training_data": "none",
}


def register_baseline(*, by: Any) -> Algorithm:
    """Register the classical baseline that ships with the product."""
    return register_algorithm(
        name=NAME,
        version=VERSION,
        title="Classical baseline",
        entry=Algorithm.BASELINE,
        card=CARD,
        by=by,
    )
