"""How long drafts will take: from what was measured, and nothing where nothing was."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from statistics import median

from django.utils import timezone

from webapp.algorithms.models import DraftRun
from webapp.algorithms.queueing import TASK
from webapp.jobs.line import line_of, workers_on

# A run that has got less far says little about how long it takes.
LEAST_FRACTION = 0.05
RECENT_RUNS = 20


@dataclass(frozen=True)
class Wait:
    """Where an open run stands: how many runs in line come before it, None once it runs; the seconds to its end."""

    before: int | None
    left_s: float | None

    @property
    def words(self) -> str:
        """Both, as people read it."""
        left = about(self.left_s)
        if self.before is None:
            return f"{left} left" if left else ""
        place = "next in line" if self.before == 0 else f"{self.before:,} before it"
        return f"{place}, {left}" if left else place


def about(seconds: float | None) -> str:
    """A time in words, no finer than it is known; empty where nothing is."""
    if seconds is None:
        return ""
    if seconds < 10:
        return "a few seconds"
    if seconds < 90:
        return f"about {round(seconds, -1):.0f} s"
    if seconds < 90 * 60:
        return f"about {seconds / 60:.0f} min"
    return f"about {seconds / 3600:,.0f} h"


def left_of_running(fraction: float, started_at: datetime | None, now: datetime) -> float | None:
    """Seconds that a run still needs, by how far it has got since it began; None where it has hardly begun."""
    if started_at is None or fraction < LEAST_FRACTION:
        return None
    return max((now - started_at).total_seconds(), 0.0) * (1 - fraction) / fraction


def waits_of(runs: Iterable[DraftRun]) -> dict[object, Wait]:
    """Where the open ones of some runs stand, by id; a fixed number of queries but for one an algorithm in line."""
    shown = [run for run in runs if run.state in DraftRun.OPEN_STATES]
    if not shown:
        return {}
    line, now = line_of(TASK), timezone.now()
    open_ones = list(DraftRun.objects.filter(state__in=DraftRun.OPEN_STATES).only(*_NEEDED))
    usual = {pk: _usual_seconds(pk) for pk in {run.algorithm_id for run in open_ones}}
    running = [_left(run, usual, now) for run in open_ones if run.state == DraftRun.RUNNING]
    ends = _ends(line, open_ones, usual, running)
    places = {number: place for place, number in enumerate(line)}
    found: dict[object, Wait] = {}
    for run in shown:
        if run.state == DraftRun.RUNNING:
            found[run.pk] = Wait(None, left_of_running(run.fraction, run.started_at, now))
        else:
            found[run.pk] = Wait(places.get(run.job_id or 0), ends.get(run.job_id))
    return found


_NEEDED = ("state", "algorithm_id", "job_id", "fraction", "started_at")


def _usual_seconds(algorithm_id: int) -> float | None:
    """The median of an algorithm's last runs."""
    done = DraftRun.objects.filter(algorithm=algorithm_id, state=DraftRun.FINISHED).exclude(duration_s=None)
    recent = done.order_by("-finished_at").values_list("duration_s", flat=True)[:RECENT_RUNS]
    seconds = [float(one) for one in recent if one is not None]
    return median(seconds) if seconds else None


def _left(run: DraftRun, usual: dict[int, float | None], now: datetime) -> float | None:
    left = left_of_running(run.fraction, run.started_at, now)
    seconds = usual[run.algorithm_id]
    if left is not None or seconds is None or run.started_at is None:
        return left
    return max(seconds - (now - run.started_at).total_seconds(), 0.0)


def _ends(
    line: list[int], open_ones: list[DraftRun], usual: dict[int, float | None], running: list[float | None]
) -> dict[int | None, float]:
    """Seconds until each job in line has ended, by its number: what comes before it shared among the workers at work.

    Nothing is said of jobs behind one whose algorithm has never been timed.
    """
    workers = workers_on(TASK)
    if not workers or any(left is None for left in running):
        return {}
    of_job: dict[int | None, int] = defaultdict(int, {run.job_id: run.algorithm_id for run in open_ones})
    seconds: list[float] = []
    for number in line:
        known = usual.get(of_job[number])
        if known is None:
            break
        seconds.append(known)
    began = sum(left for left in running if left is not None)
    before = accumulate(seconds, initial=began)
    return {
        number: work / workers + own for number, own, work in zip(line[: len(seconds)], seconds, before, strict=False)
    }
