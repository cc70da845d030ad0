"""The door of a DICOMweb root: who asks, which campaign it is, what they may see there, and how a no is said."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase

from inference.imaging.transcode import Undecodable
from webapp.accounts.authentication import open_to_programs
from webapp.archive.models import Series
from webapp.archive.storage import DamagedFile
from webapp.campaigns.metadata import HIDDEN_FROM_DICOM, hides_metadata_from
from webapp.campaigns.models import Campaign
from webapp.campaigns.queries import campaign_for
from webapp.dicomweb.faults import BadRequest, Damaged, Fault, Hidden, NotFound
from webapp.dicomweb.parameters import check_uid
from webapp.releases.queries import series_for

KINDS = {"study_uid": "Study Instance UID", "series_uid": "Series Instance UID", "sop_uid": "SOP Instance UID"}
METHODS = ("GET", "HEAD")
FORWARDED = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded", "Via")
DAMAGED = "A file of it is missing or damaged in storage. Tell an administrator: archive verify."


@dataclass(frozen=True)
class Place:
    """A campaign as one person's DICOMweb server: its address and the series that they may see."""

    campaign: Campaign
    series: QuerySet[Series]
    url: str


def dicomweb(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """A view of a campaign's DICOMweb root: `view(request, place, **uids)`.

    The right is the campaign's membership, asked for on each request; outsiders get 404. Faults become JSON.
    """

    @open_to_programs
    @functools.wraps(view)
    def run(request: HttpRequest, slug: str, **uids: Any) -> HttpResponseBase:
        if request.method not in METHODS:
            return _read_only()
        try:
            answer = view(request, _place(request, slug), **_checked(uids))
        except Fault as fault:
            return fault.answer()
        except DamagedFile:
            return Damaged(DAMAGED).answer()
        except Undecodable as error:
            return Damaged(str(error)).answer()
        return _head_of(answer) if request.method == "HEAD" else answer

    return run


def _read_only() -> JsonResponse:
    answer = JsonResponse({"error": "method", "sentence": "This address is only read (GET)."}, status=405)
    answer["Allow"] = ", ".join(METHODS)
    return answer


def _head_of(answer: HttpResponseBase) -> HttpResponseBase:
    """The same answer without its body, which need not be made then."""
    if not answer.streaming:
        return answer
    return HttpResponse(headers=answer.headers, status=answer.status_code)


def _place(request: HttpRequest, slug: str) -> Place:
    try:
        campaign = campaign_for(request.user, slug)  # type: ignore[arg-type]
    except Http404 as error:
        raise NotFound("There is no such campaign.") from error
    if hides_metadata_from(request.user, campaign):  # type: ignore[arg-type]
        raise Hidden(HIDDEN_FROM_DICOM)
    return Place(campaign, series_for(request.user, campaign), _address(request, campaign))  # type: ignore[arg-type]


def _address(request: HttpRequest, campaign: Campaign) -> str:
    """The address of a root as the client reached it, for the addresses in answers.

    dicomweb-client leaves the port out of its Host header. Where it came to us directly, our own port is put back;
    a proxy in front, which says so in a header of its own, knows its port better.
    """
    url = request.build_absolute_uri(f"/dicomweb/{campaign.slug}")
    host, port = request.get_host(), request.META.get("SERVER_PORT", "")
    direct = not any(name in request.headers for name in FORWARDED)
    portless = ":" not in host.rpartition("]")[2]
    usual = {"http": "80", "https": "443"}.get(request.scheme or "", port)
    return url.replace(host, f"{host}:{port}", 1) if direct and portless and port != usual else url


def _checked(uids: dict[str, Any]) -> dict[str, Any]:
    for name, value in uids.items():
        if name in KINDS:
            check_uid(value, KINDS[name])
        elif "\0" in str(value):
            raise BadRequest("The address holds a NUL character.")
    return uids
