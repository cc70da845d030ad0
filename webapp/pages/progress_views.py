"""The progress of a campaign, for whoever sees all of its readings; to everybody else it is not there."""

import csv
import io
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from inference.measures.tables import number, safe_text
from webapp.campaigns.queries import campaign_for
from webapp.campaigns.rules import may_add_scans
from webapp.pages import progress
from webapp.pages.worklist_search import Place

TITLES = {
    "drafting": "AI draft awaited",
    "to_read": "to read",
    "open": "with readers",
    "back": "returned",
    "comparing": "comparing",
    "disputed": "disputed",
    "done": "done",
}


def _place(request: HttpRequest, slug: str) -> Place:
    place = Place(request.user, campaign_for(request.user, slug))  # type: ignore[arg-type]
    if not place.sees_all:
        raise Http404("No such page.")
    return place


def _figures(place: Place) -> dict[str, Any]:
    lines, totals = progress.funnel_of(place)
    return {
        "campaign": place.campaign,
        "place": place,
        "titles": [(code, TITLES[code]) for code in progress.COLUMNS],
        "funnel": lines,
        "totals": totals,
        "kept": totals["all"] - totals["excluded"],
        "burn": progress.burn_down_of(place.campaign, totals),
        "readers": progress.readers_lately(place.campaign),
        "sentinels": progress.sentinels_of(place.campaign),
        "agreement": progress.agreement_of(place.campaign),
        "stuck": progress.stuck_of(place, totals),
    }


@require_GET
@never_cache
@login_required
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """Funnel, burn-down, readers, agreement, what is stuck; it keeps itself fresh."""
    place = _place(request, slug)
    context = {**_figures(place), "add_refusal": may_add_scans(place.campaign, request.user)}
    return render(request, "pages/progress.html", context)


@require_GET
@never_cache
@login_required
def figures(request: HttpRequest, slug: str) -> HttpResponse:
    """The figures of that page alone, to be put in their place when something happened."""
    return render(request, "pages/progress_figures.html", _figures(_place(request, slug)))


@require_GET
@never_cache
@login_required
def table(request: HttpRequest, slug: str) -> HttpResponse:
    """The figures as CSV (RFC 4180): ?of=readers (the usual one), stages, days, pairs."""
    place = _place(request, slug)
    of = request.GET.get("of", "readers")
    tables = {"readers": _readers, "stages": _stages, "days": _days, "pairs": _pairs}
    if of not in tables:
        raise Http404("No such table.")
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(tables[of](place))
    response = HttpResponse(out.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{slug}-{of}.csv"'
    return response


def _readers(place: Place) -> list[list[str]]:
    head = ["reader", "sign_in_name", "stage", "signed", "submitted", "open", "active_median_min", "median_s_per_slice"]
    rows = [
        [
            *map(safe_text, (line.name, line.username, line.stage)),
            *map(str, (line.signed, line.submitted, line.open)),
            number(line.active_min),
            number(line.s_per_slice),
        ]
        for line in progress.readers_of(place.campaign)
    ]
    return [head, *rows]


def _stages(place: Place) -> list[list[str]]:
    lines, _ = progress.funnel_of(place)
    rows = [[safe_text(line.name), line.role, str(line.reached), *(str(n) for _, n in line.cells)] for line in lines]
    return [["stage", "role", "reached", *progress.COLUMNS], *rows]


def _days(place: Place) -> list[list[str]]:
    return [["day", "done"], *([f"{day:%Y-%m-%d}", str(count)] for day, count in progress.done_by_day(place.campaign))]


def _pairs(place: Place) -> list[list[str]]:
    head = ["case", "stage", "accepted", "dice", "extent_first_percent", "extent_second_percent", "extent_difference"]
    rows = [
        [
            str(pair.case_number),
            safe_text(pair.stage),
            "yes" if pair.accepted else "no",
            number(pair.dice),
            *map(number, pair.extents),
            number(pair.difference),
        ]
        for pair in progress.pairs_of(place.campaign)
    ]
    return [head, *rows]
