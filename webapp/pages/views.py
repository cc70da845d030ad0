"""Home, case and viewer pages."""

import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.utils.http import quote_etag
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from webapp.archive.remarks import remarks_of, weight_remarks_of
from webapp.archive.storage import DamagedFile
from webapp.audit.refusal import ActionRefused
from webapp.campaigns.metadata import shown_to
from webapp.campaigns.queries import case_for, personal_campaign_of
from webapp.campaigns.rules import may_add_scans, may_assign, may_create_campaign
from webapp.pages import pictures, vite
from webapp.pages.actions import view_scan
from webapp.pages.case_comments import comment_lines_for
from webapp.pages.draft_views import drafts_of_case
from webapp.pages.home import cards_for, waiting_for
from webapp.pages.queries import first_slabs_of, next_case_for, recent_readings_for, visible_mask_for
from webapp.pages.story import spacing_text, story_for
from webapp.readings.actions import start_reading, view_reading
from webapp.readings.flags import flags_for
from webapp.readings.queries import reading_for
from webapp.readings.scores_beside import scores_for

PICTURE_SIZES_PX = (80, 640)
# Kept by the browser, asked for again each time: the right to a picture is checked on each request.
REVALIDATED = "private, no-cache"


@require_GET
@never_cache
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """What is next, what is mine, how far it is."""
    cards, following = cards_for(request.user), next_case_for(request.user)
    return render(
        request,
        "pages/home.html",
        {
            "cards": cards,
            "next": following,
            "ahead": first_slabs_of(following),
            "waiting": waiting_for(request.user, cards),
            "recent": recent_readings_for(request.user),
            "is_coordinator": any("coordinator" in card.roles for card in cards),
            "reviews": personal_campaign_of(request.user),
            "may_review": may_create_campaign(request.user) is None,
        },
    )


@require_GET
@never_cache
@login_required
def case(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """The way of a case as a line of stations, with its picture, warnings, numbers and exports."""
    item = case_for(request.user, slug, number)
    view_scan(case=item, by=request.user)
    item.scan = shown_to(request.user, item.scan)
    numbers = item.campaign.cases.order_by("number").values_list("number", flat=True)
    return render(
        request,
        "pages/case.html",
        {
            "case": item,
            "campaign": item.campaign,
            "scan": item.scan,
            "remarks": remarks_of(item.scan),
            "weight_remarks": weight_remarks_of(item.scan),
            "spacing": spacing_text(item.scan),
            "previous": numbers.filter(number__lt=number).last(),
            "following": numbers.filter(number__gt=number).first(),
            "add_refusal": may_add_scans(item.campaign, request.user),
            "scores": scores_for(request.user, item),
            "flags": flags_for(request.user, item.campaign, item),
            "comments": comment_lines_for(request.user, item),
            "decide_refusal": may_assign(item.campaign, request.user),
            **drafts_of_case(request, item),
            **story_for(request.user, item),
        },
    )


@require_POST
@login_required
def start(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Begin a reading of a case and go to the viewer."""
    item = case_for(request.user, slug, number)
    try:
        reading = start_reading(case=item, by=request.user)
    except ActionRefused as refused:
        messages.error(request, refused.sentence)
        return redirect("pages:case", slug=slug, number=number)
    return redirect("pages:viewer", reading_id=reading.pk)


@require_GET
@login_required
def picture(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """The middle slice of a case with the outlines of the mask that this person may see (?size=80 or 640)."""
    item = case_for(request.user, slug, number)
    asked = request.GET.get("size", "")
    size_px = int(asked) if asked.isdigit() and int(asked) in PICTURE_SIZES_PX else PICTURE_SIZES_PX[-1]
    mask = visible_mask_for(request.user, item)
    etag = quote_etag(
        f"{item.scan.voxels_sha256[:16]}-{mask.pk}-{mask.head_hash[:16]}-{size_px}"
        if mask
        else f"{item.scan.voxels_sha256[:16]}-{size_px}"
    )
    response: HttpResponse
    if request.headers.get("If-None-Match") == etag:
        response = HttpResponseNotModified()
    else:
        try:
            response = HttpResponse(pictures.picture_png(item.scan, mask, size_px), content_type="image/png")
        except (DamagedFile, OSError) as error:
            return _no_picture(size_px, error)
    response["ETag"], response["Cache-Control"] = etag, REVALIDATED
    return response


def _no_picture(size_px: int, error: Exception) -> HttpResponse:
    """In the place of a picture, so that a page keeps its form: why there is none. It is not kept."""
    if isinstance(error, DamagedFile):
        words, status = "The pixels of this scan are missing or damaged in storage.", 500
    else:
        words, status = "The storage of pixels does not answer.", 503
    content = pictures.placeholder_png(size_px, words)
    return HttpResponse(content, content_type="image/png", status=status, headers={"Cache-Control": "no-store"})


@require_GET
@never_cache
@login_required
def viewer(request: HttpRequest, reading_id: uuid.UUID) -> HttpResponse:
    """The page that holds the viewer of one reading."""
    reading = reading_for(request.user, reading_id)
    view_reading(reading=reading, by=request.user)
    place: dict[str, Any] = {"slug": reading.case.campaign.slug, "number": reading.case.number}
    return render(
        request,
        "pages/viewer.html",
        {
            "reading": reading,
            "viewer": vite.assets_of(vite.VIEWER_ENTRY),
            "csrf_token": get_token(request),
            "back": f"/campaigns/{place['slug']}/cases/{place['number']}/",
        },
    )
