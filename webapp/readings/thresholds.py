"""What a rule of acceptance would have made of the comparisons so far."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from webapp.campaigns.models import Campaign, Case
from webapp.campaigns.protocols import Acceptance
from webapp.readings.comparing import objections
from webapp.readings.models import Comparison

STEPS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))


@dataclass(frozen=True)
class Disputed:
    """A case that a rule would send to adjudication: its lowest Dice, its largest difference of extent, and why."""

    number: int
    dice: float | None
    extent_difference: float | None
    reasons: list[str]


@dataclass(frozen=True)
class Step:
    """How many compared cases a Dice threshold would send on."""

    dice: float
    disputed: int
    percent: float


def comparisons_of(campaign: Campaign) -> list[Comparison]:
    """The last comparison of each study case and stage of a campaign, by case number."""
    rows = Comparison.objects.filter(
        case__campaign=campaign, case__kind=Case.STUDY, case__excluded_reason="", case__scan__deleted_at=None
    )
    return list(rows.select_related("case").order_by("case__number", "stage", "-pk").distinct("case__number", "stage"))


def disputed_by(rule: Acceptance, comparisons: Sequence[Comparison]) -> list[Disputed]:
    """The compared cases that a rule would send to adjudication."""
    found = []
    for one in comparisons:
        reasons = objections(one.pairs, rule)
        if reasons:
            found.append(Disputed(one.case.number, _lowest(one.pairs), _largest(one.pairs), reasons))
    return found


def curve_of(rule: Acceptance, comparisons: Sequence[Comparison]) -> list[Step]:
    """How many cases the rule would send on with other Dice thresholds."""
    counts = [(dice, len(disputed_by(replace(rule, dice_at_least=dice), comparisons))) for dice in STEPS]
    return [Step(dice, count, 100 * count / max(1, len(comparisons))) for dice, count in counts]


def _lowest(pairs: Sequence[dict[str, Any]]) -> float | None:
    known = [pair["dice"] for pair in pairs if pair["dice"] is not None and not all(pair["empty"])]
    return min(known, default=None)


def _largest(pairs: Sequence[dict[str, Any]]) -> float | None:
    known = [abs(pair["extent_difference"]) for pair in pairs if pair["extent_difference"] is not None]
    return max(known, default=None)
