"""What an adjudicator is shown: the disputed readings, by letters and without names, and what to begin from."""

from typing import Any

from inference.imaging.masks import encode_slice
from webapp.masks.consensus import OF_THREE, RULES, consensus_slices
from webapp.masks.history import State, version_state
from webapp.masks.models import Version
from webapp.readings.models import Comparison, Reading, Signature
from webapp.readings.queries import ended_versions

LETTERS = "ABCDEFGHIJKLMNOPQRST"
CANDIDATE, CONSENSUS = "candidate", "consensus"


def candidates_of(reading: Reading) -> dict[str, Version]:
    """The versions that a reading settles, by letter; empty where it settles nothing.

    Letters follow the readings' random ids, so that they say nothing of who read, or when.
    """
    stage = reading.protocol.stage(reading.stage)
    if not stage.only_if_disputed:
        return {}
    return dict(zip(LETTERS, ended_versions(reading.case, stage), strict=False))


def rules_for(count: int) -> list[str]:
    """The rules of consensus that so many readings can have."""
    return [rule for rule in RULES if count > 2 or rule not in OF_THREE] if count > 1 else []


def settled_state(reading: Reading, kind: str, name: str) -> tuple[State, str]:
    """A candidate ("candidate", letter) or a consensus ("consensus", rule) as a state, with its label.

    Raises KeyError for what a reading does not settle.
    """
    candidates = candidates_of(reading)
    if kind == CANDIDATE:
        return version_state(candidates[name]), f"Reading {name}"
    if name not in rules_for(len(candidates)):
        raise KeyError(name)
    versions = list(candidates.values())
    frames = {(layer, z): encode_slice(voxels) for layer, z, voxels in consensus_slices(versions, name)}
    first = version_state(versions[0])
    return State(first.shape_zyx, 0, first.head_hash, frames), f"{name.capitalize()} of the readings"


def settling_data(reading: Reading) -> dict[str, Any] | None:
    """What the viewer shows of a dispute: figures of each reading and between them, why it is one, where to begin."""
    candidates = candidates_of(reading)
    if not candidates:
        return None
    comparison = Comparison.objects.filter(case=reading.case, protocol=reading.protocol).order_by("-pk").first()
    signed = Signature.objects.filter(version__in=list(candidates.values()))
    letters = {
        one.pk: letter for letter, version in candidates.items() for one in signed if one.version_id == version.pk
    }
    figures: dict[str, Any] = {}
    pairs = []
    for pair in comparison.pairs if comparison else []:
        first, second = letters.get(pair["first"]), letters.get(pair["second"])
        if first is None or second is None:
            continue
        figures |= {first: pair["numbers"][0], second: pair["numbers"][1]}
        kept = ("dice", "lung_dice", "extent_difference", "contradicting_slices")
        pairs.append({"first": first, "second": second, **{name: pair[name] for name in kept}})
    return {
        "candidates": [
            {"letter": letter, "state": f"{CANDIDATE}:{letter}", **figures.get(letter, {})} for letter in candidates
        ],
        "pairs": pairs,
        "reasons": comparison.reasons if comparison else [],
        "consensus": [{"rule": rule, "state": f"{CONSENSUS}:{rule}"} for rule in rules_for(len(candidates))],
    }
