"""The upload's endpoints: open, what is here already, one piece at a time, finish, discard. All answer JSON."""

import errno
import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from webapp.accounts.models import User
from webapp.audit.answers import refused_with
from webapp.audit.refusal import ActionRefused, require
from webapp.audit.trail import one_transaction
from webapp.campaigns.models import Campaign
from webapp.campaigns.rules import may_add_scans
from webapp.intake import quarantine
from webapp.intake.actions import discard_batch, finish_batch, open_batch
from webapp.intake.forms import BatchForm, bundle_of, json_of, keys_asked_for, piece_of
from webapp.intake.models import Batch
from webapp.intake.queries import batch_for, open_uploads_of, received_of
from webapp.intake.receiving import PIECE_BYTES, OutOfPlace, receive_files, receive_piece
from webapp.masks.imports import name_data_set

BUNDLE = "application/x-groundglass-files"
# What refusals answer; the others are 409.
STATUS = {"too_large": 413, "batch_too_large": 413, "malformed": 400, "piece": 400}


def error(status: int, code: str, sentence: str, **more: Any) -> JsonResponse:
    """An answer that says no: a code for programs, a sentence for people."""
    return JsonResponse({"error": code, "sentence": sentence, **more}, status=status)


def answers_json(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Answer in JSON what a script cannot follow or read: 401 where nobody is signed in, and each refusal."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return error(401, "signed_out", "You are signed out. Sign in again to go on.")
        try:
            return view(request, *args, **kwargs)
        except ActionRefused as refused:
            return refused_with(error(STATUS.get(refused.code, 409), refused.code, refused.sentence), refused)

    return answer


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)


def _described(batch: Batch) -> dict[str, Any]:
    return {
        "id": str(batch.pk),
        "code": batch.code,
        "campaign": batch.campaign.slug,
        "site": batch.site,
        "data_set": batch.data_set.name if batch.data_set else "",
        "single_pictures": batch.single_pictures,
        "opened_at": batch.opened_at.isoformat(),
        "files": batch.file_count,
        "bytes": batch.byte_count,
        "piece_bytes": PIECE_BYTES,
        "known_url": reverse("intake-known", args=[batch.pk]),
        "files_url": reverse("intake-files", args=[batch.pk]),
        "finish_url": reverse("intake-finish", args=[batch.pk]),
        "discard_url": reverse("intake-discard", args=[batch.pk]),
        "url": reverse("intake-batch", args=[batch.pk]),
    }


@one_transaction()
def open_upload(form: BatchForm, campaign: Campaign, by: User) -> Batch:
    """Open an upload as its form says; the data set that it names is there then. Raises ActionRefused."""
    said = form.cleaned_data
    require(may_add_scans(campaign, by))
    data_set = None
    if said["data_set"].strip():
        data_set = name_data_set(name=said["data_set"], licence=said["licence"], citation=said["citation"], by=by)
    return open_batch(
        campaign=campaign,
        by=by,
        source="upload",
        site=said["site"],
        data_set=data_set,
        single_pictures=said["single_pictures"],
    )


@require_POST
@answers_json
def batches(request: HttpRequest) -> HttpResponse:
    """Open an upload for a campaign."""
    form = BatchForm.of(request)
    if not form.is_valid():
        return error(400, *form.what_is_wrong)
    campaign = form.campaign_of(_user(request))
    try:
        batch = open_upload(form, campaign, _user(request))
    except ActionRefused as refused:
        status = 409 if refused.code == "data_set_differs" else 403
        return refused_with(error(status, refused.code, refused.sentence), refused)
    return JsonResponse(_described(batch), status=201)


@require_GET
@answers_json
def uploads(request: HttpRequest) -> HttpResponse:
    """The uploads that you began and did not finish: what is dropped again goes on there."""
    return JsonResponse({"uploads": [_described(batch) for batch in open_uploads_of(_user(request))[:50]]})


@require_POST
@answers_json
def known(request: HttpRequest, batch_id: uuid.UUID) -> HttpResponse:
    """How many bytes of each listed file are here: {files: [{path, size, mark}]} to {received: [...]}, -1 none."""
    batch = batch_for(_user(request), batch_id)
    return JsonResponse({"state": batch.state, "received": received_of(batch, keys_asked_for(request))})


@require_POST
@answers_json
def files(request: HttpRequest, batch_id: uuid.UUID) -> HttpResponse:
    """Take one piece of one file: its bytes are the body; X-File-Name, X-File-Size, X-File-Mark, X-Offset say which.

    A body of the type BUNDLE holds several small files. What is answered 201 is on the disk. 409 `offset` says how
    much of the file is here.
    """
    batch = batch_for(_user(request), batch_id)
    try:
        if request.content_type == BUNDLE:
            taken = bundle_of(request)
            receive_files(batch=batch, files=taken, by=_user(request))
            return JsonResponse({"files": len(taken), "whole": True}, status=201)
        original = receive_piece(batch=batch, piece=piece_of(request), by=_user(request))
    except OutOfPlace as other:
        sentence = f"This file goes on at byte {other.received}."
        return error(409, "offset", sentence, received=other.received)
    except OSError as failure:
        if failure.errno in (errno.ENOSPC, errno.EDQUOT):
            return error(507, "disk_full", "The server's disk is full. What had arrived before is kept.")
        return error(503, "cut_short", "The piece did not arrive whole. Nothing of it was kept; send it again.")
    return JsonResponse({"received": original.received, "whole": original.whole}, status=201)


@require_POST
@answers_json
def finish(request: HttpRequest, batch_id: uuid.UUID) -> HttpResponse:
    """Everything was sent: hand the upload to a worker. {drop_parts: true} lets go of files that are not whole."""
    drop_parts = json_of(request).get("drop_parts") is True
    batch = finish_batch(batch=batch_for(_user(request), batch_id), by=_user(request), drop_parts=drop_parts)
    return JsonResponse({"state": batch.state, "url": reverse("intake-batch", args=[batch.pk])})


@require_POST
@answers_json
def discard(request: HttpRequest, batch_id: uuid.UUID) -> HttpResponse:
    """Destroy what arrived: {code} is the batch's code, so that nobody does it by mistake."""
    batch = batch_for(_user(request), batch_id)
    if str(json_of(request).get("code", "")).upper() != batch.code:
        return error(400, "code", f"Send the code of this batch ({batch.code}) to destroy its files.")
    batch = discard_batch(batch=batch, by=_user(request))
    quarantine.remove(batch.pk)
    return JsonResponse({"state": batch.state})
