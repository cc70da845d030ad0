"""The AI drafts of a campaign, run by run: where each stands, and what a coordinator does with many of them."""

import csv
import io
import json
import uuid
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from inference.measures.tables import number as cell
from inference.measures.tables import safe_text
from webapp.algorithms.models import Algorithm, DraftRun
from webapp.audit.refusal import ActionRefused, Refusal
from webapp.campaigns.draft_actions import cancel_drafts, request_drafts, retry_drafts
from webapp.campaigns.draft_queries import (
    algorithm_named,
    algorithms_to_ask,
    counts_by_state,
    current_runs,
    default_algorithm,
    runs_of,
)
from webapp.campaigns.models import Campaign
from webapp.campaigns.queries import algorithms_of, case_for
from webapp.campaigns.rules import may_draft
from webapp.pages.campaign_settings_views import overseen
from webapp.readings.assigning_queries import CaseFilter
from webapp.readings.drafts import (
    DraftFilter,
    draft_lines,
    drafts_of_case_for,
    key_of,
    may_see_drafts,
    sees_uncertainty,
)

LINES_A_PAGE = 50
WORDS = {
    DraftRun.RUNNING: "Running",
    DraftRun.QUEUED: "In line",
    DraftRun.FAILED: "Failed",
    DraftRun.CANCELLED: "Cancelled",
    DraftRun.FINISHED: "Finished",
}
COLUMNS = (
    "case",
    "pseudonym",
    "algorithm",
    "version",
    "weights_sha256",
    "state",
    "attempts",
    "device",
    "duration_s",
    "uncertainty",
    "requested_at",
    "finished_at",
    "failure",
    "options_json",
)


def _seen(request: HttpRequest, slug: str) -> Campaign:
    campaign = overseen(request, slug)
    if refusal := may_see_drafts(request.user, campaign):  # type: ignore[arg-type]
        raise PermissionDenied(refusal.sentence)
    return campaign


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def drafts(request: HttpRequest, slug: str) -> HttpResponse:
    """Every run with its place in line, progress and time left; POST asks, cancels or tries again."""
    campaign = _seen(request, slug)
    may_order = sees_uncertainty(request.user, campaign)  # type: ignore[arg-type]
    asked = DraftFilter.of(request.GET.dict(), campaign, may_order=may_order)
    refusal, status = "", 200
    if request.method == "POST":
        try:
            messages.success(request, _done(request, campaign), "good")
            return redirect(reverse("pages:drafts", args=[slug]) + _query(asked.query))
        except ActionRefused as refused:
            refusal, status = refused.sentence, 403 if refused.code == "not_coordinator" else 409
    page = Paginator(asked.listed(current_runs(campaign)), LINES_A_PAGE).get_page(request.GET.get("page"))
    context = {
        **_shown(request, campaign, asked, list(page)),
        "page": page,
        "following": _query({**asked.query, "page": page.next_page_number()}) if page.has_next() else "",
        "previous": _query({**asked.query, "page": page.previous_page_number()}) if page.has_previous() else "",
        "refusal": refusal,
        "typed": request.POST.get("numbers", ""),
    }
    return render(request, "pages/drafts.html", context, status=status)


@require_GET
@never_cache
@login_required
def draft_rows(request: HttpRequest, slug: str) -> HttpResponse:
    """The very runs that a page shows (?run=...), as they stand now, and the counts: to be put in their places."""
    campaign = _seen(request, slug)
    may_order = sees_uncertainty(request.user, campaign)  # type: ignore[arg-type]
    asked = DraftFilter.of(request.GET.dict(), campaign, may_order=may_order)
    ids = _ids(request.GET.getlist("run"))[:LINES_A_PAGE]
    found = runs_of(campaign).filter(pk__in=ids).select_related("algorithm", "scan__study__patient")
    runs = sorted(found, key=lambda run: ids.index(run.pk))
    return render(request, "pages/drafts_table.html", _shown(request, campaign, asked, runs))


def _shown(request: HttpRequest, campaign: Campaign, asked: DraftFilter, runs: Sequence[DraftRun]) -> dict[str, Any]:
    """What both the page and its live part say."""
    counts = counts_by_state(asked.within(current_runs(campaign)))
    chips = [
        (state, word, counts[state], _query({**asked.query, "state": state}), asked.state == state)
        for state, word in WORDS.items()
    ]
    rows = urlencode([*asked.query.items(), *(("run", str(run.pk)) for run in runs)])
    return {
        "campaign": campaign,
        "here": "drafts",
        "asked": asked,
        "lines": draft_lines(request.user, campaign, runs),  # type: ignore[arg-type]
        "chips": chips,
        "everything": (sum(counts.values()), _query({k: v for k, v in asked.query.items() if k != "state"})),
        "counts": counts,
        "open_count": counts[DraftRun.QUEUED] + counts[DraftRun.RUNNING],
        "rows_address": reverse("pages:draft_rows", args=[campaign.slug]) + "?" + rows,
        "algorithms": [(key_of(one), str(one)) for one in algorithms_of(campaign)],
        "to_ask": [(key_of(one), str(one)) for one in algorithms_to_ask(campaign)],
        "own_algorithm": key_of(campaign.draft_algorithm) if campaign.draft_algorithm else "",
        "may_draft": may_draft(campaign, request.user) is None,  # type: ignore[arg-type]
        "knows_uncertainty": sees_uncertainty(request.user, campaign),  # type: ignore[arg-type]
    }


def _query(parts: dict[str, Any]) -> str:
    said = urlencode(parts)
    return f"?{said}" if said else "?"


def _ids(texts: Sequence[str]) -> list[uuid.UUID]:
    """The ids among what was sent; what is none is left out."""
    found = []
    for text in texts:
        try:
            found.append(uuid.UUID(text))
        except ValueError:
            continue
    return found


def _done(request: HttpRequest, campaign: Campaign) -> str:
    """Do what was asked for; what was done, in a sentence."""
    do = DOINGS.get(request.POST.get("do", ""))
    if do is None:
        raise ActionRefused(Refusal("malformed", "Nothing was changed. Choose what to do."))
    return do(request, campaign)


def chosen_algorithm(request: HttpRequest, campaign: Campaign) -> Algorithm:
    """The algorithm that a form names, or the campaign's own."""
    name, _, version = request.POST.get("algorithm", "").partition("@")
    return algorithm_named(campaign, name, version) if name else default_algorithm(campaign)


def _ask(request: HttpRequest, campaign: Campaign) -> str:
    typed = request.POST.get("numbers", "").strip()
    numbers = None
    if typed:
        cases = CaseFilter.of({"numbers": typed}).within(campaign.cases.all())
        numbers = list(cases.values_list("number", flat=True))
    algorithm = chosen_algorithm(request, campaign)
    return request_drafts(campaign=campaign, numbers=numbers, algorithm=algorithm, by=request.user).words


def _chosen(request: HttpRequest) -> list[uuid.UUID]:
    return _ids(request.POST.getlist("run"))


def _cancel(request: HttpRequest, campaign: Campaign) -> str:
    count = cancel_drafts(campaign=campaign, run_ids=_chosen(request), by=request.user)
    return f"{count:,} cancelled."


def _cancel_all(request: HttpRequest, campaign: Campaign) -> str:
    return f"{cancel_drafts(campaign=campaign, run_ids=None, by=request.user):,} cancelled."


def _retry(request: HttpRequest, campaign: Campaign) -> str:
    return retry_drafts(campaign=campaign, run_ids=_chosen(request), by=request.user).words


def _retry_all(request: HttpRequest, campaign: Campaign) -> str:
    return retry_drafts(campaign=campaign, run_ids=None, by=request.user).words


DOINGS: dict[str, Callable[[HttpRequest, Campaign], str]] = {
    "ask": _ask,
    "cancel": _cancel,
    "cancel_all": _cancel_all,
    "retry": _retry,
    "retry_all": _retry_all,
}


@require_GET
@never_cache
@login_required
def draft_table(request: HttpRequest, slug: str) -> HttpResponse:
    """The last run of each case and algorithm as CSV (RFC 4180)."""
    campaign = _seen(request, slug)
    runs = list(DraftFilter().listed(current_runs(campaign)))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    lines = draft_lines(request.user, campaign, runs)  # type: ignore[arg-type]
    for line in sorted(lines, key=lambda one: one.case.number):
        run = line.run
        words = [run.scan.study.patient.pseudonym, run.algorithm.name, run.algorithm.version, run.weights_sha256]
        times = [at.isoformat(timespec="seconds") if at else "" for at in (run.requested_at, run.finished_at)]
        writer.writerow(
            [
                str(line.case.number),
                *map(safe_text, words),
                run.state,
                str(run.attempts),
                safe_text(run.device),
                cell(run.duration_s),
                cell(line.uncertainty),
                *times,
                safe_text(run.failure_sentence),
                json.dumps(run.options, sort_keys=True),
            ]
        )
    response = HttpResponse(out.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{slug}-drafts.csv"'
    return response


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def case_draft(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """GET: the drafts of a case as they stand now, to be put in their place. POST: ask for one, or cancel one."""
    item = case_for(request.user, slug, number)  # type: ignore[arg-type]
    if request.method == "GET":
        context = drafts_of_case(request, item)
        if not context["draft_lines"]:
            raise Http404("No draft to see.")
        return render(request, "pages/case_draft.html", {"case": item, "campaign": item.campaign, **context})
    try:
        if request.POST.get("do") == "cancel":
            cancel_drafts(campaign=item.campaign, run_ids=_chosen(request), by=request.user)
        else:
            algorithm = chosen_algorithm(request, item.campaign)
            asked = request_drafts(campaign=item.campaign, numbers=[number], algorithm=algorithm, by=request.user)
            messages.success(request, asked.words, "good")
    except ActionRefused as refused:
        messages.error(request, refused.sentence)
    return redirect("pages:case", slug=slug, number=number)


def drafts_of_case(request: HttpRequest, item: Any) -> dict[str, Any]:
    """What a case's page says of its drafts to whoever asks."""
    user: Any = request.user
    may_ask = may_draft(item.campaign, user) is None and may_see_drafts(user, item.campaign) is None
    lines = drafts_of_case_for(user, item)
    there = {line.run.algorithm_id for line in lines}
    others = [one for one in algorithms_to_ask(item.campaign) if one.pk not in there]
    own = [line for line in lines if line.run.algorithm_id == item.campaign.draft_algorithm_id]
    waiting = [line.wait.words for line in own if line.wait and line.run.state == DraftRun.QUEUED]
    return {
        "draft_lines": lines,
        "draft_wait": "".join(waiting),
        "draft_algorithms": [(key_of(one), str(one)) for one in others] if may_ask else [],
        "may_draft": may_draft(item.campaign, user) is None,
    }
