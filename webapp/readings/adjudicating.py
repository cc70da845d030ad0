"""What an adjudicator is shown: the disputed readings, by letters and without names, and what to begin from."""

from typing import Any

from inference.imaging.masks import encode_slice
from webapp.accounts.models import User
from webapp.masks.consensus import OF_THREE, RULES, consensus_slices
from webapp.masks.history import State, version_state
from webapp.masks.models import Version
from webapp.readings.models import Comparison, Reading, Signature
from webapp.readings.nameless import comments_by_letter, scores_by_letter
from webapp.readings.queries import ended_versions, readings_of_case_for

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


def candidates_shown(reading: Reading, user: User) -> dict[str, Version]:
    """The versions that a reading settles, by letter, for whoever may see what it settles; empty for others.

    The adjudicator may while the reading is theirs to end, and once they signed it; who else sees it must be one who
    may see each of the readings. One that is past shows nothing: the case may be read anew, and these be others.
    """
    candidates = candidates_of(reading)
    if reading.reader_id == user.pk and reading.state in (*Reading.OPEN_STATES, Reading.SIGNED):
        return candidates
    return candidates if sees_each(user, candidates) else {}


def sees_each(user: User, candidates: dict[str, Version]) -> bool:
    """Whether a person may see, by their readers' names, all the readings that ended in these versions."""
    readings = {version.mask.reading.pk: version.mask.reading.case for version in candidates.values()}
    if not readings:
        return True
    seen = readings_of_case_for(user, next(iter(readings.values()))).filter(pk__in=readings)
    return set(seen.values_list("pk", flat=True)) == set(readings)


def rules_for(count: int) -> list[str]:
    """The rules of consensus that so many readings can have."""
    return [rule for rule in RULES if count > 2 or rule not in OF_THREE] if count > 1 else []


def settled_state(reading: Reading, user: User, kind: str, name: str) -> tuple[State, str]:
    """A candidate ("candidate", letter) or a consensus ("consensus", rule) as a state, with its label.

    Raises KeyError for what a reading does not settle, or this person may not see.
    """
    candidates = candidates_shown(reading, user)
    if kind == CANDIDATE:
        return version_state(candidates[name]), f"Reading {name}"
    if name not in rules_for(len(candidates)):
        raise KeyError(name)
    versions = list(candidates.values())
    frames = {(layer, z): encode_slice(voxels) for layer, z, voxels in consensus_slices(versions, name)}
    first = version_state(versions[0])
    return State(first.shape_zyx, 0, first.head_hash, frames), f"{name.capitalize()} of the readings"


def settling_data(reading: Reading, user: User) -> dict[str, Any] | None:
    """What the viewer shows of a dispute: figures of each reading and between them, why it is one, where to begin.

    With the answers of each in the scoring forms. Comments are told here, without names, to whom they are not told
    anywhere else.
    """
    candidates = candidates_shown(reading, user)
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
    readings = {letter: version.mask.reading for letter, version in candidates.items()}
    scores = scores_by_letter(readings)
    return {
        "candidates": [
            {"letter": letter, "state": f"{CANDIDATE}:{letter}", "answers": scores[letter], **figures.get(letter, {})}
            for letter in candidates
        ],
        "comments": [] if sees_each(user, candidates) else comments_by_letter(readings),
        "pairs": pairs,
        "reasons": comparison.reasons if comparison else [],
        "consensus": [{"rule": rule, "state": f"{CONSENSUS}:{rule}"} for rule in rules_for(len(candidates))],
    }
