"""The lines of a campaign's worklist, as one person sees them; a fixed number of queries for any number of cases."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from webapp.accounts.models import User
from webapp.algorithms.models import DraftRun
from webapp.campaigns.models import Campaign, Case
from webapp.campaigns.protocols import AI_DRAFT
from webapp.campaigns.queries import current_protocol
from webapp.readings.models import Reading
from webapp.readings.queries import cases_with_draft_shown, readings_in_campaign_for
from webapp.releases.measurements import known_measurements


@dataclass(frozen=True)
class State:
    """A state as people read it: a code for filters, a word, a tone of the style sheet and an icon."""

    code: str
    word: str
    tone: str
    icon: str


WAITING = State("waiting", "waiting for AI draft", "quiet", "clock")
DRAFTING = State("waiting", "AI draft under way", "quiet", "spark")
FAILED = State("failed", "AI draft failed", "bad", "alert")
READY = State("ready", "ready to read", "accent", "eye")
TAKEN = State("progress", "with its reader", "quiet", "lock")
MINE = State("progress", "yours, in progress", "wait", "pencil")
IN_PROGRESS = State("progress", "in progress", "wait", "pencil")
RETURNED = State("progress", "returned", "wait", "again")
SUBMITTED = State("progress", "submitted", "accent", "arrow")
SIGNED = State("signed", "signed", "good", "check")
FILTERS = {"ready": "Ready", "progress": "In progress", "signed": "Signed", "waiting": "Waiting", "failed": "Failed"}


@dataclass(frozen=True)
class CaseLine:
    """One case on the worklist. `draft` is its latest AI draft where this person may know of it."""

    case: Case
    stage: str
    state: State
    draft: DraftRun | None
    extent_percent: float | None
    holder: str
    since: datetime

    @property
    def draft_is_open(self) -> bool:
        """Whether a worker still has to finish the draft."""
        return self.draft is not None and self.draft.state in (DraftRun.QUEUED, DraftRun.RUNNING)


def lines_for(user: User, campaign: Campaign) -> list[CaseLine]:
    """The worklist of a campaign, by case number."""
    cases = campaign.cases.select_related("scan__study__patient").order_by("number")
    seen: dict[Any, list[Reading]] = defaultdict(list)
    for reading in readings_in_campaign_for(user, campaign).order_by("started_at"):
        seen[reading.case_id].append(reading)
    starts = {stage.name: stage.starts_from for stage in current_protocol(campaign).stage_list}
    drafts = _latest_drafts(cases_with_draft_shown(user, campaign), campaign)
    extents = _extents([r for readings in seen.values() for r in readings])
    return [
        _line(user, case, starts.get(case.stage, ""), seen[case.pk], drafts.get(case.scan_id), extents)
        for case in cases
    ]


def _line(
    user: User,
    case: Case,
    starts_from: str,
    seen: list[Reading],
    draft: DraftRun | None,
    extents: dict[Any, float | None],
) -> CaseLine:
    current = [r for r in seen if r.state not in Reading.PAST_STATES]
    last = current[-1] if current else None
    full = case.places_left == 0
    # Whoever begins from something else need not wait for the draft.
    state = _state(user, last, draft if starts_from == AI_DRAFT else None, full)
    signed = [r for r in current if r.state == Reading.SIGNED]
    return CaseLine(
        case=case,
        stage=last.stage if last else case.stage,
        state=state,
        draft=draft,
        extent_percent=extents.get(signed[-1].pk) if signed else None,
        holder=str(last.reader) if last else "",
        since=(last.ended_at or last.started_at) if last else case.added_at,
    )


def _state(user: User, last: Reading | None, draft: DraftRun | None, full: bool) -> State:
    if last is not None:
        if last.state in (Reading.SIGNED, Reading.SUBMITTED, Reading.RETURNED):
            return {Reading.SIGNED: SIGNED, Reading.SUBMITTED: SUBMITTED, Reading.RETURNED: RETURNED}[last.state]
        return MINE if last.reader_id == user.pk else IN_PROGRESS
    if full:
        return TAKEN
    if draft is not None and draft.state != DraftRun.FINISHED:
        return {DraftRun.QUEUED: WAITING, DraftRun.RUNNING: DRAFTING, DraftRun.FAILED: FAILED}[draft.state]
    return READY


def _latest_drafts(cases: QuerySet[Case], campaign: Campaign) -> dict[Any, DraftRun]:
    runs = DraftRun.objects.filter(
        scan__in=cases.values("scan_id"), algorithm=campaign.draft_algorithm, label_set=campaign.label_set
    )
    return {run.scan_id: run for run in runs.order_by("requested_at").defer("options")}


def _extents(readings: list[Reading]) -> dict[Any, float | None]:
    """Extents of the signed readings that have been measured, by reading."""
    versions = {r.pk: r.signature.version_id for r in readings if r.state == Reading.SIGNED}
    known = known_measurements(versions.values())
    return {reading: known[version]["extent_percent"] for reading, version in versions.items() if version in known}
