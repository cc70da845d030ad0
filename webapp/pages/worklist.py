"""The lines of a page of a worklist, as one person sees them; a fixed number of queries for any number of cases."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from django.db.models import BooleanField, ExpressionWrapper, FloatField, Prefetch, QuerySet, Value
from django.db.models.fields.json import KT
from django.db.models.functions import Cast
from django.utils import timezone

from webapp.algorithms.models import DraftRun
from webapp.algorithms.training_sets import known_among
from webapp.archive.models import Picture
from webapp.campaigns.models import Case
from webapp.pages.worklist_search import Place
from webapp.readings.models import Reading, Reference
from webapp.readings.queries import cases_with_draft_shown, readings_in_campaign_for
from webapp.releases.models import Measurement


@dataclass(frozen=True)
class State:
    """A state as people read it: a word, a tone of the style sheet and an icon."""

    word: str
    tone: str
    icon: str


READY, GIVEN = State("ready to read", "accent", "eye"), State("given to you", "accent", "eye")
ADJUDICATE = State("to adjudicate", "accent", "scales")
WAITING, DRAFTING = State("waiting for AI draft", "quiet", "clock"), State("AI draft under way", "quiet", "spark")
FAILED, CANCELLED = State("AI draft failed", "bad", "alert"), State("AI draft cancelled", "quiet", "cross")
MINE, RETURNED = State("yours, in progress", "wait", "pencil"), State("returned to you", "wait", "again")
SUBMITTED, SIGNED = State("handed on", "quiet", "arrow"), State("signed", "good", "check")
IN_PROGRESS, BACK = State("in progress", "wait", "pencil"), State("returned", "wait", "again")
TO_BEGIN = State("given, not begun", "quiet", "clock")
OTHERS = State("with others", "quiet", "lock")
COMPARING, DISPUTED = State("comparing", "quiet", "clock"), State("disputed", "bad", "scales")
DONE, EXCLUDED = State("done", "good", "check"), State("excluded", "quiet", "cross")
NOT_YOURS = State("not with you", "quiet", "lock")


@dataclass(frozen=True)
class Seen:
    """What a line needs of one reading that this person may see."""

    id: Any
    stage: str
    state: str
    is_mine: bool
    reader: str
    since: datetime
    not_before: datetime | None
    due_on: date | None
    version: Any


@dataclass(frozen=True)
class CaseLine:
    """One case on the worklist. `draft` is its latest AI draft where this person may know of it."""

    case: Case
    stage: str
    state: State
    is_ready: bool
    draft: DraftRun | None
    extent_percent: float | None
    holder: str
    since: datetime
    due_on: date | None
    reason: str = ""
    overdue: bool = field(default=False)
    # The scan is in the training data of what made the draft.
    draft_is_known: bool = False

    @property
    def draft_is_open(self) -> bool:
        """Whether a worker still has to finish the draft."""
        return self.draft is not None and self.draft.state in DraftRun.OPEN_STATES


def lines_of(place: Place, cases: QuerySet[Case], *, to_begin: bool = False) -> list[CaseLine]:
    """The lines of some cases (one page of them), in their order; `to_begin` where all are known to wait for them."""
    # Their ids first: what a line needs to know would be asked of every case before this page as well.
    ids = list(cases.values_list("pk", flat=True))
    small = Picture.objects.filter(size="small", plane="axial").only("scan_id", "sha256")
    found = (
        Case.objects.filter(pk__in=ids)
        .select_related("scan__study__patient")
        .defer("scan__slabs", "scan__affine_lps", "scan__warnings", "scan__search_text")
        .prefetch_related(Prefetch("scan__pictures", small, to_attr="thumbnails"))
        .annotate(
            has_place=Value(True) if to_begin else ExpressionWrapper(place.room, BooleanField()),
            is_pending=Value(False) if to_begin else ExpressionWrapper(place.pending, BooleanField()),
        )
    )
    page = sorted(found, key=lambda case: ids.index(case.pk))
    seen = _seen(place, page)
    drafts = _latest_drafts(place, page)
    extents = _extents(place, page, seen)
    lines = [_line(place, case, seen[case.pk], drafts.get(case.scan_id), extents.get(case.pk)) for case in page]
    algorithm_id = place.campaign.draft_algorithm_id
    known = known_among(algorithm_id, drafts) if algorithm_id and drafts else set()
    return [replace(line, draft_is_known=True) if line.case.scan_id in known else line for line in lines]


def _seen(place: Place, page: Sequence[Case]) -> dict[Any, list[Seen]]:
    if place.sees_standing:
        readings = readings_in_campaign_for(place.user, place.campaign)
    else:
        readings = Reading.objects.filter(reader_id=place.user.pk)
    here = readings.filter(case__in=[case.pk for case in page]).exclude(state__in=Reading.PAST_STATES)
    rows = here.order_by("repeat", "started_at")
    named = rows.values_list(
        "case_id",
        "pk",
        "stage",
        "state",
        "reader_id",
        "reader__display_name",
        "reader__username",
        "started_at",
        "ended_at",
        "not_before",
        "due_on",
        "signature__version_id",
        "repeat",
    )
    found: dict[Any, list[Seen]] = defaultdict(list)
    for case_id, pk, stage, state, reader, name, username, started, ended, not_before, due_on, version, repeat in named:
        one = Seen(
            pk, stage, state, reader == place.user.pk, name or username, ended or started, not_before, due_on, version
        )
        if one.is_mine and one.state in Reading.OPEN_STATES and repeat:
            # Whoever reads a case again sees nothing of their first reading of it.
            found[case_id] = [other for other in found[case_id] if not other.is_mine]
        found[case_id].append(one)
    return found


def _line(place: Place, case: Case, seen: list[Seen], draft: DraftRun | None, extent_percent: float | None) -> CaseLine:
    own = [one for one in seen if one.is_mine]
    last = own[-1] if own else None
    ready = case.has_place and not case.is_pending  # type: ignore[attr-defined]
    state = _state(place, case, seen, last, draft, ready)
    open_ones = [one for one in seen if one.state in Reading.OPEN_STATES]
    holders = open_ones or ([] if case.has_place and not place.sees_all else seen[-1:])  # type: ignore[attr-defined]
    dues = [day for day in (case.due_on, *(one.due_on for one in open_ones)) if day]
    due_on = min(dues, default=None)
    over = case.state in (Case.DONE, Case.EXCLUDED) if place.sees_all else not (ready or (last and last in open_ones))
    return CaseLine(
        case=case,
        stage=_stage(place, case, last),
        state=state,
        is_ready=bool(ready),
        draft=draft,
        extent_percent=extent_percent,
        holder=", ".join("you" if one.is_mine else one.reader for one in holders),
        since=_since(place, case, seen, last),
        due_on=due_on,
        reason=case.excluded_reason,
        overdue=bool(due_on and due_on < timezone.localdate() and not over),
    )


def _stage(place: Place, case: Case, last: Seen | None) -> str:
    if place.sees_all:
        return case.stage
    if last is not None:
        return last.stage
    return case.stage if place.sees_standing or case.has_place else ""  # type: ignore[attr-defined]


def _since(place: Place, case: Case, seen: list[Seen], last: Seen | None) -> datetime:
    if place.sees_all:
        return max((one.since for one in seen), default=case.added_at)
    return last.since if last else case.added_at


def _state(place: Place, case: Case, seen: list[Seen], last: Seen | None, draft: DraftRun | None, ready: bool) -> State:
    if case.state == Case.EXCLUDED:
        return EXCLUDED
    if last is not None and (own := _own_state(last)):
        return own
    if place.sees_all:
        return _state_for_overseers(place, case, seen, draft)
    if case.has_place:  # type: ignore[attr-defined]
        return _ready_state(place, case) if ready else _draft_state(draft) or WAITING
    if not place.sees_standing:
        return NOT_YOURS
    return {Case.DONE: DONE, Case.DISPUTED: DISPUTED}.get(case.state, OTHERS)


def _own_state(last: Seen) -> State | None:
    if last.state == Reading.ASSIGNED:
        if last.not_before and last.not_before > timezone.now():
            return State(f"to read again from {last.not_before:%Y-%m-%d}", "quiet", "clock")
        return GIVEN
    begun = {Reading.IN_PROGRESS: MINE, Reading.RETURNED: RETURNED}
    return {**begun, Reading.SUBMITTED: SUBMITTED, Reading.SIGNED: SIGNED}.get(last.state)


def _ready_state(place: Place, case: Case) -> State:
    settling = {stage.name for stage in place.stages if stage.only_if_disputed}
    return ADJUDICATE if case.stage in settling else READY


def _draft_state(draft: DraftRun | None) -> State | None:
    if draft is None:
        return None
    return {DraftRun.QUEUED: WAITING, DraftRun.RUNNING: DRAFTING}.get(draft.state)


def _state_for_overseers(place: Place, case: Case, seen: list[Seen], draft: DraftRun | None) -> State:
    if case.state in (Case.DONE, Case.DISPUTED, Case.COMPARING):
        return {Case.DONE: DONE, Case.DISPUTED: DISPUTED, Case.COMPARING: COMPARING}[case.state]
    states = {one.state for one in seen}
    for state, shown in ((Reading.RETURNED, BACK), (Reading.IN_PROGRESS, IN_PROGRESS), (Reading.ASSIGNED, TO_BEGIN)):
        if state in states:
            return shown
    if case.is_pending:  # type: ignore[attr-defined]
        return _draft_state(draft) or WAITING
    if draft is not None and draft.state in DraftRun.IN_VAIN and not seen:
        return FAILED if draft.state == DraftRun.FAILED else CANCELLED
    return _ready_state(place, case)


def _latest_drafts(place: Place, page: Sequence[Case]) -> dict[Any, DraftRun]:
    shown = cases_with_draft_shown(place.user, place.campaign).filter(pk__in=[case.pk for case in page])
    runs = DraftRun.objects.filter(
        scan__in=shown.values("scan_id"),
        algorithm=place.campaign.draft_algorithm_id,
        label_set=place.campaign.label_set_id,
    )
    return {run.scan_id: run for run in runs.order_by("requested_at").defer("options")}


def _extents(place: Place, page: Sequence[Case], seen: dict[Any, list[Seen]]) -> dict[Any, float | None]:
    """Extents by case, as far as they were measured: of what stands for it, or of the last signed reading seen."""
    versions = {}
    for case in page:
        signed = [one.version for one in seen[case.pk] if one.state == Reading.SIGNED and one.version]
        if signed:
            versions[case.pk] = signed[-1]
    if place.sees_all:
        references = Reference.objects.filter(case__in=[case.pk for case in page]).order_by("number")
        versions.update(references.values_list("case_id", "version_id"))
    extent = Cast(KT("values__extent_percent"), FloatField())
    known = dict(
        Measurement.objects.filter(version__in=versions.values()).values_list("version_id").annotate(extent=extent)
    )
    return {case: known[version] for case, version in versions.items() if version in known}
