"""What an algorithm can draft: None, or the refusal's sentence."""

from webapp.algorithms.models import Algorithm
from webapp.archive.models import Scan
from webapp.audit.refusal import Refusal


def needs_hu(algorithm: Algorithm) -> bool:
    """Whether an algorithm draws nothing without Hounsfield units: it takes the lungs from them."""
    if algorithm.entry == Algorithm.BASELINE:
        return True
    labels = algorithm.card.get("labels")
    return isinstance(labels, list) and "lung" not in labels


def may_be_drafted(scan: Scan, algorithm: Algorithm) -> Refusal | None:
    """Whether an algorithm can draft a scan."""
    if needs_hu(algorithm) and not scan.has_hu:
        sentence = f"This scan has no Hounsfield units, and {algorithm} needs them: choose another algorithm."
        return Refusal("no_hu", sentence)
    return None
