"""AI drafts of a campaign's cases: asked for, cancelled, tried again; of one case, a choice of them, or all."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet

from webapp.algorithms.fitting import may_be_drafted
from webapp.algorithms.models import Algorithm, DraftRun
from webapp.algorithms.queueing import queue_runs, withdraw_runs
from webapp.audit.refusal import ActionRefused, Refusal, require
from webapp.audit.trail import audited, record
from webapp.campaigns import events
from webapp.campaigns.actions import chain_of
from webapp.campaigns.draft_queries import cases_without_draft, current_runs, numbers_of
from webapp.campaigns.models import Campaign, Case
from webapp.campaigns.rules import may_ask_for_drafts, may_draft

MOST_CHOSEN = 10_000
DELETED, LEFT = "Their scans were deleted.", "They have left the campaign."


@dataclass
class Asked:
    """What came of asking for drafts: case numbers put in line, those that had theirs already or have it under way,
    and those left out by the sentence that says why.
    """

    queued: list[int] = field(default_factory=list)
    already: list[int] = field(default_factory=list)
    left_out: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    @property
    def words(self) -> str:
        """The same in sentences."""
        sentences = [f"{_counted(len(self.queued))} put in line."]
        if self.already:
            sentences.append(f"{_counted(len(self.already))} finished or under way already.")
        sentences += [f"{len(numbers):,} left out: {why}" for why, numbers in self.left_out.items()]
        return " ".join(sentences)


def _counted(count: int) -> str:
    return f"{count:,} draft{'' if count == 1 else 's'}"


@audited(events.DRAFTS_REQUESTED)
def request_drafts(*, campaign: Campaign, numbers: Sequence[int] | None, algorithm: Algorithm, by: Any) -> Asked:
    """Ask for the AI drafts of cases by one of the campaign's algorithms; None is every case without one.

    What is finished or under way is not run twice; what failed or was cancelled is run anew. Refused where nothing of
    what was asked for can be drafted.
    """
    require(may_ask_for_drafts(campaign, algorithm, by))
    if numbers is not None and len(numbers) > MOST_CHOSEN:
        raise ActionRefused(Refusal("too_many", f"At most {MOST_CHOSEN:,} cases are chosen at once."))
    asked = Asked()
    if numbers is None:
        cases = _listed(cases_without_draft(campaign, algorithm))
    else:
        cases = _listed(Case.ever.filter(campaign=campaign, number__in=set(numbers)))
        require(None if cases else Refusal("nothing", "Choose the cases to be drafted."))
    _put_in_line(asked, campaign, cases, algorithm)
    _require_something(asked)
    record(
        events.DRAFTS_REQUESTED,
        by=by,
        chain=chain_of(campaign),
        subject=_subject(campaign, cases),
        algorithm=str(algorithm),
        cases=asked.queued,
        already=len(asked.already),
        left_out=dict(asked.left_out),
    )
    return asked


@audited(events.DRAFTS_RETRIED)
def retry_drafts(*, campaign: Campaign, run_ids: Sequence[uuid.UUID] | None, by: Any) -> Asked:
    """Have failed and cancelled runs made anew; None is every failed one of the campaign."""
    require(may_draft(campaign, by))
    runs = current_runs(campaign).select_related("algorithm", "scan")
    if run_ids is None:
        runs = runs.filter(state=DraftRun.FAILED)
    else:
        runs = runs.filter(pk__in=set(run_ids), state__in=DraftRun.IN_VAIN)
    by_algorithm: dict[Algorithm, list[Any]] = defaultdict(list)
    for run in runs.order_by("requested_at"):
        by_algorithm[run.algorithm].append(run.scan_id)
    require(None if by_algorithm else Refusal("nothing", "None of these runs failed or was cancelled."))
    asked = Asked()
    for algorithm, scans in by_algorithm.items():
        require(may_ask_for_drafts(campaign, algorithm, by))
        cases = Case.objects.filter(campaign=campaign, scan__in=scans)
        _put_in_line(asked, campaign, _listed(cases), algorithm)
    _require_something(asked)
    record(
        events.DRAFTS_RETRIED,
        by=by,
        chain=chain_of(campaign),
        subject=f"campaign:{campaign.pk}",
        algorithms=sorted(str(algorithm) for algorithm in by_algorithm),
        cases=sorted(asked.queued),
        already=len(asked.already),
        left_out=dict(asked.left_out),
    )
    return asked


@audited(events.DRAFTS_CANCELLED)
def cancel_drafts(*, campaign: Campaign, run_ids: Sequence[uuid.UUID] | None, by: Any) -> int:
    """Cancel runs that are in line or under way; None is every one of the campaign. Return how many were.

    What waits leaves the line at once; a worker hears of it at its next report, and its result is dropped.
    """
    require(may_draft(campaign, by))
    runs = current_runs(campaign).filter(state__in=DraftRun.OPEN_STATES)
    if run_ids is not None:
        runs = runs.filter(pk__in=set(run_ids))
    gone = withdraw_runs(list(runs.values_list("pk", flat=True)))
    require(None if gone else Refusal("nothing", "None of these runs is in line or under way."))
    numbers = numbers_of(campaign, gone)
    record(
        events.DRAFTS_CANCELLED,
        by=by,
        chain=chain_of(campaign),
        subject=f"campaign:{campaign.pk}",
        cases=sorted(numbers.values()),
        runs=sorted(str(run.pk) for run in gone),
        under_way=sum(run.state == DraftRun.RUNNING for run in gone),
    )
    return len(gone)


def _listed(cases: QuerySet[Case]) -> list[Case]:
    """Cases by number with what the rules ask of their scans, and no more: there may be thousands."""
    rows = cases.select_related("scan").order_by("number")
    return list(rows.only("number", "excluded_reason", "scan__deleted_at", "scan__has_hu"))


def _put_in_line(asked: Asked, campaign: Campaign, cases: Iterable[Case], algorithm: Algorithm) -> None:
    """Queue what may be drafted, and note in `asked` what came of each case."""
    wanted: dict[Any, int] = {}
    for case in cases:
        why = _why_not(case, algorithm)
        if why:
            asked.left_out[why].append(case.number)
        else:
            wanted[case.scan_id] = case.number
    made = {run.scan_id for run in queue_runs(list(wanted), algorithm, campaign.label_set)}
    for scan, number in wanted.items():
        (asked.queued if scan in made else asked.already).append(number)


def _why_not(case: Case, algorithm: Algorithm) -> str:
    if case.scan.deleted_at is not None:
        return DELETED
    if case.excluded_reason:
        return LEFT
    refusal = may_be_drafted(case.scan, algorithm)
    return refusal.sentence if refusal else ""


def _require_something(asked: Asked) -> None:
    if asked.queued or asked.already:
        return
    if asked.left_out:
        raise ActionRefused(Refusal("cannot_be_drafted", f"Nothing can be drafted: {' '.join(asked.left_out)}"))
    raise ActionRefused(Refusal("nothing", "Every case has its draft already, finished or under way."))


def _subject(campaign: Campaign, cases: Sequence[Case]) -> str:
    return f"case:{cases[0].pk}" if len(cases) == 1 else f"campaign:{campaign.pk}"
