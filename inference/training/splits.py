"""Which cases train, which tune, which validate: whole patients, unless asked otherwise."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from inference.training.cases import TrainingCase

BY_PATIENT, BY_SCAN = "patient", "scan"
TUNING_SHARE = 0.15
LEAK = "Split by scan: scans of one patient may stand on both sides, which flatters every figure."


@dataclass(frozen=True)
class Split:
    """Names of cases: those trained on, those that choose the epoch, those kept for validation."""

    train: tuple[str, ...]
    tune: tuple[str, ...]
    validate: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def folds_of(cases: Sequence[TrainingCase], count: int, seed: int, by: str = BY_PATIENT) -> list[list[str]]:
    """The names of cases in `count` folds of about as many slices; all of one patient lie in one fold.

    The largest group first, each to the fold with fewest slices; ties fall by the seed. Raises ValueError where there
    are fewer groups than folds.
    """
    groups: dict[str, list[TrainingCase]] = {}
    for case in cases:
        groups.setdefault(case.patient if by == BY_PATIENT else case.name, []).append(case)
    if not 2 <= count <= len(groups):
        raise ValueError(f"{len(groups)} {by}s cannot be split into {count} folds.")
    random = np.random.default_rng(seed)
    names = [sorted(groups)[place] for place in random.permutation(len(groups))]
    names.sort(key=lambda name: -sum(map(len, groups[name])))
    folds: list[list[str]] = [[] for _ in range(count)]
    sizes = [0] * count
    for name in names:
        # A fold without a group comes first, or an empty case could leave one so.
        fold = min(range(count), key=lambda place: (bool(folds[place]) and sizes[place], sizes[place]))
        folds[fold] += [case.name for case in groups[name]]
        sizes[fold] += sum(map(len, groups[name]))
    return [sorted(fold) for fold in folds]


def cross_validation(
    cases: Sequence[TrainingCase],
    count: int,
    seed: int,
    *,
    always: Sequence[str] = (),
    tuning_share: float = TUNING_SHARE,
    by: str = BY_PATIENT,
) -> list[Split]:
    """One split for each fold: the fold validates, of the rest whole patients tune, the others train.

    The tuning set holds about `tuning_share` of the lesion-bearing slices; with 0 there is none. Cases named in
    `always` train in every fold (sets whose patients are not told apart). Raises ValueError.
    """
    drawn = [case for case in cases if case.name not in set(always)]
    return [
        _split(drawn, fold, always, seed + number, tuning_share, by)
        for number, fold in enumerate(folds_of(drawn, count, seed, by))
    ]


def whole(
    cases: Sequence[TrainingCase],
    seed: int,
    *,
    always: Sequence[str] = (),
    tuning_share: float = TUNING_SHARE,
    by: str = BY_PATIENT,
) -> Split:
    """The split for weights that ship: nothing is kept for validation, whole patients tune, the others train."""
    return _split([case for case in cases if case.name not in set(always)], [], always, seed, tuning_share, by)


def _split(
    drawn: Sequence[TrainingCase], fold: Sequence[str], always: Sequence[str], seed: int, share: float, by: str
) -> Split:
    rest = [case for case in drawn if case.name not in set(fold)]
    tune = _tuning(rest, seed, share, by) if share else set()
    train = [case.name for case in rest if case.name not in tune]
    if not train:
        raise ValueError("The tuning set leaves nothing to train on; there are too few patients.")
    return Split((*sorted(train), *always), tuple(sorted(tune)), tuple(sorted(fold)), (LEAK,) if by == BY_SCAN else ())


def _tuning(rest: Sequence[TrainingCase], seed: int, share: float, by: str) -> set[str]:
    """Random patients with lesion until they hold `share` of the lesion-bearing slices: at least one patient."""
    counts: dict[str, int] = {}
    for case in rest:
        group = case.patient if by == BY_PATIENT else case.name
        counts[group] = counts.get(group, 0) + int(case.lesion.any(axis=(1, 2)).sum())
    bearing = [group for group in sorted(counts) if counts[group]]
    if not bearing:
        raise ValueError("No case to tune on has lesion.")
    wanted, taken = share * sum(counts.values()), 0
    chosen: set[str] = set()
    for place in np.random.default_rng([seed, 1]).permutation(len(bearing)):
        group = bearing[place]
        # One that holds most of what is wanted twice over would cost the training too much.
        if chosen and taken + counts[group] > 2 * wanted:
            continue
        chosen.add(group)
        taken += counts[group]
        if taken >= wanted:
            break
    return {case.name for case in rest if (case.patient if by == BY_PATIENT else case.name) in chosen}
