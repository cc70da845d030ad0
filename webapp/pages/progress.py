"""How far a campaign is: what the database counts over all of its cases and readings, for whoever sees all of them."""

import json
import statistics
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Aggregate, Avg, Count, F, FloatField, Min, Q, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Abs, Cast, Coalesce, TruncDate
from django.utils import timezone

from webapp.campaigns.models import Campaign, Case, Membership
from webapp.pages.progress_charts import BlandAltman, BurnDown, bland_altman, burn_down
from webapp.pages.worklist_search import Chip, Place, chips_of, idle_since
from webapp.readings.models import Reading, Reference

IDLE_DAYS = 7
MOST_LINES = 10
COMPARING_TOO_LONG = timedelta(hours=1)
# What a stage's line counts, by the chip of the worklist that lists the same cases.
COLUMNS = ("drafting", "to_read", "open", "back", "comparing", "disputed", "done")


class Median(Aggregate):
    """The median, by PostgreSQL."""

    function = "percentile_cont"
    template = "percentile_cont(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()


@dataclass(frozen=True)
class StageLine:
    """One stage of the funnel: how many cases came to it, and where those stand that are at it now."""

    name: str
    role: str
    reached: int
    percent: float
    cells: list[tuple[str, int]]


@dataclass(frozen=True)
class ReaderLine:
    """What one reader did at one stage; times are medians over what they ended, idle time left out."""

    name: str
    username: str
    stage: str
    signed: int
    submitted: int
    open: int
    active_min: float | None
    s_per_slice: float | None


@dataclass(frozen=True)
class SentinelLine:
    """One reader's signed readings of sentinel cases against what is known of them, in points of extent."""

    name: str
    username: str
    count: int
    measured: int
    bias: float | None
    mean_error: float | None


@dataclass(frozen=True)
class Pair:
    """Two compared readings of one case."""

    case_number: int
    stage: str
    accepted: bool
    dice: float | None
    extents: tuple[float | None, float | None]
    reasons: list[str]

    @property
    def difference(self) -> float | None:
        """Second extent minus first, in points."""
        first, second = self.extents
        return None if first is None or second is None else second - first


@dataclass(frozen=True)
class Agreement:
    """How readings of one case agree so far."""

    count: int
    accepted: int
    dice_median: float | None
    plot: BlandAltman | None
    worst: list[Pair]


@dataclass(frozen=True)
class Stuck:
    """Something that does not go on by itself: what, in how many cases, the list of them, and the oldest."""

    what: str
    count: int
    query: str
    lines: list[tuple[int, str, str, datetime | None]]


def study_cases(campaign: Campaign) -> QuerySet[Case]:
    """The cases of the study itself, without those that readers are measured by."""
    return campaign.cases.filter(kind=Case.STUDY)


def funnel_of(place: Place) -> tuple[list[StageLine], dict[str, int]]:
    """The stages in order with their cases, and the totals over all stages by chip, "all" of them included."""
    chips: dict[str, Chip] = {chip.code: chip for chip in chips_of(place)}
    counted = {f"n_{code}": Count("pk", filter=chips[code].cases) for code in (*COLUMNS, "excluded", "failed")}
    rows: Any = study_cases(place.campaign).order_by().values("stage").annotate(n_all=Count("pk"), **counted)
    by_stage = {row["stage"]: row for row in rows}
    codes = ("all", *COLUMNS, "excluded", "failed")
    totals = {code: sum(row[f"n_{code}"] for row in by_stage.values()) for code in codes}
    lines, kept = [], totals["all"] - totals["excluded"]
    for index, stage in enumerate(place.stages):
        later = [by_stage[one.name] for one in place.stages[index:] if one.name in by_stage]
        reached = sum(row["n_all"] - row["n_excluded"] for row in later)
        here = by_stage.get(stage.name, {})
        cells = [(code, here.get(f"n_{code}", 0)) for code in COLUMNS]
        lines.append(StageLine(stage.name, stage.role, reached, 100 * reached / kept if kept else 0, cells))
    return lines, totals


def done_by_day(campaign: Campaign) -> list[tuple[date, int]]:
    """How many cases of the study got what stands for them on which day."""
    first = Reference.objects.filter(number=1, case__campaign=campaign, case__kind=Case.STUDY, case__state=Case.DONE)
    return list(first.annotate(day=TruncDate("made_at")).order_by("day").values_list("day").annotate(count=Count("pk")))


def burn_down_of(campaign: Campaign, totals: dict[str, int]) -> BurnDown | None:
    """The burn-down of a campaign; None before it has a case."""
    total = totals["all"] - totals["excluded"]
    if not total:
        return None
    began = study_cases(campaign).aggregate(first=Min("added_at"))["first"]
    return burn_down(total, done_by_day(campaign), timezone.localdate(), timezone.localtime(began).date())


def readers_of(campaign: Campaign) -> list[ReaderLine]:
    """What each reader did at each stage, repeats and qualification left out."""
    readings = Reading.objects.filter(case__campaign=campaign, repeat=0).exclude(case__kind=Case.QUALIFICATION)
    ended = Q(state__in=Reading.ENDED_STATES, active_ms__gt=0)
    per_slice = Cast("active_ms", FloatField()) / 1000.0 / F("case__scan__slice_count")
    rows = (
        readings.exclude(state__in=Reading.PAST_STATES)
        .order_by("reader__display_name", "reader__username", "stage")
        .values_list("reader__display_name", "reader__username", "stage")
        .annotate(
            signed=Count("pk", filter=Q(state=Reading.SIGNED)),
            submitted=Count("pk", filter=Q(state=Reading.SUBMITTED)),
            open=Count("pk", filter=Q(state__in=Reading.OPEN_STATES)),
            active=Median("active_ms", filter=ended),
            slice=Median(per_slice, filter=ended & Q(case__scan__slice_count__gt=0)),
        )
    )
    return [
        ReaderLine(name or user, user, stage, signed, submitted, open_, active / 60_000 if active else None, slice_s)
        for name, user, stage, signed, submitted, open_, active, slice_s in rows
    ]


def sentinels_of(campaign: Campaign) -> list[SentinelLine]:
    """How each reader's signed readings of sentinel cases compare with what is known of those."""
    signed = Reading.objects.filter(
        case__campaign=campaign, case__kind=Case.SENTINEL, state=Reading.SIGNED, repeat=0, supersedes=None
    )
    read, known = (
        Cast(KeyTextTransform("extent_percent", f"{version}__measurement__values"), FloatField())
        for version in ("signature__version", "case__known_version")
    )
    rows = (
        signed.annotate(error=read - known)
        .order_by("reader__display_name", "reader__username")
        .values_list("reader__display_name", "reader__username")
        .annotate(count=Count("pk"), measured=Count("error"), bias=Avg("error"), size=Avg(Abs("error")))
    )
    return [SentinelLine(name or user, user, *figures) for name, user, *figures in rows]


PAIRS = """
SELECT number, stage, accepted, (pair->>'dice')::float, (pair->'numbers'->0->>'extent_percent')::float,
  (pair->'numbers'->1->>'extent_percent')::float, reasons
FROM (
  SELECT DISTINCT ON (k.case_id, k.stage) c.number, k.stage, k.accepted, k.pairs, k.reasons
  FROM readings_comparison k JOIN campaigns_case c ON c.id = k.case_id JOIN archive_scan s ON s.id = c.scan_id
  WHERE c.campaign_id = %s AND s.deleted_at IS NULL
  ORDER BY k.case_id, k.stage, k.id DESC
) last CROSS JOIN LATERAL jsonb_array_elements(last.pairs) pair
ORDER BY number, stage
"""


def pairs_of(campaign: Campaign) -> list[Pair]:
    """Every two readings that were compared, the last comparison of each case and stage."""
    with connection.cursor() as cursor:
        cursor.execute(PAIRS, [campaign.pk])
        return [
            Pair(number, stage, accepted, dice, (first, second), _listed(reasons))
            for number, stage, accepted, dice, first, second, reasons in cursor.fetchall()
        ]


def _listed(reasons: Any) -> list[str]:
    """Reasons as a list: a bare cursor gives JSON as its text."""
    return json.loads(reasons) if isinstance(reasons, str) else list(reasons)


def agreement_of(pairs: list[Pair]) -> Agreement:
    """What pairs say together; the worst first by Dice, then by the difference of extents."""
    dices = [pair.dice for pair in pairs if pair.dice is not None]
    both = [(first, second) for pair in pairs for first, second in [pair.extents] if None not in (first, second)]
    apart = sorted((pair for pair in pairs if not pair.accepted), key=_worst_first)
    return Agreement(
        count=len(pairs),
        accepted=sum(pair.accepted for pair in pairs),
        dice_median=statistics.median(dices) if dices else None,
        plot=bland_altman(both),  # type: ignore[arg-type]
        worst=apart[:MOST_LINES],
    )


def _worst_first(pair: Pair) -> tuple[float, float]:
    return (pair.dice if pair.dice is not None else 1.0, -abs(pair.difference or 0.0))


def stuck_of(place: Place, totals: dict[str, int]) -> list[Stuck]:
    """What does not go on by itself, those kinds alone of which there is one."""
    found = [_idle(place), *_waiting_for_somebody(place)]
    if totals["failed"]:
        found.append(Stuck("AI draft failed", totals["failed"], "show=failed&kind=study", []))
    return [one for one in found if one.count]


def _idle(place: Place) -> Stuck:
    idle = Reading.objects.filter(idle_since(IDLE_DAYS), case__campaign=place.campaign, case__scan__deleted_at=None)
    named = idle.annotate(last=Coalesce("active_at", "started_at")).order_by("last")
    rows = named.values_list("case__number", "stage", "reader__display_name", "reader__username", "last")[:MOST_LINES]
    lines = [(number, stage, name or user, last) for number, stage, name, user, last in rows]
    cases = idle.aggregate(count=Count("case", distinct=True))["count"]
    return Stuck(f"begun or given and left for {IDLE_DAYS} days and more", cases, f"idle={IDLE_DAYS}", lines)


def _waiting_for_somebody(place: Place) -> list[Stuck]:
    settling = [stage for stage in place.stages if stage.only_if_disputed]
    names = [stage.name for stage in settling]
    roles = {stage.role for stage in settling}
    untaken = Q(state=Case.DISPUTED) | Q(stage__in=names, state=Case.TO_READ)
    slow = Q(state=Case.COMPARING, settled_at__lt=timezone.now() - COMPARING_TOO_LONG)
    counts = place.campaign.cases.aggregate(untaken=Count("pk", filter=untaken), slow=Count("pk", filter=slow))
    somebody = Membership.objects.filter(campaign=place.campaign, role__in=roles).exists() if roles else False
    why = "disputed, not yet taken by an adjudicator" if somebody else "disputed, and this campaign has no adjudicator"
    return [
        Stuck(why, counts["untaken"], "show=disputed", []),
        Stuck("waiting to be compared for an hour and more", counts["slow"], "show=comparing", []),
    ]
