"""The door's pages: what waits, what was refused and why, what is held until when."""

import contextlib
import uuid
from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from webapp.accounts.models import User
from webapp.archive.models import SITE_LENGTH
from webapp.audit.refusal import ActionRefused
from webapp.intake import quarantine
from webapp.intake.actions import discard_batch, finish_batch, try_again
from webapp.intake.models import Batch
from webapp.intake.queries import (
    batch_for,
    batches_of_kind,
    campaigns_to_send_to,
    completes_at,
    counts_by_kind,
    data_sets_of,
    open_uploads_of,
)
from webapp.intake.rules import may_discard, may_finish, may_try_again

A_PAGE = 50


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)


@require_GET
@login_required
def index(request: HttpRequest) -> HttpResponse:
    """The drop zone, and the batches that concern the person."""
    user, kind = _user(request), request.GET.get("show", "")
    counts = counts_by_kind(user)
    campaigns = campaigns_to_send_to(user)
    context = {
        "page": Paginator(batches_of_kind(user, kind), A_PAGE).get_page(request.GET.get("page")),
        "kind": kind if kind in counts else "",
        "chips": [(kind, word, counts[kind]) for kind, word in _CHIPS.items()],
        "campaigns": campaigns,
        "chosen": request.GET.get("campaign", ""),
        "unfinished": open_uploads_of(user),
        "data_sets": data_sets_of(campaigns),
        "site_length": SITE_LENGTH,
    }
    return render(request, "intake/index.html", context)


_CHIPS = {"waiting": "Waiting", "refused": "With refusals", "held": "Originals held"}


@require_GET
@login_required
def batch(request: HttpRequest, batch_id: uuid.UUID) -> HttpResponse:
    """One batch: how far it is, a line for each series, and what may be done with its originals."""
    user = _user(request)
    shown: Batch = batch_for(user, batch_id)
    lines = list(shown.lines.select_related("scan"))
    accepted = sum(line.state == "accepted" for line in lines)
    context = {
        "batch": shown,
        "lines": lines,
        "accepted": accepted,
        "refused": len(lines) - accepted,
        "parts": shown.originals.filter(whole=False).count() if shown.state == "receiving" else 0,
        "completes_at": completes_at(shown),
        "may_finish": shown.state == "receiving" and may_finish(shown, user) is None,
        "again_refusal": may_try_again(shown, user),
        "may_discard": may_discard(shown, user) is None,
    }
    return render(request, "intake/batch.html", context)


@require_POST
@login_required
def take(request: HttpRequest, batch_id: uuid.UUID) -> HttpResponse:
    """Check what is here of a batch that its sender left unfinished."""
    with _said(request):
        finish_batch(batch=batch_for(_user(request), batch_id), by=_user(request), drop_parts=True)
    return redirect("intake-batch", batch_id)


@require_POST
@login_required
def again(request: HttpRequest, batch_id: uuid.UUID) -> HttpResponse:
    """Check the held originals of a batch once more."""
    with _said(request):
        try_again(batch=batch_for(_user(request), batch_id), by=_user(request))
    return redirect("intake-batch", batch_id)


@require_POST
@login_required
def destroy(request: HttpRequest, batch_id: uuid.UUID) -> HttpResponse:
    """Destroy the originals of a batch, when its code was typed."""
    shown = batch_for(_user(request), batch_id)
    if request.POST.get("code", "").strip().upper() != shown.code:
        messages.error(request, f"Nothing was destroyed: type {shown.code} to destroy the originals.", "bad")
        return redirect("intake-batch", batch_id)
    with _said(request):
        discard_batch(batch=shown, by=_user(request))
        quarantine.remove(shown.pk)
        messages.success(request, "The originals are destroyed. Scans that were filed from them stay.", "good")
    return redirect("intake-batch", batch_id)


@contextlib.contextmanager
def _said(request: HttpRequest):
    """Show a refusal as a notice on the next page."""
    try:
        yield
    except ActionRefused as refused:
        messages.error(request, refused.sentence, "bad")
