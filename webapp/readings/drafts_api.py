"""AI drafts for programs: listed with where they stand, asked for, cancelled, tried again."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import api_view
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.audit.refusal import ActionRefused, Refusal
from webapp.campaigns.draft_actions import cancel_drafts, request_drafts, retry_drafts
from webapp.campaigns.draft_queries import algorithm_named, counts_by_state, current_runs, default_algorithm
from webapp.campaigns.models import Campaign
from webapp.readings.campaigns_api import ERRORS, asked_page, fields_of_body, overseen
from webapp.readings.coordination_data import ChangedData
from webapp.readings.drafts import DraftFilter, draft_lines, may_see_drafts, sees_uncertainty
from webapp.readings.drafts_data import (
    AskedData,
    AskForDraftsData,
    ChosenDraftsData,
    DraftPageData,
    asked_data,
    draft_data,
)

PARAMETERS = [
    OpenApiParameter("state", str),
    OpenApiParameter("algorithm", str, description="name@version"),
    OpenApiParameter("order", str, enum=["uncertain"]),
    OpenApiParameter("page", int),
    OpenApiParameter("page_size", int),
]


@extend_schema(methods=["GET"], parameters=PARAMETERS, responses={200: DraftPageData, **ERRORS})
@extend_schema(methods=["POST"], request=AskForDraftsData, responses={200: AskedData, **ERRORS})
@api_view(["GET", "POST"])
def campaign_drafts(request: Request, slug: str) -> Response:
    """GET: the last run of each case and algorithm, narrowed and in pages. POST: ask for drafts of cases."""
    campaign = overseen(request, slug)
    if request.method == "POST":
        return Response(asked_data(_asked(request, campaign)))
    user: Any = request.user
    if refusal := may_see_drafts(user, campaign):
        raise PermissionDenied(refusal.sentence, refusal.code)
    may_order = sees_uncertainty(user, campaign)
    asked = DraftFilter.of(request.GET.dict(), campaign, may_order=may_order)
    runs = current_runs(campaign)
    page, following = asked_page(request, asked.listed(runs), asked.query)
    return Response(
        {
            "count": page.paginator.count,
            "states": counts_by_state(asked.within(runs)),
            "next": following,
            "results": [draft_data(line) for line in draft_lines(user, campaign, list(page))],
        }
    )


def _asked(request: Request, campaign: Campaign) -> Any:
    said = fields_of_body(AskForDraftsData, request)
    if said["all"] == ("cases" in said):
        raise ActionRefused(Refusal("malformed", "Name cases, or say all: one of the two."))
    if "algorithm" in said:
        algorithm = algorithm_named(campaign, said["algorithm"], said.get("version", ""))
    else:
        algorithm = default_algorithm(campaign)
    return request_drafts(campaign=campaign, numbers=said.get("cases"), algorithm=algorithm, by=request.user)


def _chosen(request: Request) -> list[Any] | None:
    said = fields_of_body(ChosenDraftsData, request)
    if said["all"] == ("runs" in said):
        raise ActionRefused(Refusal("malformed", "Name runs, or say all: one of the two."))
    return said.get("runs")


@extend_schema(request=ChosenDraftsData, responses={200: ChangedData, **ERRORS})
@api_view(["POST"])
def cancel_campaign_drafts(request: Request, slug: str) -> Response:
    """Cancel runs: what waits leaves the line at once, what is under way stops at its next report."""
    campaign = overseen(request, slug)
    return Response({"changed": cancel_drafts(campaign=campaign, run_ids=_chosen(request), by=request.user)})


@extend_schema(request=ChosenDraftsData, responses={200: AskedData, **ERRORS})
@api_view(["POST"])
def retry_campaign_drafts(request: Request, slug: str) -> Response:
    """Have failed or cancelled runs made anew."""
    campaign = overseen(request, slug)
    return Response(asked_data(retry_drafts(campaign=campaign, run_ids=_chosen(request), by=request.user)))
