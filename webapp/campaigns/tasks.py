"""Work of campaigns in the worker."""

import uuid

from django.db.models import QuerySet

from webapp.algorithms.actions import request_draft
from webapp.algorithms.queries import latest_draft
from webapp.audit.actor import SYSTEM
from webapp.audit.refusal import ActionRefused
from webapp.campaigns.models import Campaign, Case
from webapp.jobs import task


@task("campaigns.ask_for_drafts")
def ask_for_drafts(campaign_id: str, algorithm_id: int) -> None:
    """Ask for the drafts of a campaign's cases by the version that was chosen for them, where they have none of it.

    Those that are not done come first. One transaction a case, so that the trail is free for others in between; done
    again, it asks for what is left.
    """
    campaign = Campaign.objects.select_related("draft_algorithm", "label_set").get(pk=campaign_id)
    algorithm = campaign.draft_algorithm
    if algorithm is None or algorithm.pk != algorithm_id:
        return  # yet another one was chosen, which asks for its own
    cases = Case.objects.filter(campaign=campaign).exclude(state=Case.EXCLUDED).order_by("number")
    for pk in [*_ids(cases.exclude(state=Case.DONE)), *_ids(cases.filter(state=Case.DONE))]:
        case = Case.objects.filter(pk=pk).select_related("scan").first()
        if case is None or latest_draft(case.scan, algorithm, campaign.label_set) is not None:
            continue
        try:
            request_draft(scan=case.scan, algorithm=algorithm, label_set=campaign.label_set, by=SYSTEM)
        except ActionRefused as refused:
            if refused.code == "retired":
                return


def _ids(cases: QuerySet[Case]) -> list[uuid.UUID]:
    return list(cases.values_list("pk", flat=True))
