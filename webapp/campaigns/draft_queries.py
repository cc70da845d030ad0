"""The AI drafts of a campaign: which algorithms it may use, and every run of them over its scans."""

from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from webapp.algorithms.models import Algorithm, DraftRun
from webapp.audit.refusal import ActionRefused, Refusal
from webapp.campaigns.models import Campaign, Case
from webapp.campaigns.queries import algorithms_of


def default_algorithm(campaign: Campaign) -> Algorithm:
    """The algorithm that a campaign's drafts are by where nobody names one; ActionRefused where it has none."""
    if campaign.draft_algorithm is None:
        raise ActionRefused(Refusal("no_algorithm", "This campaign has no algorithm that makes drafts: name one."))
    return campaign.draft_algorithm


def algorithm_named(campaign: Campaign, name: str, version: str) -> Algorithm:
    """One of a campaign's algorithms; ActionRefused where it may not use such a one."""
    found = algorithms_of(campaign).filter(name=name, version=version).first()
    if found is None:
        sentence = f"This campaign may not use an algorithm {name[:80]!r} of version {version[:40]!r}."
        raise ActionRefused(Refusal("no_such_algorithm", sentence))
    return found


def algorithms_to_ask(campaign: Campaign) -> QuerySet[Algorithm]:
    """Those of a campaign's algorithms that may begin new runs."""
    return algorithms_of(campaign).filter(retired_at=None)


def runs_of(campaign: Campaign) -> QuerySet[DraftRun]:
    """Every run, over a scan of a campaign and under its labels, of the algorithms that it may use."""
    cases = Case.objects.filter(campaign=campaign)
    theirs = Q(algorithm__in=algorithms_of(campaign).order_by().values("pk")) | Q(algorithm=campaign.draft_algorithm_id)
    return DraftRun.objects.filter(theirs, scan__in=cases.values("scan"), label_set=campaign.label_set_id)


def current_runs(campaign: Campaign) -> QuerySet[DraftRun]:
    """Of those the last of each scan and algorithm: what was asked for again is no longer where a draft stands."""
    later = DraftRun.objects.filter(
        scan=OuterRef("scan"),
        algorithm=OuterRef("algorithm"),
        label_set=OuterRef("label_set"),
        requested_at__gt=OuterRef("requested_at"),
    )
    return runs_of(campaign).filter(~Exists(later))


def counts_by_state(runs: QuerySet[DraftRun]) -> dict[str, int]:
    """How many of some runs there are in each state, in the order of a run's life."""
    counted = dict(runs.order_by().values_list("state").annotate(count=Count("pk")))
    return {state: counted.get(state, 0) for state in DraftRun.STATES}


def cases_without_draft(campaign: Campaign, algorithm: Algorithm) -> QuerySet[Case]:
    """The cases, of those that are still in the campaign, that have no draft of an algorithm, nor one under way."""
    runs = DraftRun.objects.filter(algorithm=algorithm, label_set=campaign.label_set_id)
    served = runs.exclude(state__in=DraftRun.IN_VAIN).values("scan")
    return Case.objects.filter(campaign=campaign, excluded_reason="").exclude(scan__in=served)


def numbers_of(campaign: Campaign, runs: Any) -> dict[Any, int]:
    """The numbers of the cases that runs are of, by scan."""
    scans = {run.scan_id for run in runs}
    return dict(Case.objects.filter(campaign=campaign, scan__in=scans).values_list("scan_id", "number"))
