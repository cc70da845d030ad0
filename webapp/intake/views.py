"""The door in the browser: uploads, and the pages that say what became of them."""

import errno
import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from webapp.accounts.models import User
from webapp.audit.refusal import ActionRefused
from webapp.intake import quarantine
from webapp.intake.actions import finish_batch, open_batch
from webapp.intake.forms import BatchForm, file_name_of
from webapp.intake.models import Batch
from webapp.intake.queries import batch_for, batches_for, campaigns_to_send_to
from webapp.intake.receiving import receive_file
from webapp.intake.rules import LARGEST_UPLOAD_BYTES

BATCHES_SHOWN = 100


def _signed_in_json(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Answer 401 in JSON where nobody is signed in, for a script cannot follow a redirect to a page."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return _error(401, "signed_out", "You are signed out. Sign in again to go on.")
        return view(request, *args, **kwargs)

    return answer


def _error(status: int, code: str, sentence: str) -> JsonResponse:
    return JsonResponse({"error": code, "sentence": sentence}, status=status)


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)


@require_POST
@_signed_in_json
def batches(request: HttpRequest) -> HttpResponse:
    """Open an upload for a campaign."""
    form = BatchForm.of(request)
    if not form.is_valid():
        return _error(400, "no_campaign", "Say which campaign the scans are for.")
    try:
        batch = open_batch(campaign=form.campaign_of(_user(request)), by=_user(request))
    except ActionRefused as refused:
        return _error(403, refused.code, refused.sentence)
    return JsonResponse(
        {
            "id": str(batch.pk),
            "files_url": reverse("intake-files", args=[batch.pk]),
            "finish_url": reverse("intake-finish", args=[batch.pk]),
            "url": reverse("intake-batch", args=[batch.pk]),
        },
        status=201,
    )


@require_POST
@_signed_in_json
def files(request: HttpRequest, batch_id: uuid.UUID) -> HttpResponse:
    """Take one file: its bytes are the body, its name is in X-File-Name."""
    batch = batch_for(_user(request), batch_id)
    try:
        size = int(request.headers.get("Content-Length") or 0)
    except ValueError:
        return _error(400, "length", "The request's Content-Length is not a number.")
    name = file_name_of(request)
    try:
        batch = receive_file(batch=batch, name=name, stream=request, size=size, by=_user(request))  # type: ignore[arg-type]
    except ActionRefused as refused:
        return _error(413 if "too_large" in refused.code else 409, refused.code, refused.sentence)
    except quarantine.TooLarge:
        limit = LARGEST_UPLOAD_BYTES // 1024**3
        return _error(413, "too_large", f"One file may have at most {limit} GB.")
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return _error(507, "disk_full", "The server's disk is full. Nothing of this file was kept.")
        return _error(400, "cut_short", "The file did not arrive whole. Nothing of it was kept; send it again.")
    return JsonResponse({"files": batch.file_count, "bytes": batch.byte_count}, status=201)


@require_POST
@_signed_in_json
def finish(request: HttpRequest, batch_id: uuid.UUID) -> HttpResponse:
    """Everything was sent: hand the upload to a worker."""
    try:
        batch = finish_batch(batch=batch_for(_user(request), batch_id), by=_user(request))
    except ActionRefused as refused:
        return _error(409, refused.code, refused.sentence)
    if request.content_type != "application/json" and "text/html" in request.headers.get("Accept", ""):
        return redirect("intake-batch", batch.pk)
    return JsonResponse({"state": batch.state, "url": reverse("intake-batch", args=[batch.pk])})


@require_GET
@login_required
def index(request: HttpRequest) -> HttpResponse:
    """The uploads that concern the person, and the drop zone."""
    user = _user(request)
    context = {
        "batches": batches_for(user)[:BATCHES_SHOWN],
        "campaigns": campaigns_to_send_to(user),
        "chosen": request.GET.get("campaign", ""),
    }
    return render(request, "intake/index.html", context)


@require_GET
@login_required
def batch(request: HttpRequest, batch_id: uuid.UUID) -> HttpResponse:
    """One upload: how far it is, and a line for each series."""
    shown: Batch = batch_for(_user(request), batch_id)
    lines = list(shown.lines.all())
    accepted = sum(line.state == "accepted" for line in lines)
    context = {"batch": shown, "lines": lines, "accepted": accepted, "refused": len(lines) - accepted}
    return render(request, "intake/batch.html", context)
