"""What people may see of AI drafts: of the runs of a campaign, of the line that they wait in, of how sure they are."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Case as Case_
from django.db.models import F, IntegerField, OrderBy, QuerySet, Value, When

from webapp.accounts.models import User
from webapp.algorithms.models import Algorithm, DraftRun
from webapp.algorithms.queueing import QUEUE_TOPIC
from webapp.algorithms.training_sets import known_among
from webapp.algorithms.waiting import Wait, waits_of
from webapp.audit.refusal import Refusal
from webapp.campaigns.draft_queries import current_runs
from webapp.campaigns.models import OVERSEERS, Campaign, Case
from webapp.campaigns.queries import algorithms_of, campaigns_for, roles_of
from webapp.readings.queries import cases_with_draft_shown, draft_is_shown, sees_all_readings

# As the page lists them: what moves first, then what wants somebody, then what is done.
STATE_ORDER = (DraftRun.RUNNING, DraftRun.QUEUED, DraftRun.FAILED, DraftRun.CANCELLED, DraftRun.FINISHED)


def may_see_drafts(user: User, campaign: Campaign) -> Refusal | None:
    """Whether a person may look at all runs of a campaign: its coordinators and auditors.

    Those of them who read in it as well may where each of its readers sees each draft.
    """
    roles = roles_of(user, campaign)
    if not roles & OVERSEERS:
        return Refusal("not_overseer", "Only coordinators and auditors of this campaign see all of its AI drafts.")
    if sees_all_readings(roles, campaign):
        return None
    hidden = Case.objects.filter(campaign=campaign).exclude(pk__in=cases_with_draft_shown(user, campaign))
    if hidden.exists():
        return Refusal("blinded", "You read in this campaign without the AI draft: its runs would tell you of it.")
    return None


def sees_uncertainty(user: User, campaign: Campaign) -> bool:
    """Whether a person may know how sure an algorithm is of a case: coordinators and auditors who do not read in it."""
    return sees_all_readings(roles_of(user, campaign), campaign)


def key_of(algorithm: Algorithm) -> str:
    """An algorithm's version as addresses and forms name it."""
    return f"{algorithm.name}@{algorithm.version}"


@dataclass(frozen=True)
class DraftFilter:
    """What a list of runs is narrowed to, and whether the most uncertain come first."""

    state: str = ""
    algorithm: str = ""  # its name@version
    uncertain_first: bool = False

    @classmethod
    def of(cls, asked: Mapping[str, str], campaign: Campaign, *, may_order: bool) -> "DraftFilter":
        """Read an address; what means nothing narrows nothing."""
        state, algorithm = asked.get("state", ""), asked.get("algorithm", "")
        return cls(
            state=state if state in DraftRun.STATES else "",
            algorithm=algorithm if algorithm in {key_of(one) for one in algorithms_of(campaign)} else "",
            uncertain_first=may_order and asked.get("order") == "uncertain",
        )

    def within(self, runs: QuerySet[DraftRun]) -> QuerySet[DraftRun]:
        """The runs of its algorithm, in any state."""
        if not self.algorithm:
            return runs
        name, _, version = self.algorithm.partition("@")
        return runs.filter(algorithm__name=name, algorithm__version=version)

    def listed(self, runs: QuerySet[DraftRun]) -> QuerySet[DraftRun]:
        """The runs that it lets through, in their order: those in line as workers take them."""
        runs = self.within(runs)
        runs = runs.filter(state=self.state) if self.state else runs
        runs = runs.select_related("algorithm", "scan__study__patient")
        runs = runs.defer("scan__slabs", "scan__affine_lps", "scan__warnings", "scan__search_text")
        if self.uncertain_first:
            return runs.order_by(OrderBy(F("uncertainty"), descending=True, nulls_last=True), "pk")
        ranks = [When(state=state, then=Value(rank)) for rank, state in enumerate(STATE_ORDER)]
        in_line = Case_(When(state__in=DraftRun.OPEN_STATES, then=F("job_id")), default=None)
        return runs.order_by(
            Case_(*ranks, output_field=IntegerField()), in_line, F("finished_at").desc(nulls_last=True), "pk"
        )

    @property
    def query(self) -> dict[str, str]:
        """What is asked for, as an address says it."""
        order = "uncertain" if self.uncertain_first else ""
        said = {"state": self.state, "algorithm": self.algorithm, "order": order}
        return {name: value for name, value in said.items() if value}


@dataclass(frozen=True)
class DraftLine:
    """One run as a person sees it; `wait` while it is open, `uncertainty` None to whoever may not know it."""

    run: DraftRun
    case: Case
    wait: Wait | None
    uncertainty: float | None
    # The scan is in the training data of what drafted it.
    is_known: bool = False

    @property
    def is_open(self) -> bool:
        """Whether it is in line or under way."""
        return self.run.state in DraftRun.OPEN_STATES

    @property
    def is_in_vain(self) -> bool:
        """Whether it may be made anew."""
        return self.run.state in DraftRun.IN_VAIN


def draft_lines(user: User, campaign: Campaign, runs: Sequence[DraftRun]) -> list[DraftLine]:
    """The lines of some runs of a campaign, in their order."""
    cases = Case.objects.filter(campaign=campaign, scan__in={run.scan_id for run in runs})
    by_scan = {case.scan_id: case for case in cases}
    waits, knows, known = waits_of(runs), sees_uncertainty(user, campaign), _known(runs)
    return [
        DraftLine(run, by_scan[run.scan_id], waits.get(run.pk), run.uncertainty if knows else None, run.pk in known)
        for run in runs
        if run.scan_id in by_scan
    ]


def _known(runs: Sequence[DraftRun]) -> set[uuid.UUID]:
    """The ids of those of some runs whose scan their algorithm knows from its training; a query an algorithm."""
    known: set[uuid.UUID] = set()
    for algorithm_id in {run.algorithm_id for run in runs}:
        scans = known_among(algorithm_id, [run.scan_id for run in runs if run.algorithm_id == algorithm_id])
        known |= {run.pk for run in runs if run.algorithm_id == algorithm_id and run.scan_id in scans}
    return known


def drafts_of_case_for(user: User, case: Case) -> list[DraftLine]:
    """The last run of each algorithm over a case that a person may know of, the one that readings begin from first.

    Readers know of that one alone, and of it only where their protocol shows it.
    """
    campaign = case.campaign
    runs = current_runs(campaign).filter(scan=case.scan_id).select_related("algorithm")
    if not sees_all_readings(roles_of(user, campaign), campaign):
        if not draft_is_shown(user, case):
            return []
        runs = runs.filter(algorithm=campaign.draft_algorithm_id)
    found = sorted(runs, key=lambda run: (run.algorithm_id != campaign.draft_algorithm_id, str(run.algorithm)))
    return draft_lines(user, campaign, found)


def may_hear_draft(user: User, run_id: str) -> bool:
    """Whether a person may hear how a run gets on: of a case whose draft they may see."""
    run = DraftRun.objects.filter(pk=uuid.UUID(run_id)).first()
    if run is None:
        return False
    cases = Case.objects.filter(scan=run.scan_id, campaign__label_set=run.label_set_id)
    mine = cases.filter(campaign__in=campaigns_for(user)).select_related("campaign")
    return any(run.pk in {line.run.pk for line in drafts_of_case_for(user, case)} for case in mine)


def may_hear_queue(user: User, name: str) -> bool:
    """Whether a person may hear that the line of drafts moved: whoever sees a draft anywhere. It is nobody's line."""
    if f"queue:{name}" != QUEUE_TOPIC:
        return False
    return any(cases_with_draft_shown(user, campaign).exists() for campaign in campaigns_for(user))
