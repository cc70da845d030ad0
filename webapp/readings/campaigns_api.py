"""Campaigns for programs: made, read, changed, staffed, their cases listed and assigned; as the pages do it."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.db.models import Max, QuerySet
from drf_spectacular.utils import OpenApiParameter, OpenApiTypes, extend_schema
from rest_framework.decorators import api_view
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from webapp.accounts.models import User
from webapp.accounts.queries import person_called
from webapp.audit.refusal import ActionRefused, Refusal, require
from webapp.campaigns.actions import add_member, open_campaign, set_protocol
from webapp.campaigns.configurations import configuration_of_document, stages_from, terms_from
from webapp.campaigns.models import Campaign, Membership
from webapp.campaigns.queries import campaign_for, campaigns_for, current_protocol, personal_campaign_of, roles_of
from webapp.campaigns.review_actions import begin_case_review
from webapp.campaigns.rules import may_create_campaign, may_see_settings
from webapp.campaigns.scan_actions import add_scans
from webapp.campaigns.scan_lists import scans_named
from webapp.readings.assigning_queries import CaseFilter, cases_to_assign, holders_of
from webapp.readings.bulk_actions import assign_at_random, assign_cases
from webapp.readings.campaign_data import (
    AddedData,
    AssignData,
    AssignedData,
    CampaignData,
    CasePageData,
    MemberData,
    NewCampaignData,
    NewProtocolData,
    ProtocolData,
    RemovedData,
    ScansData,
    campaign_data,
    case_data,
    member_data,
    protocol_data,
)
from webapp.readings.queries import sees_all_readings
from webapp.readings.team_actions import remove_member

OBJECT = OpenApiTypes.OBJECT
ERRORS = {400: OBJECT, 401: OBJECT, 403: OBJECT, 404: OBJECT, 409: OBJECT}
A_PAGE, MOST_A_PAGE = 100, 1000
CASE_PARAMETERS = [
    *(OpenApiParameter(name, str) for name in ("state", "stage", "site", "reader", "due", "kind", "numbers")),
    OpenApiParameter("page", int),
    OpenApiParameter("page_size", int),
]


def fields_of_body(kind: type[Serializer[Any]], request: Request) -> dict[str, Any]:
    """The fields of a request's body, as a serialiser reads them; ActionRefused with what is wrong."""
    said = kind(data=request.data)
    if not said.is_valid():
        words = "; ".join(f"{name}: {' '.join(str(one) for one in faults)}" for name, faults in said.errors.items())
        raise ActionRefused(Refusal("malformed", words[:500]))
    return dict(said.validated_data)


def overseen(request: Request, slug: str) -> Campaign:
    """A campaign for its coordinators and auditors; 403 for its other members, Http404 for everybody else."""
    campaign = campaign_for(request.user, slug)
    refusal = may_see_settings(campaign, request.user)
    if refusal:
        raise PermissionDenied(refusal.sentence, refusal.code)
    return campaign


def person_named(username: str) -> User:
    """Who signs in so; ActionRefused where nobody does."""
    person = person_called(username)
    if person is None:
        raise ActionRefused(Refusal("no_such_person", f"Nobody here signs in as {username[:60]}."))
    return person


@extend_schema(methods=["GET"], operation_id="campaigns_list", responses={200: CampaignData(many=True), **ERRORS})
@extend_schema(methods=["POST"], request=NewCampaignData, responses={201: CampaignData, **ERRORS})
@api_view(["GET", "POST"])
def campaigns(request: Request) -> Response:
    """GET: your campaigns. POST: make one by a configuration; you coordinate it."""
    if request.method == "POST":
        require(may_create_campaign(request.user))
        said = fields_of_body(NewCampaignData, request)
        configuration = configuration_of_document(said["configuration"])
        made = open_campaign(slug=said["slug"], name=said["name"], configuration=configuration, by=request.user)
        return Response(campaign_data(made, 1, {"coordinator"}), status=201)
    return Response(_campaigns_of(request.user))


def _campaigns_of(user: User) -> list[dict[str, Any]]:
    mine = list(campaigns_for(user).select_related("label_set", "draft_algorithm"))
    roles: dict[Any, set[str]] = defaultdict(set)
    for campaign, role in Membership.objects.filter(user_id=user.pk).values_list("campaign_id", "role"):
        roles[campaign].add(role)
    numbered = Campaign.objects.filter(pk__in=[one.pk for one in mine]).annotate(last=Max("protocols__version"))
    versions = dict(numbered.values_list("pk", "last"))
    return [campaign_data(one, versions[one.pk], roles[one.pk]) for one in mine]


@extend_schema(request=None, responses={200: CampaignData, **ERRORS})
@api_view(["POST"])
def case_reviews(request: Request) -> Response:
    """The campaign of your own case reviews, to send scans to; made where there is none yet."""
    place = personal_campaign_of(request.user)
    if place is None:
        try:
            place = begin_case_review(by=request.user)
        except ActionRefused:
            place = personal_campaign_of(request.user)  # another request was first
            if place is None:
                raise
    return Response(campaign_data(place, current_protocol(place).version, roles_of(request.user, place)))


@extend_schema(responses={200: CampaignData, **ERRORS})
@api_view(["GET"])
def campaign_detail(request: Request, slug: str) -> Response:
    """One campaign of yours."""
    campaign = campaign_for(request.user, slug)
    version = current_protocol(campaign).version
    return Response(campaign_data(campaign, version, roles_of(request.user, campaign)))


@extend_schema(methods=["GET"], responses={200: ProtocolData(many=True), **ERRORS})
@extend_schema(methods=["POST"], request=NewProtocolData, responses={201: ProtocolData, **ERRORS})
@api_view(["GET", "POST"])
def campaign_protocols(request: Request, slug: str) -> Response:
    """GET: the versions of the protocol, the newest first. POST: make the next one."""
    campaign = overseen(request, slug)
    if request.method == "GET":
        return Response([protocol_data(one) for one in campaign.protocols.order_by("-version")])
    said = fields_of_body(NewProtocolData, request)
    made = set_protocol(
        campaign=campaign,
        stages=stages_from(said["stages"]),
        terms=terms_from(said["terms"]),
        statement=said["statement"],
        note=said["note"],
        known_version=said["known_version"],
        by=request.user,
    )
    return Response(protocol_data(made), status=201)


@extend_schema(methods=["GET"], responses={200: MemberData(many=True), **ERRORS})
@extend_schema(methods=["POST"], request=MemberData, responses={201: MemberData, **ERRORS})
@api_view(["GET", "POST"])
def campaign_members(request: Request, slug: str) -> Response:
    """GET: who is in the campaign as what. POST: give a person who has an account a role."""
    campaign = overseen(request, slug)
    if request.method == "GET":
        members = Membership.objects.filter(campaign=campaign).select_related("user")
        return Response([member_data(one) for one in members.order_by("role", "user__username")])
    said = fields_of_body(MemberData, request)
    added = add_member(campaign=campaign, user=person_named(said["username"]), role=said["role"], by=request.user)
    return Response(member_data(added), status=201)


@extend_schema(request=MemberData, responses={200: RemovedData, **ERRORS})
@api_view(["POST"])
def remove_campaign_member(request: Request, slug: str) -> Response:
    """Take a role from a person; their open readings in it go back."""
    campaign = overseen(request, slug)
    said = fields_of_body(MemberData, request)
    person = person_named(said["username"])
    released = remove_member(campaign=campaign, user=person, role=said["role"], by=request.user)
    return Response({"released": released})


def asked_page(request: Request, rows: QuerySet[Any], query: Mapping[str, str] | None = None) -> tuple[Any, str | None]:
    """The page of rows that a request asks for (?page, ?page_size), and the address of the next; None at the end.

    `query` is what else stands in the address; without it, everything that was asked.
    """
    size = _number(request.GET.get("page_size", ""), A_PAGE, MOST_A_PAGE)
    page = Paginator(rows, size).get_page(request.GET.get("page"))
    if not page.has_next():
        return page, None
    said = request.GET.dict() if query is None else query
    following = urlencode({**said, "page_size": size, "page": page.next_page_number()})
    return page, request.build_absolute_uri(f"{request.path}?{following}")


@extend_schema(parameters=CASE_PARAMETERS, responses={200: CasePageData, **ERRORS})
@api_view(["GET"])
def campaign_cases(request: Request, slug: str) -> Response:
    """The cases of a campaign with who holds them, by number, narrowed and in pages."""
    campaign = overseen(request, slug)
    if not sees_all_readings(roles_of(request.user, campaign), campaign):
        raise PermissionDenied("You read blinded in this campaign: who holds which case would unblind you.")
    asked = CaseFilter.of(request.GET.dict())
    page, following = asked_page(request, cases_to_assign(campaign, asked), asked.query)
    cases = list(page)
    holders = holders_of(cases)
    results = [case_data(case, holders[case.pk]) for case in cases]
    return Response({"count": page.paginator.count, "next": following, "results": results})


@extend_schema(request=ScansData, responses={201: AddedData, **ERRORS})
@api_view(["POST"])
def add_campaign_scans(request: Request, slug: str) -> Response:
    """Put scans that are here into a campaign, all or none: by pseudonym, series UID or id of the scan."""
    campaign = overseen(request, slug)
    said = fields_of_body(ScansData, request)
    chosen = scans_named(request.user, "\n".join(said["scans"]))
    added = add_scans(campaign=campaign, scans=chosen, by=request.user)
    return Response({"cases": [case.number for case in added], "already": len(chosen) - len(added)}, status=201)


def _number(text: str, otherwise: int, most: int) -> int:
    return min(most, int(text)) if text.isascii() and text.isdigit() and 0 < len(text) < 6 and int(text) else otherwise


@extend_schema(request=AssignData, responses={200: AssignedData, **ERRORS})
@api_view(["POST"])
def assign_campaign_cases(request: Request, slug: str) -> Response:
    """Give cases to one reader, or deal them out to several at random by a seed."""
    campaign = overseen(request, slug)
    said = fields_of_body(AssignData, request)
    one, several, seed = said.get("reader"), said.get("readers"), said.get("seed")
    common: dict[str, Any] = {"campaign": campaign, "numbers": said["cases"], "due_on": said.get("due_on")}
    if one is not None and several is None:
        count = assign_cases(reader=person_named(one), by=request.user, **common)
    elif several is not None and one is None and seed is not None:
        people = [person_named(name) for name in several]
        count = assign_at_random(readers=people, seed=seed, by=request.user, **common)
    else:
        raise ActionRefused(Refusal("malformed", "Name one reader, or readers and a seed."))
    return Response({"assigned": count})
