"""Flags: what readers said about a whole case, who sees it, and which of them wait for a coordinator's decision."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.http import Http404

from webapp.accounts.models import User
from webapp.audit.refusal import Refusal
from webapp.campaigns.models import Campaign, Case
from webapp.campaigns.protocols import PROPOSES_EXCLUSION
from webapp.readings.models import REASON_LENGTH, Flag, FlagDecision, Reading
from webapp.readings.queries import readings_in_campaign_for


@dataclass(frozen=True)
class Raised:
    """A flag that is set, and what was decided on it; `waits` while it proposes an exclusion that nobody decided on."""

    flag: Flag
    decision: FlagDecision | None

    @property
    def waits(self) -> bool:
        """Whether a coordinator is to decide."""
        excluded = bool(self.flag.reading.case.excluded_reason)
        return self.flag.name.endswith(PROPOSES_EXCLUSION) and self.decision is None and not excluded


def raised_in(flags: Iterable[Flag]) -> list[Raised]:
    """Those of flags, in their order, whose last word is that they are set."""
    last: dict[tuple[Any, str], Flag] = {}
    for flag in flags:
        last[flag.reading_id, flag.name] = flag
    return [Raised(flag, getattr(flag, "decision", None)) for flag in last.values() if flag.raised]


def flags_for(user: User, campaign: Campaign, case: Case | None = None) -> list[Raised]:
    """The flags that are set in the readings of a campaign, or of one case, that a person may see; by case."""
    readings = readings_in_campaign_for(user, campaign).exclude(state=Reading.RELEASED)
    if case is not None:
        readings = readings.filter(case=case)
    flags = Flag.objects.filter(reading__in=readings.values("pk"))
    found = raised_in(flags.select_related("decision", "reading__case", "reading__reader").order_by("pk"))
    return sorted(found, key=lambda one: (one.flag.reading.case.number, one.flag.pk))


def flag_for(user: User, case: Case, identifier: int) -> Raised:
    """A flag that is set in a reading of a case; Http404 for whoever does not see that reading."""
    for found in flags_for(user, case.campaign, case):
        if found.flag.pk == identifier:
            return found
    raise Http404("No such flag.")


def refusal_of_remark(remark: str) -> Refusal | None:
    """Why a remark cannot be kept."""
    if len(remark) > REASON_LENGTH:
        return Refusal("too_long", f"A remark has at most {REASON_LENGTH} letters.")
    if not all(sign.isprintable() or sign in "\n\t" for sign in remark):
        return Refusal("malformed", "This remark holds control characters: type it anew.")
    return None


def flags_data(reading: Reading) -> dict[str, Any]:
    """The flags of the reading's protocol, and those that are set, with their remarks and what was decided."""
    flags = Flag.objects.filter(reading=reading).select_related("decision", "reading__case").order_by("pk")
    return {
        "offered": [
            {"name": name, "proposes_exclusion": name.endswith(PROPOSES_EXCLUSION)}
            for name in reading.protocol.said.flags
        ],
        "set": [
            {
                "name": one.flag.name,
                "remark": one.flag.remark,
                "at": one.flag.said_at.isoformat(),
                "decided": None
                if one.decision is None
                else {
                    "excluded": one.decision.excluded,
                    "reason": one.decision.reason,
                    "by": one.decision.decided_by_name,
                },
            }
            for one in raised_in(flags)
        ],
    }
