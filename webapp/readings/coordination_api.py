"""Coordinating for programs: cases moved and taken out, readings listed, people invited, campaigns closed."""

import uuid

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import api_view
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.campaigns.invitation_actions import invite, revoke_invitation
from webapp.campaigns.models import Campaign, Case, Invitation
from webapp.campaigns.queries import campaign_for, current_protocol, open_invitations, roles_of
from webapp.campaigns.standing_actions import archive_campaign, close_campaign, reopen_campaign, unarchive_campaign
from webapp.readings.assignment_actions import read_cases_again, readmit_cases, schedule_cases, take_next_case
from webapp.readings.bulk_actions import draw_repeats, exclude_cases, move_readings
from webapp.readings.campaign_data import CampaignData, campaign_data
from webapp.readings.campaigns_api import ERRORS, asked_page, fields_of_body, overseen, person_named
from webapp.readings.coordination_data import (
    CasesWithReasonData,
    ChangedData,
    IntraReaderPairData,
    InvitationData,
    MoveData,
    MovedData,
    ReadingLineData,
    ReadingPageData,
    RepeatsData,
    ScheduleData,
    StandingData,
    invitation_line,
    pair_line,
    reading_line,
)
from webapp.readings.intra_reader import intra_reader_pairs
from webapp.readings.queries import readings_in_campaign_for

DO = {
    "close": close_campaign,
    "reopen": reopen_campaign,
    "archive": archive_campaign,
    "unarchive": unarchive_campaign,
}
READING_PARAMETERS = [
    OpenApiParameter("state", str),
    OpenApiParameter("stage", str),
    OpenApiParameter("case", int),
    OpenApiParameter("page", int),
    OpenApiParameter("page_size", int),
]


@extend_schema(request=None, responses={201: ReadingLineData, **ERRORS})
@api_view(["POST"])
def begin_next_case(request: Request, slug: str) -> Response:
    """Begin the next case that waits for you in a campaign."""
    reading = take_next_case(campaign=campaign_for(request.user, slug), by=request.user)
    return Response(reading_line(reading), status=201)


@extend_schema(parameters=READING_PARAMETERS, responses={200: ReadingPageData, **ERRORS})
@api_view(["GET"])
def campaign_readings(request: Request, slug: str) -> Response:
    """The readings of a campaign that you may see, by case, narrowed and in pages."""
    readings = readings_in_campaign_for(request.user, campaign_for(request.user, slug))
    asked = {name: request.GET[name] for name in ("state", "stage") if request.GET.get(name)}
    number = request.GET.get("case", "")
    if number.isascii() and number.isdigit() and len(number) < 10:
        asked["case__number"] = number
    page, following = asked_page(request, readings.filter(**asked).order_by("case__number", "started_at", "pk"))
    return Response({"count": page.paginator.count, "next": following, "results": [reading_line(one) for one in page]})


@extend_schema(request=MoveData, responses={200: MovedData, **ERRORS})
@api_view(["POST"])
def move_campaign_cases(request: Request, slug: str) -> Response:
    """Take the open readings of cases from a person, and give what is free then to another, or to nobody."""
    campaign = overseen(request, slug)
    said = fields_of_body(MoveData, request)
    taken, given = move_readings(
        campaign=campaign,
        numbers=said["cases"],
        source=person_named(said["reader"]),
        target=person_named(said["to_reader"]) if said.get("to_reader") else None,
        reason=said["reason"],
        by=request.user,
    )
    return Response({"taken": taken, "given": given})


@extend_schema(request=ScheduleData, responses={200: ChangedData, **ERRORS})
@api_view(["POST"])
def schedule_campaign_cases(request: Request, slug: str) -> Response:
    """Say how urgent cases are, and by when they should be read."""
    campaign = overseen(request, slug)
    said = fields_of_body(ScheduleData, request)
    cases = _cases(campaign, said.pop("cases"))
    return Response({"changed": schedule_cases(campaign=campaign, cases=cases, by=request.user, **said)})


@extend_schema(request=CasesWithReasonData, responses={200: ChangedData, **ERRORS})
@api_view(["POST"])
def exclude_campaign_cases(request: Request, slug: str) -> Response:
    """Take cases out of a campaign; what was read of them stays."""
    campaign = overseen(request, slug)
    said = fields_of_body(CasesWithReasonData, request)
    count = exclude_cases(campaign=campaign, numbers=said["cases"], reason=said["reason"], by=request.user)
    return Response({"changed": count})


@extend_schema(request=CasesWithReasonData, responses={200: ChangedData, **ERRORS})
@api_view(["POST"])
def readmit_campaign_cases(request: Request, slug: str) -> Response:
    """Take cases that have left back into a campaign."""
    campaign = overseen(request, slug)
    said = fields_of_body(CasesWithReasonData, request)
    cases = _cases(campaign, said["cases"])
    return Response({"changed": readmit_cases(campaign=campaign, cases=cases, reason=said["reason"], by=request.user)})


@extend_schema(request=CasesWithReasonData, responses={200: ChangedData, **ERRORS})
@api_view(["POST"])
def read_campaign_cases_again(request: Request, slug: str) -> Response:
    """Have cases that were read under an older protocol read anew under the present one."""
    campaign = overseen(request, slug)
    said = fields_of_body(CasesWithReasonData, request)
    cases = _cases(campaign, said["cases"])
    return Response(
        {"changed": read_cases_again(campaign=campaign, cases=cases, reason=said["reason"], by=request.user)}
    )


@extend_schema(methods=["GET"], responses={200: IntraReaderPairData(many=True), **ERRORS})
@extend_schema(methods=["POST"], request=RepeatsData, responses={200: ChangedData, **ERRORS})
@api_view(["GET", "POST"])
def campaign_repeats(request: Request, slug: str) -> Response:
    """GET: each signed repeat with the first reading that it repeats, as far as you may see both.

    POST: have a random sample of signed readings read again by the same readers, blinded to their first.
    """
    campaign = overseen(request, slug)
    if request.method == "GET":
        return Response([pair_line(pair) for pair in intra_reader_pairs(request.user, campaign)])
    said = fields_of_body(RepeatsData, request)
    return Response({"changed": draw_repeats(campaign=campaign, by=request.user, **said)})


@extend_schema(request=StandingData, responses={200: CampaignData, **ERRORS})
@api_view(["POST"])
def change_campaign_standing(request: Request, slug: str) -> Response:
    """Close a campaign, open it again, archive it, or take it out of the archive."""
    campaign = overseen(request, slug)
    said = fields_of_body(StandingData, request)
    changed = DO[said["do"]](campaign=campaign, reason=said["reason"], by=request.user)
    version = current_protocol(changed).version
    return Response(campaign_data(changed, version, roles_of(request.user, changed)))


@extend_schema(methods=["GET"], responses={200: InvitationData(many=True), **ERRORS})
@extend_schema(methods=["POST"], request=InvitationData, responses={201: InvitationData, **ERRORS})
@api_view(["GET", "POST"])
def campaign_invitations(request: Request, slug: str) -> Response:
    """GET: the open invitations, without their links. POST: make one; its link is told this once."""
    campaign = overseen(request, slug)
    if request.method == "GET":
        return Response([invitation_line(one) for one in open_invitations(campaign, timezone.now())])
    said = fields_of_body(InvitationData, request)
    made, secret = invite(campaign=campaign, role=said["role"], days=said["days"], by=request.user)
    return Response(invitation_line(made, secret), status=201)


@extend_schema(request=None, responses={200: InvitationData, **ERRORS})
@api_view(["POST"])
def revoke_campaign_invitation(request: Request, slug: str, invitation_id: uuid.UUID) -> Response:
    """End an invitation that nobody used."""
    campaign = overseen(request, slug)
    found = Invitation.objects.filter(campaign=campaign, pk=invitation_id).select_related("campaign").first()
    if found is None:
        raise NotFound("No such invitation.")
    return Response(invitation_line(revoke_invitation(invitation=found, by=request.user)))


def _cases(campaign: Campaign, numbers: list[int]) -> list[Case]:
    return list(Case.objects.filter(campaign=campaign, number__in=numbers).order_by("pk"))
