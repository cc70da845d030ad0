"""Downloads. Every one is checked against the reader's rights, and written to the campaign's trail before it leaves."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from typing import IO

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_GET

from webapp.archive.storage import DamagedFile
from webapp.audit.answers import refused_with
from webapp.audit.refusal import Refusal
from webapp.campaigns.metadata import hides_metadata_from, without_metadata
from webapp.campaigns.models import Campaign, Case
from webapp.campaigns.queries import campaign_for, case_for
from webapp.readings.models import Reading
from webapp.readings.queries import exportable_readings_for
from webapp.releases import exports
from webapp.releases.actions import download_export
from webapp.releases.exports import Export
from webapp.releases.rules import may_export, may_export_dicom, may_export_seg

# Up to this size a file goes out in one piece; larger ones are read from disk while they are sent.
IN_ONE_PIECE_BYTES = 4 * 1024 * 1024
BLOCK = 1024 * 1024
DAMAGED = Refusal(
    "damaged",
    "A file of this scan in the archive is missing or damaged, so nothing was exported. Tell your administrator: "
    "the server's log names the file.",
)
Builder = Callable[[list[Reading]], Export]


@require_GET
@login_required
def case_nifti(request: HttpRequest, slug: str, number: int) -> HttpResponseBase:
    """NIfTI of the case's last signed reading, or of ?reading=<id>."""
    case = case_for(request.user, slug, number)
    return _hand_out(request, case.campaign, case, _chosen(request, case), lambda rs: exports.case_nifti(rs[-1]))


@require_GET
@login_required
def case_findings_seg(request: HttpRequest, slug: str, number: int) -> HttpResponseBase:
    """DICOM SEG of the findings."""
    return _case_object(request, slug, number, "findings")


@require_GET
@login_required
def case_anatomy_seg(request: HttpRequest, slug: str, number: int) -> HttpResponseBase:
    """DICOM SEG of the lungs."""
    return _case_object(request, slug, number, "anatomy")


@require_GET
@login_required
def case_report(request: HttpRequest, slug: str, number: int) -> HttpResponseBase:
    """DICOM SR of the measurements."""
    return _case_object(request, slug, number, "report")


@require_GET
@login_required
def case_report_pdf(request: HttpRequest, slug: str, number: int) -> HttpResponseBase:
    """The report of the case's last signed reading, or of ?reading=<id>, on one page."""
    case = case_for(request.user, slug, number)
    return _hand_out(
        request, case.campaign, case, _chosen(request, case), lambda rs: exports.case_report(rs[-1], request.user)
    )


@require_GET
@login_required
def case_measurements(request: HttpRequest, slug: str, number: int) -> HttpResponseBase:
    """Measurements of all signed readings of the case that this person may see, or of ?reading=<id>."""
    case = case_for(request.user, slug, number)
    readings = _chosen(request, case) if "reading" in request.GET else _all(request, case.campaign, case)
    stem = exports.case_name(case)
    return _hand_out(request, case.campaign, case, readings, lambda rs: exports.measurements_table(stem, rs))


@require_GET
@login_required
def campaign_nifti(request: HttpRequest, slug: str) -> HttpResponseBase:
    """NIfTI of every signed reading of the campaign that this person may see."""
    place = campaign_for(request.user, slug)
    return _hand_out(request, place, None, _all(request, place), lambda rs: exports.campaign_nifti(place, rs))


@require_GET
@login_required
def campaign_seg(request: HttpRequest, slug: str) -> HttpResponseBase:
    """DICOM SEG of every signed reading of the campaign that this person may see."""
    place = campaign_for(request.user, slug)
    refusal = may_export_dicom(place, request.user)
    if refusal is not None:
        return _refused(request, refusal, place, None)
    return _hand_out(request, place, None, _all(request, place), lambda rs: exports.campaign_seg(place, rs))


@require_GET
@login_required
def campaign_measurements(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Measurements of every signed reading of the campaign that this person may see."""
    place = campaign_for(request.user, slug)
    return _hand_out(request, place, None, _all(request, place), lambda rs: exports.measurements_table(slug, rs))


def _case_object(request: HttpRequest, slug: str, number: int, kind: str) -> HttpResponseBase:
    case = case_for(request.user, slug, number)
    readings = _chosen(request, case)
    refusal = may_export_seg(case.scan) or may_export_dicom(case.campaign, request.user)
    if refusal is not None:
        return _refused(request, refusal, case.campaign, case)
    return _hand_out(request, case.campaign, case, readings, lambda rs: exports.case_object(rs[-1], kind))


def _all(request: HttpRequest, campaign: Campaign, case: Case | None = None) -> list[Reading]:
    readings = list(exportable_readings_for(request.user, campaign, case=case))
    if hides_metadata_from(request.user, campaign):
        for reading in readings:
            without_metadata(reading.case.scan)
    return readings


def _chosen(request: HttpRequest, case: Case) -> list[Reading]:
    """The one reading that ?reading= names (Http404 for what is not theirs), or the last; none when none is signed."""
    readings = _all(request, case.campaign, case)
    asked = request.GET.get("reading")
    if asked is None:
        return readings[-1:]
    try:
        identifier = uuid.UUID(asked)
    except ValueError as error:
        raise Http404("No such reading.") from error
    found = [reading for reading in readings if reading.pk == identifier]
    if not found:
        raise Http404("No such reading.")
    return found


def _hand_out(
    request: HttpRequest, campaign: Campaign, case: Case | None, readings: list[Reading], build: Builder
) -> HttpResponseBase:
    refusal = may_export(readings)
    if refusal is not None:
        return _refused(request, refusal, campaign, case)
    try:
        export = build(readings)
    except DamagedFile:
        return _refused(request, DAMAGED, campaign, case)
    download_export(export=export, readings=readings, campaign=campaign, case=case, by=request.user)
    return _response(export)


def _response(export: Export) -> HttpResponseBase:
    response: HttpResponseBase
    if export.size_bytes <= IN_ONE_PIECE_BYTES:
        with export.file as file:
            response = HttpResponse(file.read(), content_type=export.content_type)
    else:
        # Under ASGI a plain iterator, a FileResponse too, would be read into memory whole.
        response = StreamingHttpResponse(_blocks(export.file), content_type=export.content_type)
    response["Content-Length"] = str(export.size_bytes)
    response["Content-Disposition"] = f'attachment; filename="{export.name}"'
    response["Cache-Control"] = "private, no-store"
    response["X-Content-SHA256"] = export.sha256
    return response


async def _blocks(file: IO[bytes]) -> AsyncIterator[bytes]:
    try:
        while block := await asyncio.to_thread(file.read, BLOCK):
            yield block
    finally:
        file.close()


def _refused(request: HttpRequest, refusal: Refusal, campaign: Campaign, case: Case | None) -> HttpResponse:
    back = f"/campaigns/{campaign.slug}/" + (f"cases/{case.number}/" if case else "")
    context = {"title": "Nothing was exported", "sentence": refusal.sentence, "back": back}
    return refused_with(render(request, "releases/refused.html", context, status=409), refusal)
