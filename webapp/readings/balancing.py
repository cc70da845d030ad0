"""Cases dealt out to readers at random and in balance; pure, so that the same seed deals the same hands."""

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar

R = TypeVar("R", bound=Hashable)


@dataclass(frozen=True)
class Open:
    """A case that wants readers: its number, the stratum that it counts in (its site), and how many it wants."""

    number: int
    stratum: str
    places: int


def deal(
    cases: Sequence[Open],
    readers: Sequence[R],
    seed: int,
    may_read: Callable[[int, R], bool] = lambda number, one: True,
) -> list[tuple[int, R]]:
    """(case number, reader) for each place that can be filled: no reader twice in a case.

    In each stratum the loads of readers differ by one at most, and so do their loads in all, as far as everybody may
    read everything: each case, in random order, goes to those who have least in its stratum, then in all. `readers` are
    taken in the order given: it is part of what makes a deal repeatable.
    """
    strata: dict[str, list[Open]] = defaultdict(list)
    for case in sorted(cases, key=lambda one: one.number):
        strata[case.stratum].append(case)
    loads: Counter[R] = Counter()
    dealt = []
    for stratum in sorted(strata):
        chance = random.Random(f"{seed}:{stratum}")
        chance.shuffle(strata[stratum])
        here: Counter[R] = Counter()
        for case in strata[stratum]:
            order = list(readers)
            chance.shuffle(order)
            able = [one for one in order if may_read(case.number, one)]
            for reader in sorted(able, key=lambda one: (here[one], loads[one]))[: case.places]:
                here[reader] += 1
                loads[reader] += 1
                dealt.append((case.number, reader))
    return dealt
